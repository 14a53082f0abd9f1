"""Bringing tensors to axes: transposition, axes of size one, repetition."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import UNIT, Dim

__all__ = ["align", "insert_axes", "permute", "transpose_to"]


def permute(x: tf.Tensor, order: Sequence[int]) -> tf.Tensor:
    """Transpose, unless nothing moves."""
    return x if list(order) == sorted(order) else tf.transpose(x, list(order))


def insert_axes(x: tf.Tensor, present: Sequence[bool]) -> tf.Tensor:
    """Axes of size one wherever ``present`` is False; the others are those of ``x``, in order."""
    if all(present):
        return x
    for axis, there in enumerate(present):
        if not there:
            x = tf.expand_dims(x, axis)
    return x


def align(x: tf.Tensor, own: Sequence[Dim], wanted: Sequence[Dim]) -> tf.Tensor:
    """``x`` with the axes ``wanted``, of size one for those that it lacks.

    Args:
        x: a tensor with the axes ``own``.
        own: distinct dims, each of them wanted.
        wanted: the axes of the result.
    """
    missing = [dim for dim in own if dim not in wanted]
    if missing:
        raise IRError(f"cannot align axes {list(own)} to {list(wanted)}")
    order = [list(own).index(dim) for dim in wanted if dim in own]
    return insert_axes(permute(x, order), [dim in own for dim in wanted])


def transpose_to(x: tf.Tensor, own: Sequence[Dim], wanted: Sequence[Dim]) -> tf.Tensor:
    """``x`` with its axes in another order; both may have ``UNIT`` axes, any number of them."""
    if UNIT not in own and UNIT not in wanted:
        return permute(x, [list(own).index(dim) for dim in wanted])
    units = [axis for axis, dim in enumerate(own) if dim is UNIT]
    real = [dim for dim in own if dim is not UNIT]
    bare = tf.squeeze(x, units) if units else x
    moved = permute(bare, [real.index(dim) for dim in wanted if dim is not UNIT])
    return insert_axes(moved, [dim is not UNIT for dim in wanted])
