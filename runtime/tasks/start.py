"""Where a run begins: what it loads and the epoch that it goes on behind, found as RETURNN does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from returnn_ir.config import Config
from returnn_ir.config.read import read_config
from returnn_ir.errors import ConfigError, DataError
from returnn_ir.network.net import Net
from returnn_ir.options import Described, Form, Key, Range
from runtime.checkpoints.files import existing_checkpoints
from runtime.checkpoints.importers import layer_importers
from runtime.checkpoints.loading import Loading
from runtime.checkpoints.preload import preloads_of
from runtime.learning_rate import LearningRateControl
from runtime.tasks.run_options import RunOptions

__all__ = ["Start", "find_checkpoint", "find_start", "own_checkpoint", "require_checkpoint"]


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's options that only the start looks at."""

    start_epoch: Annotated[
        Annotated[int, Range(1)] | None,
        Form(lambda given: None if given == "auto" else given),
        Described("'auto', or an epoch from 1"),
    ] = None
    ignore_missing: Annotated[bool, Key("load_ignore_missing_vars")] = False
    random_model: Annotated[bool, Key("allow_random_model_init")] = False


@dataclass(frozen=True)
class Start:
    """What a run begins with.

    Attributes:
        epoch: of the checkpoint; a training goes on with the next one.
        loading: the files that give parameters their values.
        first: a training that goes on behind no epoch: entries of ``preload_from_files`` for its beginning are used.
        notes: what somebody who knows RETURNN, or expects something else, should be told.
    """

    epoch: int = 0
    loading: Loading = field(default_factory=Loading)
    first: bool = False
    notes: tuple[str, ...] = ()

    @property
    def checkpoint(self) -> str | None:
        """None where a training starts from scratch, and where another task has nothing to load."""
        return self.loading.checkpoint

    @property
    def resumed(self) -> bool:
        """The checkpoint is one of this training."""
        return self.loading.resumed

    def loading_of(self, net: Net) -> Loading:
        """What is loaded into the parameters of a network, whose layers may take values in their own way.

        Raises:
            ProblemList: options of such layers that are wrong.
        """
        return replace(self.loading, importers=layer_importers(net))


def find_start(config: Config, options: RunOptions) -> Start:
    """Where the run begins, without a complaint where there is no checkpoint.

    A training goes on from its own newest checkpoint; without one it takes the parameters of
    ``import_model_train_epoch1`` or goes on from ``load``, behind the epoch in the name of that. With ``start_epoch``
    it starts there, from ``load`` if that is given.

    Raises:
        UserError: what is wrong in the options; an epoch that is asked for and not there.
    """
    keys = read_config(_Keys, config)
    own, notes = _own_checkpoints(options)
    if options.task != "train":
        start = _start_without_training(options, own)
    elif keys.start_epoch is None:
        start = _start_of_training(config, options, own)
    else:
        start = _start_at_epoch(config, options, own, keys.start_epoch)
    given = preloads_of(config)
    preloads = tuple(p for p in given if p.is_used(options.task, first=start.first))
    loading = replace(start.loading, preloads=preloads, ignore_missing=keys.ignore_missing)
    others = [repr(p.name) for p in given if start.first and not p.options.init_for_train]
    if others:
        notes = (*notes, f"preload_from_files: not for a training, without init_for_train: {', '.join(others)}")
    return replace(start, loading=loading, notes=(*notes, *start.notes))


def require_checkpoint(config: Config, options: RunOptions, start: Start) -> None:
    """What a task that does not train begins with is there: a checkpoint, unless ``allow_random_model_init``.

    Raises:
        ConfigError: it is not.
    """
    if start.checkpoint is None and not read_config(_Keys, config).random_model:
        raise _no_checkpoint(config, options)


def find_checkpoint(config: Config, options: RunOptions, *, best: bool = False) -> str:
    """The checkpoint that the config asks for (``load``, ``load_epoch``), or the newest, or the best.

    Args:
        best: the one with the lowest watched score of those that are kept.

    Raises:
        ConfigError: there is none.
    """
    own, _ = _own_checkpoints(options)
    if best and own:
        epoch = LearningRateControl.from_config(config).best_epoch(list(own))
        if epoch is not None:
            return own[epoch]
    found = _start_without_training(options, own).checkpoint
    if found is None:
        raise _no_checkpoint(config, options)
    return found


def own_checkpoint(options: RunOptions, epoch: int) -> str:
    """The model's checkpoint of an epoch.

    Raises:
        DataError: there is none.
    """
    own, _ = _own_checkpoints(options)
    if epoch not in own:
        raise DataError(
            f"there is no checkpoint of epoch {epoch}, to which use_last_best_model goes back",
            where=options.model,
            expected=f"one of the epochs {_list(list(own))}",
            hint="save_interval = 1, and no cleanup_old_models that deletes the best epochs",
        )
    return own[epoch]


