"""Reductions over axes in memory; what is behind a sequence's end was made neutral before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from compiler.tensorflow.call import Call, Row

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
    return _KINDS[call.attrs["kind"]](operands[0], axis=axes) if axes else operands[0]


def _argmax(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.argmax(operands[0], axis=call.axis(call.attrs["dim"]), output_type=tf.int64)


def _argmin(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.argmin(operands[0], axis=call.axis(call.attrs["dim"]), output_type=tf.int64)


def _cumsum(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    axis = call.axis(call.attrs["dim"])
    return tf.cumsum(operands[0], axis=axis, exclusive=call.attrs["exclusive"], reverse=call.attrs["reverse"])


def _top_k(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    values, positions = tf.math.top_k(operands[0], k=call.frame.extent(call.attrs["k"]), sorted=True)
    return values, tf.cast(positions, tf.int64)


def _argsort(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    direction = "DESCENDING" if call.attrs["descending"] else "ASCENDING"
    axis = call.axis(call.attrs["dim"])
    return tf.cast(tf.argsort(operands[0], axis=axis, direction=direction, stable=True), tf.int64)


ROWS: dict[str, Row] = {
    "reduce": _reduce,
    "argmax": _argmax,
    "argmin": _argmin,
    "cumsum": _cumsum,
    "top_k": _top_k,
    "argsort": _argsort,
}
