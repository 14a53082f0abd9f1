"""Checkpoints in TensorFlow's format, under RETURNN's file and variable names.

``MODEL.003.index``, ``MODEL.003.data-00000-of-00001``  epoch 3 (``MODEL.pretrain.003`` in pretraining): every saveable
variable and ``global_step``, which is what RETURNN writes and reads.
``MODEL.003.broken``, ``MODEL.003.crash_12``  what was left of an epoch whose score was not finite, or that ended in an
error in its step 12. Nothing resumes from them.
``MODEL.003.optimizer.*``  what else a training needs to go on as if nothing had happened: the optimizer's slots, under
RETURNN's names for them. RETURNN by default drops these, so they have a file of their own; the newest two are kept.

Every file is written under a temporary name and renamed, the index last: a checkpoint either has a complete index or
does not exist. The training state is written first, so a checkpoint that exists has its training state.
"""

from __future__ import annotations

import glob
import itertools
import os
import platform
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from compiler.checkpoint.reader import CheckpointReader
from returnn_ir.errors import DataError

__all__ = [
    "GLOBAL_STEP",
    "checkpoint_prefix",
    "delete_checkpoint",
    "existing_checkpoints",
    "restore_optimizer",
    "restore_variables",
    "save_checkpoint",
    "save_model",
    "save_remains",
]

Variable: TypeAlias = Any  # TensorFlow has no type information

GLOBAL_STEP = "global_step"
"""The variable (int64 scalar) that counts training steps."""

_OPTIMIZER = ".optimizer"
_SAVING = ".saving"
_KEEP_OPTIMIZER_STATES = 2
_DATA = ".data-00000-of-00001"
_UNFINISHED: set[str] = set()  # what this process is writing
_COUNT = itertools.count()


def checkpoint_prefix(model: str, epoch: int, *, pretrain: bool = False) -> str:
    """``MODEL.003`` or ``MODEL.pretrain.003``."""
    return f"{model}{'.pretrain' if pretrain else ''}.{epoch:03d}"


def existing_checkpoints(model: str, last: int | None = None) -> dict[int, str]:
    """Epoch to prefix, by epoch from 1; the one of the final training wins over one of pretraining.

    Args:
        last: later epochs are left out; None: there is no last epoch.
    """
    return {epoch: prefix for epoch, prefix in _existing(model, "").items() if last is None or epoch <= last}


def save_checkpoint(
    model: str,
    epoch: int,
    variables: Mapping[str, Variable],
    optimizer: Mapping[str, Variable] | None = None,
    *,
    pretrain: bool = False,
) -> str:
    """Write the checkpoint of ``epoch`` atomically and return its prefix.

    Args:
        model: path up to the epoch, as in the config.
        epoch: from 1.
        variables: ``tf.Variable`` objects, tensors or arrays by name, with :data:`GLOBAL_STEP` among them.
        optimizer: the optimizer's state; without it, a resumed training starts with a fresh one.
        pretrain: whether this is an epoch of pretraining.
    """
    if GLOBAL_STEP not in variables:
        raise ValueError(f"a checkpoint needs {GLOBAL_STEP!r}")
    prefix = checkpoint_prefix(model, epoch, pretrain=pretrain)
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    if optimizer:
        _write(prefix + _OPTIMIZER, {**optimizer, GLOBAL_STEP: variables[GLOBAL_STEP]})
    # RETURNN's option `load` looks for this file, but never reads it.
    Path(f"{prefix}.meta").touch()
    _write(prefix, variables)
    states = _existing(model, _OPTIMIZER)
    for old in sorted(states)[:-_KEEP_OPTIMIZER_STATES]:
        if old < epoch:
            delete_checkpoint(states[old])
    return prefix


def save_remains(prefix: str, kind: str, variables: Mapping[str, Variable]) -> str:
    """Write what is there when a training ends within an epoch, as RETURNN does for whoever looks for the reason.

    Args:
        prefix: of the epoch's checkpoint.
        kind: ``broken``, or ``crash_STEP``.
        variables: as for :func:`save_checkpoint`.
    """
    name = f"{prefix}.{kind}"
    save_model(name, variables)
    return name


def save_model(prefix: str, variables: Mapping[str, Variable]) -> None:
    """Write variables as a checkpoint of that very name, which is of no epoch."""
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    Path(f"{prefix}.meta").touch()
    _write(prefix, variables)


def restore_variables(prefix: str, variables: Mapping[str, Variable]) -> list[str]:
    """Assign the checkpoint's values to ``variables``; returns the names in the checkpoint that nothing asked for.

    Raises:
        DataError: the checkpoint is missing or broken, lacks a variable or has another shape or type for it (several
            problems at once as :class:`ProblemList`).
    """
    reader = CheckpointReader.open(prefix)
    values = reader.read_matching({name: tuple(variable.shape.as_list()) for name, variable in variables.items()})
    for name, variable in variables.items():
        if values[name].dtype != variable.dtype.as_numpy_dtype:
            raise DataError(
                f"variable {name!r} has another type in the checkpoint",
                where=prefix,
                expected=variable.dtype.name,
                received=values[name].dtype,
            )
    for name, variable in variables.items():
        variable.assign(values[name])
    return sorted(set(reader.names()) - set(variables))


