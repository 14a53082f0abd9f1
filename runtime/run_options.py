"""What a run is asked to do: the config's options for tasks, epochs, batches and files, read and checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from returnn_ir.config import Config
from returnn_ir.errors import ConfigError, did_you_mean
from runtime.datasets.batching import BatchLimits

__all__ = ["TASKS", "RunOptions"]

TASKS = ("train", "eval", "forward", "search")


@dataclass(frozen=True)
class RunOptions:
    """Options of ``returnn-run``, with RETURNN's names and defaults.

    Attributes:
        model: path of the checkpoints up to the epoch.
        eval_datasets: by name; ``dev`` and ``eval`` are two of them.
        load_epoch: the epoch to evaluate, forward or search with; None: the newest checkpoint.
        load: a checkpoint to start from, as path without epoch resolution.
    """

    task: str
    model: str | None
    num_epochs: int
    save_interval: int
    limits: BatchLimits
    eval_limits: BatchLimits
    train: Any
    eval_datasets: dict[str, Any] = field(default_factory=dict)
    load_epoch: int | None = None
    load: str | None = None
    random_seed: int = 42
    stop_on_nonfinite: bool = True
    log_every_seconds: float = 10.0

    @staticmethod
    def from_config(config: Config) -> RunOptions:
        """Read the options; a missing or wrong one is a ConfigError."""
        task = config.value("task", "train")
        if task not in TASKS:
            raise ConfigError(
                f"unknown task {task!r}",
                where=config.origin(None, "task"),
                expected=", ".join(TASKS),
                hint=did_you_mean(str(task), TASKS),
            )
        if task == "train" and "train" not in config:
            raise ConfigError("there is no training data", where=str(config.path), expected="train = {...}")
        batch_size = _limit(config, "batch_size", 5000)
        limits = _limits(config, batch_size)
        evaluated = {name: config[name] for name in ("dev", "eval") if config.get(name)}
        further = config.get("eval_datasets") or {}
        if not isinstance(further, Mapping):
            raise ConfigError("eval_datasets is a dict of datasets", where=config.origin(None, "eval_datasets"))
        return RunOptions(
            task=task,
            model=config.value("model", None),
            num_epochs=config.int("num_epochs", 5),
            save_interval=config.int("save_interval", 1),
            limits=limits,
            eval_limits=_limits(config, _limit(config, "eval_batch_size", batch_size)),
            train=config.get("train"),
            eval_datasets={**evaluated, **further},
            load_epoch=_optional_int(config, "load_epoch") or _optional_int(config, "epoch"),
            load=config.value("load", None),
            random_seed=config.int("random_seed", 42),
            stop_on_nonfinite=config.bool("stop_on_nonfinite_train_score", True),
        )


def _limits(config: Config, batch_size: Any) -> BatchLimits:
    max_seqs = _optional_int(config, "max_seqs")
    return BatchLimits(
        batch_size=batch_size,
        max_seqs=max_seqs,
        max_seq_length=_limit(config, "max_seq_length", None),
        min_seq_length=_limit(config, "min_seq_length", None),
    )


def _limit(config: Config, key: str, default: Any) -> Any:
    value = config.get(key, default)
    return int(value) if isinstance(value, str) and value.lstrip("-").isdigit() else value


def _optional_int(config: Config, key: str) -> int | None:
    return config.int(key, 0) if key in config else None
