"""What a run is asked to do: the config's options for tasks, epochs, batches and files, read and checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from returnn_ir.config import Config
from returnn_ir.errors import ConfigError, did_you_mean
from runtime.datasets.batching import BatchLimits
from runtime.options import placed

__all__ = ["TASKS", "RunOptions"]

TASKS = ("train", "eval", "forward", "search")
_SEEDS = 1 << 63  # seeds are int64; RETURNN takes any whole number, too


@dataclass(frozen=True)
class RunOptions:
    """Options of ``returnn-run``, with RETURNN's names and defaults.

    Attributes:
        model: path of the checkpoints up to the epoch.
        num_epochs: the last epoch; None: there is no last one.
        limits: of a batch in training.
        eval_limits: of a batch anywhere else; only ``dev`` leaves out long sequences.
        eval_datasets: by name; ``dev`` and ``eval`` are two of them.
        load_epoch: the epoch to evaluate, forward or search with; None: the newest checkpoint.
        load: a checkpoint to start from, as path without epoch resolution.
        import_model: a checkpoint whose parameters a new training starts with.
        dry_run: neither checkpoints nor scores are written.
        exp_scores: scores are also kept as exp(score).
        save_initial: a training from scratch saves its initial parameters as epoch 0.
        on_cpu: no GPU is used.
    """

    task: str
    model: str | None
    num_epochs: int | None
    save_interval: int
    limits: BatchLimits
    eval_limits: BatchLimits
    train: Any
    eval_datasets: dict[str, Any] = field(default_factory=dict)
    load_epoch: int | None = None
    load: str | None = None
    import_model: str | None = None
    random_seed: int = 42
    stop_on_nonfinite: bool = True
    dry_run: bool = False
    exp_scores: bool = False
    save_initial: bool = False
    on_cpu: bool = False
    log_every_seconds: float = 10.0

    @staticmethod
    def from_config(config: Config) -> RunOptions:
        """Read the options; a missing or wrong one is a ConfigError."""
        task = _task(config)
        if task == "train" and not config.get("train"):
            raise ConfigError("there is no training data", where=str(config.path), expected="train = {...}")
        evaluated = {name: config[name] for name in ("dev", "eval") if config.get(name)}
        further = config.get("eval_datasets") or {}
        if not isinstance(further, Mapping):
            raise ConfigError(
                "eval_datasets is a dict of datasets",
                where=config.origin(None, "eval_datasets"),
                received=repr(further),
            )
        load_epoch = _load_epoch(config, task)
        return RunOptions(
            task=task,
            model=config.value("model", None) or None,
            num_epochs=_num_epochs(config, load_epoch),
            save_interval=_at_least(config, "save_interval", 1, 1),
            limits=_limits(config, "batch_size", "max_seq_length", "min_seq_length", "max_pad_size"),
            eval_limits=_limits(config, "eval_batch_size" if config.get("eval_batch_size") else "batch_size"),
            train=config.get("train"),
            eval_datasets={**evaluated, **further},
            load_epoch=load_epoch,
            load=_checkpoint(config, "load"),
            import_model=_checkpoint(config, "import_model_train_epoch1"),
            random_seed=config.int("random_seed", 42) % _SEEDS,
            stop_on_nonfinite=config.bool("stop_on_nonfinite_train_score", True),
            dry_run=config.is_true("dry_run"),
            exp_scores=config.bool("calculate_exp_loss", False),
            save_initial=config.bool("save_epoch1_initial_model", False),
            on_cpu=_on_cpu(config),
        )

    def limits_of(self, dataset: str) -> BatchLimits:
        """Of a batch of one of the ``eval_datasets``."""
        return replace(self.eval_limits, max_seq_length=self.limits.max_seq_length if dataset == "dev" else None)


def _task(config: Config) -> str:
    task = config.value("task", "train")
    if task not in TASKS:
        raise ConfigError(
            f"unknown task {task!r}",
            where=config.origin(None, "task"),
            expected=", ".join(TASKS),
            hint=did_you_mean(str(task), TASKS),
        )
    return str(task)


def _on_cpu(config: Config) -> bool:
    device = config.value("device", None) or "gpu"
    if device not in ("cpu", "gpu"):
        raise ConfigError(
            f"unknown device {device!r}",
            where=config.origin(None, "device"),
            expected="cpu, or gpu: a GPU where there is one",
        )
    return device == "cpu"


def _load_epoch(config: Config, task: str) -> int | None:
    """``load_epoch``, for which evaluation and forwarding have a second name."""
    given, other = config.int("load_epoch", -1), config.int("epoch", -1) if task in ("eval", "forward") else -1
    if task == "eval" and given >= 0 and other >= 0 and given != other:
        raise ConfigError(
            "epoch and load_epoch are different",
            where=config.origin(None, "epoch"),
            expected=f"{given}, which is load_epoch",
            received=other,
        )
    epoch = other if other > 0 else given
    return epoch if epoch > 0 else None


def _num_epochs(config: Config, load_epoch: int | None) -> int | None:
    last = max(_at_least(config, "num_epochs", 5, 0), load_epoch or 0)
    return last or None


def _at_least(config: Config, key: str, default: int, least: int) -> int:
    value = config.int(key, default)
    if value < least:
        raise ConfigError(
            f"wrong value for {key!r}", where=config.origin(None, key), expected=f"at least {least}", received=value
        )
    return value


def _checkpoint(config: Config, key: str) -> str | None:
    """A checkpoint's path without the ending of one of its files."""
    path = config.value(key, None) or None
    return path if path is None else path.removesuffix(".index").removesuffix(".meta")


def _limits(config: Config, batch_size: str, *further: str) -> BatchLimits:
    """The batches' limits that these keys set."""
    given: dict[str, Any] = {key: _limit(config, key, None) for key in further}
    try:
        with placed(config):
            return BatchLimits(batch_size=_limit(config, batch_size, 1), max_seqs=config.int("max_seqs", -1), **given)
    except ConfigError as error:
        if batch_size != "batch_size" and "'batch_size'" in error.what:
            error.what = error.what.replace("'batch_size'", repr(batch_size))
            error.where = config.origin(None, batch_size)
        raise


def _limit(config: Config, key: str, default: Any) -> Any:
    value = config.get(key)
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return default if value is None else value
