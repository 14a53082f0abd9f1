"""Numbers of a case: inputs and parameters, the same at every recording. Nothing here needs RETURNN."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tests.recording.case import Case, RecordError, sequence_lengths

__all__ = ["Array", "Axis", "Input", "draw_inputs", "draw_param"]

Array = NDArray[Any]
Axis = int | Literal["batch", "dynamic"]

#: Labels of data that are integers but not sparse, where the case gives no range.
_INTEGERS = 5


@dataclass(frozen=True)
class Input:
    """A data key of a network.

    Attributes:
        axes: a static axis by its size.
        sparse_dim: the number of labels, None where the data are no labels.
    """

    key: str
    dtype: str
    axes: tuple[Axis, ...]
    sparse_dim: int | None = None


def draw_param(random: np.random.RandomState, name: str, shape: tuple[int, ...], scale: float) -> Array:
    """A parameter's value: normal around zero, in float32 before it is scaled; variances are positive."""
    value = np.asarray(random.normal(0.0, 1.0, shape), np.float32) * np.float32(scale)
    return np.asarray(np.float32(0.5) + np.abs(value) if "variance" in name else value)


def draw_inputs(random: np.random.RandomState, case: Case, inputs: Iterable[Input]) -> dict[str, Array]:
    """``input/KEY`` and ``input/KEY/sizeA`` of all data keys, drawn in the order of their names.

    Values stand behind the end of short sequences, too: what reads them is found out.

    Raises:
        RecordError: an explicit input, or explicit lengths, of another shape.
    """
    arrays: dict[str, Array] = {}
    for data in sorted(inputs, key=lambda data: data.key):
        sizes = {a: sequence_lengths(case, data.key, a) for a, kind in enumerate(data.axes) if kind == "dynamic"}
        shape = tuple(_extent(kind, case.batch, sizes.get(a, [])) for a, kind in enumerate(data.axes))
        for axis, lengths in sizes.items():
            arrays[f"input/{data.key}/size{axis}"] = np.array(lengths, np.int32)
        if data.key in case.inputs:
            arrays[f"input/{data.key}"] = _explicit(case, data, shape)
        else:
            arrays[f"input/{data.key}"] = _drawn(random, case, data, shape)
    return arrays


def _extent(kind: Axis, batch: int, lengths: list[int]) -> int:
    if isinstance(kind, int):
        return kind
    return batch if kind == "batch" else max(lengths)


def _explicit(case: Case, data: Input, shape: tuple[int, ...]) -> Array:
    value = np.asarray(case.inputs[data.key], data.dtype)
    if value.shape != shape:
        raise RecordError(f"case: inputs of {data.key!r} have the shape {value.shape}, expected {shape}")
    return value


def _drawn(random: np.random.RandomState, case: Case, data: Input, shape: tuple[int, ...]) -> Array:
    dtype = np.dtype("object" if data.dtype == "string" else data.dtype)
    if dtype.kind == "f":
        return random.normal(0.0, 1.0, shape).astype(dtype)
    if dtype.kind == "b":
        return random.randint(0, 2, shape).astype(dtype)
    if dtype.kind not in "iu":
        raise RecordError(f"data {data.key!r} of dtype {data.dtype} are not drawn; give them as inputs of the case")
    low, high = (case.int_range or {}).get(data.key, (0, data.sparse_dim or _INTEGERS))
    return random.randint(low, high, shape).astype(dtype)
