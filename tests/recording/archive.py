"""The ``.npz`` of a case: reading, writing, and what it must hold. Nothing here needs RETURNN."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tests.recording.case import RecordError
from tests.recording.draw import Array

__all__ = ["problems", "read", "write"]

_META = {"case", "layers", "trainable", "versions"}
_LAYER = {"beam", "cls", "dtype", "feature_axis", "kinds", "sparse_dim", "time_axis"}
_KINDS = ("input", "param", "param_after", "output", "loss", "objective", "constraints", "grad", "meta")


def read(path: Path) -> dict[str, Array]:
    """All arrays of a recorded case.

    Raises:
        RecordError: there is no such file, or it is not an archive of arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, BadZipFile) as error:
        raise RecordError(f"{path} is not a recorded case: {error}") from error


def write(path: Path, arrays: Mapping[str, Array], *, compressed: bool = True) -> None:
    """Write a recorded case; an interrupted one leaves what was there.

    Args:
        compressed: takes minutes for a hundred million random parameters, and gains nothing there.

    Raises:
        RecordError: the arrays are not what the format asks for.
    """
    wrong = problems(arrays)
    if wrong:
        raise RecordError("; ".join(wrong))
    partial = path.with_suffix(".npz.partial")
    with partial.open("wb") as file:
        save = np.savez_compressed if compressed else np.savez
        save(file, allow_pickle=False, **arrays)
    partial.replace(path)


def problems(arrays: Mapping[str, Array]) -> list[str]:
    """What a recorded case lacks or has too much, by the format in ``tests/golden/README.md``."""
    if "meta" not in arrays:
        return ["no meta"]
    meta = json.loads(str(arrays["meta"]))
    lacking = sorted(_META - set(meta))
    if lacking:
        return [f"meta has no {', '.join(lacking)}"]
    unknown = [f"{key}: no such kind of array" for key in arrays if key.partition("/")[0] not in _KINDS]
    return [*unknown, *_parameters(arrays, meta), *_layers(arrays, meta), *_sizes(arrays), *_losses(arrays)]


def _parameters(arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> Iterator[str]:
    """What belongs to a parameter has its shape, and what is trained is there."""
    yield from (f"param/{name}: trained, but not there" for name in meta["trainable"] if f"param/{name}" not in arrays)
    for key, value in arrays.items():
        kind, _, name = key.partition("/")
        if kind in ("param_after", "grad"):
            param = arrays.get(f"param/{name}")
            if param is None or param.shape != value.shape:
                yield f"{key}: {value.shape}, param/{name} {'is not there' if param is None else param.shape}"


def _layers(arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> Iterator[str]:
    """Each output is described, and is what its description says."""
    for name, layer in meta["layers"].items():
        value = arrays.get(f"output/{name}")
        if set(layer) != _LAYER:
            yield f"meta/layers/{name}: {sorted(layer)}, expected {sorted(_LAYER)}"
        elif value is None:
            yield f"output/{name}: described, but not there"
        else:
            yield from _layer(f"output/{name}", value, layer)
    described = {f"output/{name}" for name in meta["layers"]}
    outputs = (key for key in arrays if key.startswith("output/") and not _belongs_to_output(key))
    yield from (f"{key}: not described" for key in outputs if key not in described)


def _belongs_to_output(key: str) -> bool:
    last = key.rpartition("/")[2]
    return last == "beam_scores" or (last.startswith("size") and last.removeprefix("size").isdigit())


def _layer(key: str, value: Array, layer: Mapping[str, Any]) -> Iterator[str]:
    if str(value.dtype) != layer["dtype"]:
        yield f"{key}: {value.dtype}, described as {layer['dtype']}"
    static = [int(k.partition(":")[2]) if k.startswith("static:") else None for k in layer["kinds"]]
    if len(static) != value.ndim or any(s not in (None, n) for s, n in zip(static, value.shape, strict=True)):
        yield f"{key}: shape {value.shape}, described as {layer['kinds']}"


def _sizes(arrays: Mapping[str, Array]) -> Iterator[str]:
    """Lengths are one number for each sequence, and none is longer than the axis."""
    for key, size in arrays.items():
        owner, _, last = key.rpartition("/")
        if owner in arrays and _belongs_to_output(key) and last != "beam_scores":
            axis = int(last.removeprefix("size"))
            shape = arrays[owner].shape
            if size.dtype.kind != "i" or size.ndim != 1:
                yield f"{key}: {size.dtype}{size.shape}, expected one integer for each sequence"
            elif axis >= len(shape) or np.max(size, initial=0) > shape[axis]:
                yield f"{key}: lengths up to {np.max(size, initial=0)} of an array of shape {shape}"


def _losses(arrays: Mapping[str, Array]) -> Iterator[str]:
    """Losses and the objective are single numbers; without an objective there are no losses and no gradients."""
    for key, value in arrays.items():
        if key.partition("/")[0] in ("loss", "objective", "constraints") and value.ndim:
            yield f"{key}: shape {value.shape}, expected one number"
        if key.partition("/")[0] in ("loss", "grad") and "objective" not in arrays:
            yield f"{key}: there is no objective"
