"""Entries in front of an axis and behind it.

onnxruntime's ``Pad`` has no kernel for integers on CUDA: around them a block is concatenated. It is made outside of
loops where its sizes are known there, and unlike a number of float64 it holds every integer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from returnn_ir.ir.dims import Dim
from returnn_ir.ir.types import TensorType, is_integer

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__ = ["appended", "padded"]


def padded(
    e: Emitter, x: tuple[str, TensorType], dim: Dim, left: str, right: str, value: bool | float | None = 0
) -> str:
    """Entries ``value`` around an axis; their numbers are vectors of one, not below zero."""
    values, type_ = x
    if not is_integer(type_.dtype):
        return e.pad(values, type_.dtype, len(type_.dims), type_.axis(dim), left, right, value)
    before, behind = ([] if _is_zero(e, count) else [_block(e, x, dim, count, value)] for count in (left, right))
    return e.concat([*before, values, *behind], type_.axis(dim))


def appended(e: Emitter, x: tuple[str, TensorType], dim: Dim, count: str, value: bool | float | None = 0) -> str:
    """Entries ``value`` behind an axis."""
    return padded(e, x, dim, e.ints(0), count, value)


def _is_zero(e: Emitter, count: str) -> bool:
    held = e.initializers.get(count)
    return held is not None and not held.any()


def _block(e: Emitter, x: tuple[str, TensorType], dim: Dim, count: str, value: bool | float | None) -> str:
    """So many entries ``value`` of an axis, the other axes as they are."""
    values, type_ = x
    sides = [count if d is dim else _side(e, values, i, d) for i, d in enumerate(type_.dims)]
    return e.block(value, type_.dtype, sides)


def _side(e: Emitter, values: str, axis: int, dim: Dim) -> str:
    """The extent of an axis, asked as far outside as something has it."""
    if dim.size is None and not e.is_live(e.axis_of(dim)):
        return e.axis_extent(values, axis)
    return e.extent(dim)
