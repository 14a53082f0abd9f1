"""What a run is asked to do: the config's options for tasks, epochs, batches and files, read and checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from compiler.tensorflow.device import GivenDevice
from returnn_ir.config import Config
from returnn_ir.config.read import read_config
from returnn_ir.errors import ConfigError
from returnn_ir.options import Described, Form, Key, Positive, Probability, Range
from runtime.datasets.batch_options import BatchOptions, BatchSize, MaxSeqs, SeqFrames, SeqLength
from runtime.datasets.ordering import parse_ordering
from runtime.tasks.data_options import DatasetDefaults

__all__ = ["RunOptions"]

Task = Literal["train", "eval", "forward", "search", "compute_priors"]
#: A checkpoint's path, perhaps with the ending of one of its files, which is taken off.
Checkpoint = Annotated[str | None, Form(lambda given: _without_ending(given) if isinstance(given, str) else given)]
#: Any whole number, as in RETURNN; seeds are int64.
Seed = Annotated[int, Range()]
_SEEDS = 1 << 63


def _without_ending(path: str) -> str | None:
    return path.removesuffix(".index").removesuffix(".meta") or None


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's options for a run; :class:`RunOptions` has what follows from them.

    Attributes:
        epoch: another name of ``load_epoch`` in evaluation and forwarding.
        device: what computes.
        eval_batch_size: ``batch_size`` outside of training; nothing or 0: the same.
    """

    task: Task = "train"
    train: Any = None
    dev: Any = None
    eval: Any = None
    eval_datasets: Annotated[Mapping[str, Any] | None, Described("a dict from names to datasets")] = None
    batching: str = "default"
    model: str | None = None
    load: Checkpoint = None
    import_model_train_epoch1: Checkpoint = None
    load_epoch: int = -1
    epoch: int = -1
    num_epochs: Annotated[int, Range(0)] = 5
    save_interval: Annotated[int, Range(1)] = 1
    save_initial: Annotated[bool, Key("save_epoch1_initial_model")] = False
    batch_size: BatchSize = 1
    max_seqs: MaxSeqs = -1
    max_seq_length: SeqLength | None = None
    min_seq_length: SeqFrames | None = None
    max_pad_size: SeqFrames | None = None
    seq_drop: Probability = 0.0
    seq_drop_freq: Positive = 10.0
    inc_seq_length: int | float = 0
    shuffle_batches: bool = False
    enforce_min_len1: bool = False
    eval_batch_size: Annotated[BatchSize | None, Form(lambda given: given or None)] = None
    random_seed: Seed = 42
    stop_on_nonfinite: Annotated[bool, Key("stop_on_nonfinite_train_score")] = True
    dry_run: Annotated[bool, Form(lambda given: given if isinstance(given, str) else bool(given))] = False
    exp_scores: Annotated[bool, Key("calculate_exp_loss")] = False
    log_batch_size: bool = False
    reinit_network: Annotated[bool, Key("reinit_network_each_epoch")] = False
    device: GivenDevice = "gpu"


