"""Reductions over axes in memory; what is behind a sequence's end was made neutral before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from compiler.tensorflow.align import align, permute
from compiler.tensorflow.broadcasting import reduction_gradient
from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.sizes import product
from returnn_ir.ir.dims import Dim

__all__ = ["ROWS"]

_KINDS: dict[str, Callable[..., tf.Tensor]] = {
    "sum": tf.reduce_sum,
    "mean": tf.reduce_mean,
    "max": tf.reduce_max,
    "min": tf.reduce_min,
    "prod": tf.reduce_prod,
    "any": tf.reduce_any,
    "all": tf.reduce_all,
    "logsumexp": tf.reduce_logsumexp,
}


def _reduce(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    axes = [call.axis(dim) for dim in call.attrs["dims"]]
    if call.attrs["kind"] == "mean" and not all(dim.size for dim in call.attrs["dims"]):
        return _mean(call, operands[0], axes)
    if not axes:
        return operands[0]
    with reduction_gradient(call, call.attrs["kind"], axes):
        return _KINDS[call.attrs["kind"]](operands[0], axis=axes)


def _mean(call: Call, x: tf.Tensor, axes: Sequence[int]) -> tf.Tensor:
    """The mean of no entry is zero."""
    count = tf.cast(tf.maximum(product(call.env.shape(call.attrs["dims"])), 1), x.dtype)
    with reduction_gradient(call, "sum", axes):
        total = tf.reduce_sum(x, axis=axes)
    return total // count if x.dtype.is_integer else total / count


def _argmax(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.argmax(operands[0], axis=call.axis(call.attrs["dim"]), output_type=tf.int64)


def _argmin(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.argmin(operands[0], axis=call.axis(call.attrs["dim"]), output_type=tf.int64)


def _cumsum(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    axis = call.axis(call.attrs["dim"])
    return tf.cumsum(operands[0], axis=axis, exclusive=call.attrs["exclusive"], reverse=call.attrs["reverse"])


def _top_k(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    values, positions = tf.math.top_k(operands[0], k=call.env.extent(call.attrs["k"]), sorted=True)
    return values, tf.cast(positions, tf.int64)


def _argsort(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    direction = "DESCENDING" if call.attrs["descending"] else "ASCENDING"
    axis = call.axis(call.attrs["dim"])
    order = tf.argsort(operands[0], axis=axis, direction=direction, stable=True)
    ragged = call.attrs["ragged"] and call.attrs["dim"].is_dynamic
    vary = call.env.length_dims(call.attrs["dim"]) if ragged else ()
    return tf.cast(_valid_first(call, order, axis, vary) if vary else order, tf.int64)


def _valid_first(call: Call, order: tf.Tensor, axis: int, vary: Sequence[Dim]) -> tf.Tensor:
    """Positions behind a sequence's end moved behind the others, each part in the order that it has."""
    ends = align(call.env.lengths(call.attrs["dim"]), vary, call.dims)
    behind = tf.cast(tf.cast(order, tf.int64) >= ends, tf.int32)
    moved = tf.argsort(behind, axis=axis, stable=True)
    last = [*(i for i in range(len(call.dims)) if i != axis), axis]
    taken = tf.gather(permute(order, last), permute(moved, last), batch_dims=len(last) - 1, axis=-1)
    return permute(taken, [last.index(i) for i in range(len(last))])


ROWS: dict[str, Row] = {
    "reduce": _reduce,
    "argmax": _argmax,
    "argmin": _argmin,
    "cumsum": _cumsum,
    "top_k": _top_k,
    "argsort": _argsort,
}