def _own_checkpoints(options: RunOptions) -> tuple[dict[int, str], tuple[str, ...]]:
    """The model's checkpoints by epoch up to the last one, as RETURNN looks for them, and what to say of the others."""
    found = existing_checkpoints(options.model) if options.model else {}
    later = [epoch for epoch in found if options.num_epochs is not None and epoch > options.num_epochs]
    note = f"checkpoints of later epochs than num_epochs = {options.num_epochs} are ignored: {_list(later)}"
    return {epoch: found[epoch] for epoch in found if epoch not in later}, (note,) if later else ()


def _start_without_training(options: RunOptions, own: Mapping[int, str]) -> Start:
    """``load``, else the one of ``load_epoch``, else the newest."""
    if options.load is not None:
        return Start(options.load_epoch or _epoch_of(options.load), Loading(options.load))
    epoch = options.load_epoch if options.load_epoch is not None else max(own, default=0)
    return Start(epoch, Loading(own[epoch])) if epoch in own else Start()


def _start_of_training(config: Config, options: RunOptions, own: Mapping[int, str]) -> Start:
    if options.load_epoch is not None and options.load is None:
        _require_epoch(config, options, own, options.load_epoch, "load_epoch")
    if own:
        newest = max(own)
        return Start(newest, Loading(own[newest], resumed=True))
    if options.import_model is not None:
        return Start(0, Loading(options.import_model), first=True)
    if options.load is not None:
        epoch = options.load_epoch or _epoch_of(options.load)
        return Start(epoch, Loading(options.load), first=epoch == 0)
    return Start(first=True)


def _start_at_epoch(config: Config, options: RunOptions, own: Mapping[int, str], epoch: int) -> Start:
    """A training with an explicit ``start_epoch``. In RETURNN it is the epoch only with an own checkpoint before it."""
    in_returnn = (f"training starts at start_epoch = {epoch}, in RETURNN at 1",) if epoch > 1 else ()
    if options.load is not None:
        return Start(epoch - 1, Loading(options.load), True, in_returnn)
    if options.load_epoch is not None:
        checkpoint = _require_epoch(config, options, own, options.load_epoch, "load_epoch")
        if epoch == 1:
            return Start(0, Loading(checkpoint), True)
        _require_epoch_before(config, epoch, options.load_epoch)
    if own and epoch > 1:
        checkpoint = _require_epoch(config, options, own, epoch - 1, "start_epoch")
        later = [e for e in own if e >= epoch]
        note = f"epochs that have a checkpoint are trained again, because of start_epoch: {_list(later)}"
        return Start(epoch - 1, Loading(checkpoint, resumed=True), notes=(note,) if later else ())
    if own:
        note = f"epochs that have a checkpoint are trained again, because of start_epoch: {_list(list(own))}"
        return Start(0, first=True, notes=(note,))
    if options.import_model is not None and epoch == 1:
        return Start(0, Loading(options.import_model), True)
    unused = ("import_model_train_epoch1 is not used, since start_epoch is not 1",) if options.import_model else ()
    return Start(epoch - 1, first=True, notes=(*in_returnn, *unused))


def _require_epoch_before(config: Config, start: int, loaded: int) -> None:
    """A training that goes on from its own checkpoint goes on behind it."""
    if loaded != start - 1:
        raise ConfigError(
            f"start_epoch = {start} does not follow load_epoch = {loaded}",
            where=config.origin(None, "load_epoch"),
            expected=start - 1,
            received=loaded,
            hint="load, or import_model_train_epoch1, for a new training from a model",
        )


def _require_epoch(config: Config, options: RunOptions, own: Mapping[int, str], epoch: int, key: str) -> str:
    if epoch in own:
        return own[epoch]
    raise ConfigError(
        f"there is no checkpoint {options.model}.{epoch:03d}",
        where=config.origin(None, "epoch" if key == "load_epoch" and key not in config else key),
        expected=f"one of the epochs {_list(list(own))}" if own else "train first, or set load",
    )


def _no_checkpoint(config: Config, options: RunOptions) -> ConfigError:
    own, notes = _own_checkpoints(options)
    if not options.model:
        return ConfigError("the config names no model", where=str(config.path), expected="model = 'PATH' or load")
    if options.load_epoch is not None:
        try:
            _require_epoch(config, options, own, options.load_epoch, "load_epoch")
        except ConfigError as error:
            return error
    hint = "load_epoch, or a higher num_epochs" if notes else "train first, or set load"
    return ConfigError(f"there is no checkpoint {options.model}.*", received=notes[0] if notes else None, hint=hint)


def _list(epochs: list[int]) -> str:
    return ", ".join(map(str, epochs))


def _epoch_of(prefix: str) -> int:
    """The epoch in a checkpoint's file name, behind a link in that of what it points to; 0 where there is none."""
    index = Path(f"{prefix}.index")
    while index.is_symlink():
        index = index.parent / index.readlink()
    match = re.match(r".*\.(\d+)", index.name.removesuffix(".index"))
    return int(match[1]) if match else 0