@dataclass(frozen=True)
class RunOptions:
    """Options of ``returnn-run``, with RETURNN's names and defaults.

    Attributes:
        model: path of the checkpoints up to the epoch.
        num_epochs: the last epoch; None: there is no last one.
        batch_options: how batches are made in training.
        eval_batch_options: the same anywhere else; only ``dev`` leaves out long sequences.
        batching: the order of training data that say none themselves.
        dataset_defaults: what else of the config datasets take over that say nothing themselves.
        eval_datasets: by name; ``dev`` and ``eval`` are two of them.
        load_epoch: the epoch to evaluate, forward or search with; None: the newest checkpoint.
        load: a checkpoint to start from, as path without epoch resolution.
        import_model: a checkpoint whose parameters a new training starts with.
        dry_run: neither checkpoints nor scores are written.
        exp_scores: scores are also kept as exp(score).
        log_batch_size: the log has the number and the lengths of the sequences of each step.
        save_initial: a training from scratch saves its initial parameters as epoch 0.
        reinit_network: the optimizer starts anew in each epoch, as if the network were another one.
        on_cpu: no GPU is used.
    """

    task: str
    model: str | None
    num_epochs: int | None
    save_interval: int
    batch_options: BatchOptions
    eval_batch_options: BatchOptions
    train: Any
    batching: str = "default"
    dataset_defaults: DatasetDefaults = field(default_factory=DatasetDefaults)
    eval_datasets: dict[str, Any] = field(default_factory=dict)
    load_epoch: int | None = None
    load: str | None = None
    import_model: str | None = None
    random_seed: int = 42
    stop_on_nonfinite: bool = True
    dry_run: bool = False
    exp_scores: bool = False
    log_batch_size: bool = False
    save_initial: bool = False
    reinit_network: bool = False
    on_cpu: bool = False
    log_every_seconds: float = 10.0

    @staticmethod
    def from_config(config: Config) -> RunOptions:
        """Read the options; a UserError tells everything that is wrong or missing."""
        keys = read_config(_Keys, config)
        if keys.task == "train" and not keys.train:
            raise ConfigError("there is no training data", where=str(config.path), expected="train = {...}")
        load_epoch = _load_epoch(keys, config)
        evaluated = {name: data for name, data in (("dev", keys.dev), ("eval", keys.eval)) if data}
        return RunOptions(
            task=keys.task,
            model=keys.model or None,
            num_epochs=max(keys.num_epochs, load_epoch or 0) or None,
            save_interval=keys.save_interval,
            batch_options=BatchOptions(
                batch_size=keys.batch_size,
                max_seqs=keys.max_seqs,
                max_seq_length=_as_typed(keys.max_seq_length, "max_seq_length", config),
                min_seq_length=keys.min_seq_length,
                max_pad_size=keys.max_pad_size,
                seq_drop=keys.seq_drop,
                seq_drop_freq=keys.seq_drop_freq,
                inc_seq_length=_as_typed(keys.inc_seq_length, "inc_seq_length", config),
                shuffle_batches=keys.shuffle_batches,
                enforce_min_len1=keys.enforce_min_len1,
            ),
            eval_batch_options=BatchOptions(
                batch_size=keys.eval_batch_size or keys.batch_size,
                max_seqs=keys.max_seqs,
                enforce_min_len1=keys.enforce_min_len1,
            ),
            train=keys.train,
            batching=_batching(keys, config) if keys.task == "train" else "default",
            dataset_defaults=DatasetDefaults.from_config(config),
            eval_datasets={**evaluated, **(keys.eval_datasets or {})},
            load_epoch=load_epoch,
            load=keys.load,
            import_model=keys.import_model_train_epoch1,
            random_seed=keys.random_seed % _SEEDS,
            stop_on_nonfinite=keys.stop_on_nonfinite,
            dry_run=keys.dry_run,
            exp_scores=keys.exp_scores,
            log_batch_size=keys.log_batch_size,
            save_initial=keys.save_initial,
            reinit_network=keys.reinit_network,
            on_cpu=keys.device == "cpu",
        )

    def batch_options_of(self, dataset: str) -> BatchOptions:
        """Of one of the ``eval_datasets``."""
        longest = self.batch_options.max_seq_length if dataset == "dev" else None
        return replace(self.eval_batch_options, max_seq_length=longest)


def _as_typed(value: Any, key: str, config: Config) -> Any:
    """A number as RETURNN has it: texts are floats, which matters for lengths that grow or are negative."""
    return float(value) if isinstance(value, int) and not config.is_typed(key) else value


def _batching(keys: _Keys, config: Config) -> str:
    """The order, which is refused here where it is wrong, and not as an option of the dataset that takes it over."""
    try:
        parse_ordering(keys.batching, "batching")
    except ConfigError as error:
        error.where = config.origin(None, "batching")
        raise
    return keys.batching


def _load_epoch(keys: _Keys, config: Config) -> int | None:
    """``load_epoch``, for which evaluation and forwarding have a second name."""
    given, other = keys.load_epoch, keys.epoch if keys.task in ("eval", "forward") else -1
    if keys.task == "eval" and given >= 0 and other >= 0 and given != other:
        raise ConfigError(
            "epoch and load_epoch are different",
            where=config.origin(None, "epoch"),
            expected=f"{given}, which is load_epoch",
            received=other,
        )
    epoch = other if other > 0 else given
    return epoch if epoch > 0 else None
