"""Reading and writing entries by position."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.align import permute
from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.gather import clipped, expand_to
from compiler.tensorflow.sizes import product, sizes

__all__ = ["ROWS"]


def _index(x: tf.Tensor) -> tf.Tensor:
    """An element type that kernels index by."""
    return x if x.dtype in (tf.int32, tf.int64) else tf.cast(x, tf.int32)


def _gather(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """Values [shared, dim, rest] at indices [shared, new]."""
    values, indices = operands[0], _index(operands[1])
    at = call.axis(call.attrs["dim"])
    return tf.gather(values, clipped(indices, sizes(values)[at]), axis=at, batch_dims=at)


def _scatter_add(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """Values [own, other, dims] at indices [kept, dims], to [kept, other, out]: one flat sum by segments."""
    values, indices = operands[0], tf.cast(operands[1], tf.int64)
    dims, env = tuple(call.attrs["dims"]), call.env
    kept = tuple(d for d in call.type(1).dims if d not in dims)
    other = tuple(d for d in call.type(0).dims if d not in dims and d not in kept)
    wide = expand_to(env, values, call.type(0).dims, (*kept, *dims, *other))
    out = env.extent(call.attrs["out"])
    rows, positions = product(env.shape(kept)), product(env.shape(dims))
    flat = tf.reshape(indices, [rows, positions])
    size = tf.cast(out, tf.int64)
    row = tf.range(tf.cast(rows, tf.int64))[:, tf.newaxis]
    # unsorted_segment_sum drops negative segments
    segments = tf.where((flat >= 0) & (flat < size), flat + row * size, -1)
    entries = tf.reshape(wide, [rows * positions, product(env.shape(other))])
    summed = tf.math.unsorted_segment_sum(entries, tf.reshape(segments, [-1]), rows * out)
    shaped = tf.reshape(summed, [*env.shape(kept), out, *env.shape(other)])
    first, last = len(kept), len(kept) + len(other)
    return permute(shaped, [*range(first), *range(first + 1, last + 1), first])


def _masked_select(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """Values [dims, rest] where the mask [dims] holds."""
    return tf.boolean_mask(operands[0], operands[1])


def _search_sorted(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """Sorted [shared, dim], values [shared, rest]."""
    edges, values = operands
    shared = len(call.type(0).dims) - 1
    rows = product(call.env.shape(call.type(0).dims[:-1]))
    rest = product(call.env.shape(call.type(1).dims[shared:]))
    flat = tf.reshape(values, [rows, rest])
    ordered = tf.reshape(edges, [rows, call.env.extent(call.attrs["dim"])])
    found = tf.searchsorted(ordered, flat, side=call.attrs["side"], out_type=tf.int64)
    return tf.reshape(found, tf.shape(values))


ROWS: dict[str, Row] = {
    "gather": _gather,
    "scatter_add": _scatter_add,
    "masked_select": _masked_select,
    "search_sorted": _search_sorted,
}
