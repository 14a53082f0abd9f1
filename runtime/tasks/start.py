"""Where a run begins: the checkpoint that it loads and the epoch of that, found as RETURNN does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from returnn_ir.config import Config
from returnn_ir.errors import ConfigError
from runtime.checkpoints.files import existing_checkpoints, latest_checkpoint
from runtime.learning_rate import LearningRateControl
from runtime.tasks.run_options import RunOptions

__all__ = ["Start", "find_checkpoint", "find_start"]


@dataclass(frozen=True)
class Start:
    """What a run loads.

    Attributes:
        epoch: of the checkpoint; a training goes on with the next one.
        checkpoint: None where a training starts from scratch, and where another task has nothing to load.
        resumed: the checkpoint is one of this training.
    """

    epoch: int = 0
    checkpoint: str | None = None
    resumed: bool = False


def find_start(config: Config, options: RunOptions) -> Start:
    """Where the run begins, without a complaint where there is no checkpoint.

    A training goes on from its own newest checkpoint; without one it takes the parameters of
    ``import_model_train_epoch1`` or goes on from ``load``, behind the epoch in the name of that.
    """
    if options.task != "train":
        found = _asked_checkpoint(options)
        return Start() if found is None else Start(options.load_epoch or _epoch_of(found), found)
    newest = latest_checkpoint(options.model) if options.model else None
    if options.load_epoch is not None and options.load is None:
        _require_epoch(config, options)
    if newest is not None:
        return Start(*newest, resumed=True)
    if options.import_model is not None:
        return Start(0, options.import_model)
    if options.load is not None:
        return Start(options.load_epoch or _epoch_of(options.load), options.load)
    return Start()


def find_checkpoint(config: Config, options: RunOptions, *, best: bool = False) -> str:
    """The checkpoint that the config asks for (``load``, ``load_epoch``), or the newest, or the best.

    Args:
        best: the one with the lowest watched score of those that are kept.

    Raises:
        ConfigError: there is none.
    """
    if best and options.model:
        epochs = existing_checkpoints(options.model)
        epoch = LearningRateControl.from_config(config).best_epoch(list(epochs))
        if epoch is not None:
            return epochs[epoch]
    found = _asked_checkpoint(options)
    if found is not None:
        return found
    if not options.model:
        raise ConfigError("the config names no model", where=str(config.path), expected="model = 'PATH' or load")
    if options.load_epoch is not None:
        _require_epoch(config, options)
    raise ConfigError(f"there is no checkpoint {options.model}.*", hint="train first, or set load")


def _asked_checkpoint(options: RunOptions) -> str | None:
    """``load``, else the one of ``load_epoch``, else the newest."""
    if options.load:
        return options.load
    if not options.model:
        return None
    if options.load_epoch is not None:
        return existing_checkpoints(options.model).get(options.load_epoch)
    newest = latest_checkpoint(options.model)
    return newest[1] if newest is not None else None


def _require_epoch(config: Config, options: RunOptions) -> None:
    epochs = existing_checkpoints(options.model) if options.model else {}
    if options.load_epoch not in epochs:
        raise ConfigError(
            f"there is no checkpoint {options.model}.{options.load_epoch:03d}",
            where=config.origin(None, "load_epoch" if "load_epoch" in config else "epoch"),
            expected=f"one of the epochs {', '.join(map(str, epochs))}" if epochs else "train first, or set load",
        )


def _epoch_of(prefix: str) -> int:
    """The epoch in a checkpoint's file name, behind a link in that of what it points to; 0 where there is none."""
    index = Path(f"{prefix}.index")
    while index.is_symlink():
        index = index.parent / index.readlink()
    match = re.match(r".*\.(\d+)", index.name.removesuffix(".index"))
    return int(match[1]) if match else 0
