"""Reading along an axis at computed positions, possibly others for each sequence."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.align import permute, transpose_to
from compiler.tensorflow.environment import Environment
from compiler.tensorflow.sizes import sizes
from returnn_ir.ir.dims import UNIT, Dim

__all__ = ["clipped", "expand_to", "steps", "take_along"]


def steps(env: Environment, dim: Dim) -> tf.Tensor:
    """0, 1, 2, ... along a dim, int64."""
    return tf.range(tf.cast(env.extent(dim), tf.int64))


def clipped(positions: tf.Tensor, extent: int | tf.Tensor) -> tf.Tensor:
    """Positions outside of an axis moved to its nearest entry."""
    last = tf.cast(extent, positions.dtype) - 1
    return tf.maximum(tf.minimum(positions, last), 0)


def expand_to(env: Environment, x: tf.Tensor, own: Sequence[Dim], wanted: Sequence[Dim]) -> tf.Tensor:
    """``x`` transposed to the axes ``wanted`` and repeated along those that it lacks."""
    if list(own) == list(wanted):
        return x
    present = [dim if dim in own else UNIT for dim in wanted]
    aligned = transpose_to(x, own, present)
    return aligned if present == list(wanted) else tf.broadcast_to(aligned, env.shape(wanted))


def take_along(x: tf.Tensor, own: Sequence[Dim], dim: Dim, positions: tf.Tensor, varies: Sequence[Dim]) -> tf.Tensor:
    """Read ``x`` along ``dim``; positions outside of the axis read its nearest entry.

    Args:
        x: a tensor with the axes ``own``.
        own: ``dim`` and every dim of ``varies`` are among them.
        dim: the axis to read along.
        positions: integers with the axes ``varies`` and then the new one.
        varies: the dims that have positions of their own.

    Returns:
        The axes of ``x``, the new one in place of ``dim``.
    """
    at = list(own).index(dim)
    positions = clipped(positions, sizes(x)[at])
    if not varies:
        return tf.gather(x, positions, axis=at)
    batch = [list(own).index(d) for d in varies]
    order = [*batch, at, *(axis for axis in range(len(own)) if axis != at and axis not in batch)]
    taken = tf.gather(permute(x, order), positions, axis=len(batch), batch_dims=len(batch))
    return permute(taken, [order.index(axis) for axis in range(len(own))])
