"""Where values come from: inputs, parameters, constants, random draws; opaque calls and gradients."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.align import permute
from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.python_code.call import run_python_call
from returnn_ir.ir.python_call import PythonCall

__all__ = ["ROWS"]


def _input(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return call.env.feed.inputs[call.attrs["name"]]


def _train_step(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.cast(call.env.feed.step, tf.int64)


def _param(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return call.env.feed.params[call.attrs["name"]]


def _const(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    value = tf.constant(call.attrs["value"], call.attrs["dtype"])
    if value.shape.rank == len(call.dims):
        return value
    return tf.broadcast_to(value, call.env.shape(call.dims))  # one number for all entries


def _opaque(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """The callback sees its operands in the order of ``axes`` where that names one per operand; its result's axes of
    size one broadcast.
    """
    given = []
    for i, (x, axes) in enumerate(zip(operands, call.attrs["axes"], strict=True)):
        own = call.type(i).dims
        given.append(x if axes is None else permute(x, [own.index(dim) for dim in axes]))
    function = call.attrs["function"]
    if isinstance(function, PythonCall):
        result = run_python_call(function, given, len(call.dims), call.env.feed.step)
        result = tf.broadcast_to(result, call.env.shape(call.attrs["dims"]))
        result = permute(result, [call.attrs["dims"].index(dim) for dim in call.dims])
    else:
        result = tf.convert_to_tensor(function(*given))
    return tf.cast(result, call.attrs["dtype"])


def _print(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    edge = call.attrs["summarize"]
    with tf.control_dependencies([tf.print(call.attrs["title"], operands[0], summarize=-1 if edge is None else edge)]):
        return tf.identity(operands[0])


def _gradient(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    y, x = operands
    return tf.convert_to_tensor(tf.gradients(y, x, unconnected_gradients="zero")[0])


ROWS: dict[str, Row] = {
    "input": _input,
    "param": _param,
    "train_step": _train_step,
    "const": _const,
    "opaque": _opaque,
    "gradient": _gradient,
    "print": _print,
}