def restore_optimizer(prefix: str, state: Mapping[str, Variable], optional: Collection[str] = ()) -> str | None:
    """Assign the optimizer's state that was saved with the checkpoint ``prefix``.

    Where there is none, or it is that of another optimizer, network or step, ``state`` keeps its initial values as in
    RETURNN, and the reason is returned for the log. None: everything was restored, but for what is ``optional``.
    """
    path = prefix + _OPTIMIZER
    if not state:
        return None
    if not Path(f"{path}.index").is_file():
        return f"{prefix} has no optimizer state beside it"
    reader = CheckpointReader.open(path)
    entries = reader.entries
    if reader.read(GLOBAL_STEP) != CheckpointReader.open(prefix).read(GLOBAL_STEP):
        return f"{path} is of another training step"
    state = {name: variable for name, variable in state.items() if name in entries or name not in optional}
    missing = sorted(set(state) - set(entries))
    if missing:
        return f"{path} is of another optimizer or network: it has no {missing[0]!r}"
    for name, variable in state.items():
        if entries[name].shape != tuple(variable.shape.as_list()):
            return f"{path} is of another network: {name!r} has shape {list(entries[name].shape)}"
    restore_variables(path, state)
    return None


def delete_checkpoint(prefix: str) -> int:
    """Remove all files of the checkpoint, its optimizer state and its remains; returns the number of bytes."""
    folder, base = Path(prefix).parent, re.escape(Path(prefix).name)
    pattern = re.compile(base + r"(?:\.optimizer|\.broken|\.crash_\d+)?\.(?:(index)|meta|data-\d{5}-of-\d{5})")
    found = [(match, path) for path in folder.iterdir() if (match := pattern.fullmatch(path.name)) and path.is_file()]
    # The indices go first: without it the rest is no checkpoint, should the deletion be interrupted.
    ordered = sorted(found, key=lambda pair: (pair[0][1] is None, pair[1].name))
    count = sum(path.stat().st_size for _, path in ordered)
    for _, path in ordered:
        path.unlink()
    return count


def _existing(model: str, suffix: str) -> dict[int, str]:
    folder, base = Path(model).parent, Path(model).name
    if not folder.is_dir():
        return {}
    pattern = re.compile(re.escape(base) + r"(\.pretrain)?\.(\d{3,})" + re.escape(suffix) + r"(\.index)?")
    found: dict[int, str] = {}
    for path in folder.iterdir():
        match = pattern.fullmatch(path.name)
        # A file without an ending is a checkpoint in TensorFlow's first format: a training must not pass over it.
        if (
            match
            and int(match[2])
            and (match[3] or path.is_file())
            and (match[1] is None or int(match[2]) not in found)
        ):
            found[int(match[2])] = str(path).removesuffix(".index")
    return dict(sorted(found.items()))


def _write(prefix: str, values: Mapping[str, Variable]) -> None:
    import tensorflow as tf

    _remove_leftovers(prefix)
    with _temporary(prefix) as temporary:
        names = sorted(values)
        tf.raw_ops.SaveV2(
            prefix=os.fspath(Path(temporary).absolute()),
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[tf.convert_to_tensor(values[name]) for name in names],
        )
        for ending in (_DATA, ".index"):
            _flush(Path(temporary + ending))
        own = Path(temporary + _DATA).stat()
        # An old index must not point into the new data, not even for a moment.
        Path(f"{prefix}.index").unlink(missing_ok=True)
        Path(temporary + _DATA).replace(prefix + _DATA)
        if not os.path.samestat(own, Path(prefix + _DATA).stat()):
            Path(f"{temporary}.index").unlink()
            raise DataError(
                f"another process writes the checkpoint {prefix}",
                hint="another model for one of the two trainings; the checkpoint is the other one's",
            )
        Path(f"{temporary}.index").replace(f"{prefix}.index")
        _flush(Path(prefix).parent)


@contextmanager
def _temporary(prefix: str) -> Iterator[str]:
    """The name under which this process writes a checkpoint until it is whole; no other process has it."""
    name = f"{prefix}{_SAVING}-{platform.node()}-{os.getpid()}-{next(_COUNT)}"
    _UNFINISHED.add(name)
    try:
        yield name
    finally:
        _UNFINISHED.discard(name)


def _remove_leftovers(prefix: str) -> None:
    """Remove what runs on this machine left that were killed while they saved."""
    pattern = re.compile(rf"(.*{re.escape(_SAVING)}-{re.escape(platform.node())}-(\d+)-\d+)\..*")
    for path in Path(prefix).parent.glob(glob.escape(Path(prefix).name) + f"{_SAVING}-*"):
        match = pattern.fullmatch(str(path))
        if match and match[1] not in _UNFINISHED and (int(match[2]) == os.getpid() or not _is_alive(int(match[2]))):
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _flush(path: Path) -> None:
    """Make sure that the file (or the names in the folder) is on disk."""
    if os.name != "posix" and path.is_dir():
        return  # other systems cannot open folders
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
