"""Gradients of elementwise ops, products and sums along axes that are known from the types.

TensorFlow finds out at run time what an operand was repeated along, to sum its gradient over that: seven ops for every
operand of unknown size, in every step of a loop. The IR has told us.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import tensorflow as tf

from compiler.tensorflow.call import Call, Row
from returnn_ir.ir.dims import UNIT, Dim

__all__ = ["binary", "product", "reduction_gradient", "where"]

#: Axes of a result: those that an operand lacks at the front, and those where its size is one.
_Repeated = tuple[tuple[int, ...], tuple[int, ...]]
#: From the op and the gradient of its result to the gradients of its inputs.
_Gradient = Callable[[tf.Operation, tf.Tensor], Sequence["tf.Tensor | None"]]


def binary(op_type: str, function: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> Row:
    """The row of an op of two operands.

    Args:
        op_type: a key of the gradients below.
        function: makes one TensorFlow op of that type.
    """

    def row(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
        x, y = operands
        if op_type == "Mul" and x is y:
            return tf.square(x)  # whose gradient is one product less, and no sum
        if not call.env.feed.differentiated:
            return function(x, y)
        with _override(op_type, _binary_gradient(op_type, *(_repeated(call, k) for k in range(2)))):
            return function(x, y)

    return row


def where(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """The row of the op that chooses between two operands."""
    condition, x, y = operands
    if not call.env.feed.differentiated:
        return tf.where(condition, x, y)
    with _override("SelectV2", _where_gradient(*(_repeated(call, k) for k in range(1, 3)))):
        return tf.where(condition, x, y)


def product(call: Call, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """A matrix product of operands with the same axes in front."""
    if not call.env.feed.differentiated:
        return tf.matmul(x, y)
    with _override("BatchMatMulV2", _product_gradient()):
        return tf.matmul(x, y)


def reduction_gradient(call: Call, kind: str, axes: Sequence[int]) -> AbstractContextManager[None]:
    """Where a reduction over axes is emitted; the gradient of a sum or a mean is repeated along them."""
    op_type = {"sum": "Sum", "mean": "Mean"}.get(kind)
    if op_type is None or not call.env.feed.differentiated:
        return contextlib.nullcontext()
    return _override(op_type, _reduction_gradient(op_type, tuple(sorted(axes))))


def _override(op_type: str, gradient: str) -> AbstractContextManager[None]:
    graph = tf.compat.v1.get_default_graph()
    found: AbstractContextManager[None] = graph.gradient_override_map({op_type: gradient})
    return found


def _repeated(call: Call, operand: int) -> _Repeated:
    """What an operand is repeated along; its axes are the last ones of the result, or UNIT in their place."""
    own: tuple[Dim, ...] = call.type(operand).dims
    missing = len(call.dims) - len(own)
    pairs = enumerate(zip(own, call.dims[missing:], strict=True), missing)
    return tuple(range(missing)), tuple(axis for axis, (a, b) in pairs if a is UNIT and b is not UNIT)


def _summed(gradient: tf.Tensor, repeated: _Repeated) -> tf.Tensor:
    """The gradient of an operand from that of its repetition.

    Of 16 bits too it is a sum in float32: TensorFlow's own stops at 2048 float16 ones, and its BiasAddGrad at 256 of
    bfloat16.
    """
    missing, units = repeated
    if not missing and not units:
        return gradient
    total = tf.cast(gradient, tf.float32) if gradient.dtype.size == 2 else gradient
    if units:
        total = tf.reduce_sum(total, axis=units, keepdims=True)
    return tf.cast(tf.reduce_sum(total, axis=missing) if missing else total, gradient.dtype)


def _registered(name: str, gradient: _Gradient) -> str:
    tf.RegisterGradient(name)(gradient)
    return name


@functools.cache
def _binary_gradient(op_type: str, x_repeated: _Repeated, y_repeated: _Repeated) -> str:
    function = _BINARY[op_type]

    def gradient(op: tf.Operation, upstream: tf.Tensor) -> Sequence[tf.Tensor | None]:
        dx, dy = function(op.inputs[0], op.inputs[1], op.outputs[0], tf.convert_to_tensor(upstream))
        dy = _summed(dy, y_repeated)
        return _summed(dx, x_repeated), -dy if op_type in _SUBTRACTING else dy

    return _registered(f"Broadcast{op_type}{x_repeated}{y_repeated}", gradient)


@functools.cache
def _product_gradient() -> str:
    def gradient(op: tf.Operation, upstream: tf.Tensor) -> Sequence[tf.Tensor | None]:
        x, y = op.inputs
        return tf.matmul(upstream, y, adjoint_b=True), tf.matmul(x, upstream, adjoint_a=True)

    return _registered("SharedProduct", gradient)


@functools.cache
def _where_gradient(x_repeated: _Repeated, y_repeated: _Repeated) -> str:
    def gradient(op: tf.Operation, upstream: tf.Tensor) -> Sequence[tf.Tensor | None]:
        zero = tf.zeros([], upstream.dtype)
        dx, dy = tf.where(op.inputs[0], upstream, zero), tf.where(op.inputs[0], zero, upstream)
        return None, _summed(dx, x_repeated), _summed(dy, y_repeated)

    return _registered(f"BroadcastWhere{x_repeated}{y_repeated}", gradient)


@functools.cache
def _reduction_gradient(kind: str, axes: tuple[int, ...]) -> str:
    def gradient(op: tf.Operation, upstream: tf.Tensor) -> Sequence[tf.Tensor | None]:
        x = op.inputs[0]
        if kind == "Mean":
            upstream = upstream / tf.cast(tf.size(x) // tf.size(upstream), upstream.dtype)
        for axis in axes:
            upstream = tf.expand_dims(upstream, axis)
        return tf.broadcast_to(upstream, tf.shape(x)), None

    return _registered(f"Repeat{kind}{axes}", gradient)


#: The gradient of the second operand is negated behind the sum, where it is smaller.
_SUBTRACTING = ("Sub", "RealDiv")

#: By TensorFlow's type of the op: operands, result and its gradient to the gradients of both operands, where these are
#: not repeated, and but for the sign.
_BINARY: dict[str, Callable[..., tuple[tf.Tensor, tf.Tensor]]] = {
    "AddV2": lambda x, y, z, dz: (dz, dz),
    "Sub": lambda x, y, z, dz: (dz, dz),
    "Mul": lambda x, y, z, dz: (dz * tf.math.conj(y), dz * tf.math.conj(x)),
    "RealDiv": lambda x, y, z, dz: (dz / tf.math.conj(y), dz * tf.math.conj(z / y)),
}
