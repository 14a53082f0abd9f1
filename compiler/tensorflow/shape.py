"""Axes: renamed, repeated, joined, counted."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.align import align, transpose_to
from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.cut import CUT_ROWS
from compiler.tensorflow.gather import expand_to, steps, take_along
from compiler.tensorflow.sizes import product, reshape, sizes
from returnn_ir.ir.dims import Dim

__all__ = ["ROWS"]


def _rename(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    for old, new in call.attrs["dims"]:
        call.env.rename(old, new)
    return operands[0]


def _expand(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    x, new = operands[0], call.attrs["dims"]
    return tf.broadcast_to(x, [*call.env.shape(new), *sizes(x)])


def _squeeze(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    axis = call.axis(call.attrs["dim"])
    if operands[0].shape[axis] == 1:
        return tf.squeeze(operands[0], [axis])
    return tf.gather(operands[0], 0, axis=axis)


def _merge(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    x, dims = operands[0], call.attrs["dims"]
    own, at = sizes(x), call.axis(dims[0])
    return reshape(x, [*own[:at], own[at : at + len(dims)], *own[at + len(dims) :]])


def _split(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    x, outs = operands[0], tuple(call.attrs["outs"])
    own, at = sizes(x), call.axis(call.attrs["dim"])
    parts = call.env.shape([dim for dim in outs if dim.size is not None])
    unknown = [dim for dim in outs if dim.size is None]
    if len(unknown) == 1:
        parts.insert(outs.index(unknown[0]), own[at] // product(parts))
    else:
        parts = call.env.shape(outs)
    return reshape(x, [*own[:at], *parts, *own[at + 1 :]])


def _concat(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    dims, out = call.attrs["dims"], call.attrs["out"]
    if call.attrs["ragged"] and any(call.env.length_dims(dim) for dim in dims):
        return _concat_ragged(call, operands)
    wide = []
    for i, (x, dim) in enumerate(zip(operands, dims, strict=True)):
        axes = [dim if d is out else d for d in call.dims]
        wide.append(expand_to(call.env, x, call.type(i).dims, axes))
    return tf.concat(wide, axis=call.dims.index(out))


def _concat_ragged(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """Each operand's valid frames directly behind the previous operand's; zeros behind the last."""
    env, out = call.env, call.attrs["out"]
    vary = tuple(dict.fromkeys(d for dim in call.attrs["dims"] for d in env.length_dims(dim)))
    index = steps(env, out)
    offset = tf.zeros([1] * (len(vary) + 1), tf.int64)
    result: tf.Tensor | None = None
    for i, (x, dim) in enumerate(zip(operands, call.attrs["dims"], strict=True)):
        length = env.lengths(dim, vary)[..., tf.newaxis]
        position = index - offset
        inside = (position >= 0) & (position < length)
        axes = [dim if d is out else d for d in call.dims]
        wide = expand_to(env, x, call.type(i).dims, axes)
        # an operand without any frame still needs one to read
        spare = [[0, 1 if d is dim else 0] for d in axes]
        position = tf.broadcast_to(position, [*env.shape(vary), env.extent(out)])
        taken = take_along(tf.pad(wide, spare), axes, dim, position, vary)
        held = align(tf.broadcast_to(inside, tf.shape(position)), (*vary, out), call.dims)
        result = tf.where(held, taken, tf.zeros([], x.dtype) if result is None else result)
        offset = offset + length
    return result


def _iota(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.cast(tf.range(call.env.extent(call.attrs["dim"])), call.attrs["dtype"])


def _length(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return call.env.lengths(call.attrs["dim"], call.dims)


def _extent(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.cast(call.env.extent(call.attrs["dim"]), tf.int64)


def _mask(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    dim: Dim = call.attrs["dim"]
    lengths = call.env.lengths(dim, call.dims[:-1])
    return steps(call.env, dim) < tf.expand_dims(lengths, -1)


def _size_of(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.shape(operands[0], out_type=tf.int64)[call.axis(call.attrs["dim"])]


def _transpose(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return transpose_to(operands[0], call.type().dims, call.dims)


ROWS: dict[str, Row] = {
    "rename": _rename,
    "expand": _expand,
    "squeeze": _squeeze,
    "merge": _merge,
    "split": _split,
    "concat": _concat,
    "iota": _iota,
    "length": _length,
    "extent": _extent,
    "mask": _mask,
    "size_of": _size_of,
    "transpose": _transpose,
    **CUT_ROWS,
}
