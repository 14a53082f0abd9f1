"""Elementwise ops: operands are aligned already, broadcasting is NumPy's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import tensorflow as tf

from compiler.tensorflow.broadcasting import binary, where
from compiler.tensorflow.call import Call, Row, elementwise
from compiler.tensorflow.own_gradient import own_gradient

__all__ = ["ROWS"]


_true_division = binary("RealDiv", tf.divide)


def _div(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """True division; of integers the quotient cut off towards zero, and 0 for a division by zero."""
    a, b = operands
    if a.dtype.is_floating or a.dtype.is_complex:
        return cast(tf.Tensor, _true_division(call, operands))
    zero = tf.equal(b, 0)
    return tf.where(zero, tf.zeros_like(a), tf.truncatediv(a, tf.where(zero, tf.ones_like(b), b)))


def _pow(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    # a negative exponent of integers has no integer result, and the kernel refuses it
    return tf.pow(a, tf.maximum(b, 0) if a.dtype.is_integer else b)


def _of_float(function: Callable[[tf.Tensor], tf.Tensor], otherwise: bool) -> Row:
    """A test that only floats can pass or fail."""

    def row(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
        x = operands[0]
        return function(x) if x.dtype.is_floating else tf.fill(tf.shape(x), otherwise)

    return row


def _cast(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.cast(operands[0], call.attrs["dtype"])


def _scale_gradient(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    scale, shift = call.attrs["scale"], call.attrs["shift"]

    @own_gradient
    def scaled(x: tf.Tensor) -> tf.Tensor:
        def backward(upstream: tf.Tensor) -> tf.Tensor:
            return upstream * scale + shift

        return tf.identity(x), backward

    return scaled(operands[0])


def _filter_gradient(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    axes, limit = [call.axis(dim) for dim in call.attrs["dims"]], call.attrs["limit"]

    @own_gradient
    def filtered(x: tf.Tensor) -> tf.Tensor:
        def backward(upstream: tf.Tensor) -> tf.Tensor:
            small = tf.reduce_max(tf.square(upstream), axis=axes, keepdims=True) < limit
            return tf.where(small, upstream, tf.zeros_like(upstream))

        return tf.identity(x), backward

    return filtered(operands[0])


def _label_index(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """The numbers themselves, read from a table of them: on the CPU the kernel refuses one that is not there."""
    x = operands[0]
    index = x if x.dtype in (tf.int32, tf.int64) else tf.cast(x, tf.int32)
    return tf.cast(tf.gather(tf.range(call.attrs["labels"], dtype=index.dtype), index), x.dtype)


ROWS: dict[str, Row] = {
    "neg": elementwise(tf.negative),
    "abs": elementwise(tf.abs),
    "sign": elementwise(tf.sign),
    "exp": elementwise(tf.exp),
    "log": elementwise(tf.math.log),
    "log1p": elementwise(tf.math.log1p),
    "expm1": elementwise(tf.math.expm1),
    "sqrt": elementwise(tf.sqrt),
    "rsqrt": elementwise(tf.math.rsqrt),
    "sin": elementwise(tf.sin),
    "cos": elementwise(tf.cos),
    "tanh": elementwise(tf.tanh),
    "sigmoid": elementwise(tf.sigmoid),
    "softplus": elementwise(tf.nn.softplus),
    "erf": elementwise(tf.math.erf),
    "floor": elementwise(tf.floor),
    "ceil": elementwise(tf.math.ceil),
    "round": elementwise(tf.round),  # halves to even
    "is_finite": _of_float(tf.math.is_finite, True),
    "is_nan": _of_float(tf.math.is_nan, False),
    "logical_not": elementwise(tf.logical_not),
    "add": binary("AddV2", tf.add),
    "sub": binary("Sub", tf.subtract),
    "mul": binary("Mul", tf.multiply),
    "div": _div,
    "floordiv": elementwise(tf.math.floordiv),
    "mod": elementwise(tf.math.floormod),
    "pow": elementwise(_pow),
    "atan2": elementwise(tf.atan2),
    "complex": elementwise(tf.complex),
    "real": elementwise(tf.math.real),
    "imag": elementwise(tf.math.imag),
    "maximum": elementwise(tf.maximum),
    "minimum": elementwise(tf.minimum),
    "equal": elementwise(tf.equal),
    "not_equal": elementwise(tf.not_equal),
    "less": elementwise(tf.less),
    "less_equal": elementwise(tf.less_equal),
    "greater": elementwise(tf.greater),
    "greater_equal": elementwise(tf.greater_equal),
    "logical_and": elementwise(tf.logical_and),
    "logical_or": elementwise(tf.logical_or),
    "where": where,
    "stop_gradient": elementwise(tf.stop_gradient),
    "set_sparse": elementwise(tf.identity),
    "label_index": _label_index,
    "cast": _cast,
    "scale_gradient": _scale_gradient,
    "filter_gradient": _filter_gradient,
}
