"""Axes cut, padded, turned round and cut into windows."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.align import align
from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.gather import expand_to, steps, take_along
from returnn_ir.ir.dims import Dim

__all__ = ["CUT_ROWS"]


def _around(x: tf.Tensor, axis: int, left: int | tf.Tensor, right: int | tf.Tensor) -> list[list[int | tf.Tensor]]:
    """The paddings of ``tf.pad`` that change one axis only."""
    return [[left, right] if i == axis else [0, 0] for i in range(len(x.shape))]


def _pad(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    x, dim, attrs = operands[0], call.attrs["dim"], call.attrs
    vary = call.env.length_dims(dim) if attrs["ragged"] else ()
    if attrs["mode"] != "constant":
        return _pad_by_position(call, x, vary)
    value = tf.cast(attrs["value"], x.dtype)
    padded = tf.pad(x, _around(x, call.axis(dim), attrs["left"], attrs["right"]), constant_values=value)
    if not vary:
        return padded
    end = call.env.lengths(dim, vary)[..., tf.newaxis] + attrs["left"]
    inside = tf.range(tf.shape(padded, out_type=tf.int64)[call.axis(dim)]) < end
    return tf.where(align(inside, (*vary, attrs["out"]), call.dims), padded, value)


def _pad_by_position(call: Call, x: tf.Tensor, vary: Sequence[Dim]) -> tf.Tensor:
    """Reflected, mirrored or repeated entries: each position of the result reads one of the operand."""
    dim, mode = call.attrs["dim"], call.attrs["mode"]
    left, right = call.attrs["left"], call.attrs["right"]
    extent = tf.shape(x, out_type=tf.int64)[call.axis(dim)]
    size = call.env.lengths(dim, vary)[..., tf.newaxis] if vary else extent
    position = tf.range(extent + left + right) - left
    if vary:
        position = tf.broadcast_to(position, [*call.env.shape(vary), tf.shape(position)[0]])
    if mode == "replicate":
        source = tf.minimum(tf.maximum(position, 0), size - 1)
    else:
        # reflect does not repeat the border entry, symmetric does
        border = 0 if mode == "reflect" else 1
        folded = tf.where(position < 0, -position - border, position)
        source = tf.where(folded >= size, 2 * (size - 1) + border - folded, folded)
    taken = take_along(x, call.type().dims, dim, source, vary)
    if not vary:
        return taken
    inside = align(position < size + right, (*vary, call.attrs["out"]), call.dims)
    return tf.where(inside, taken, tf.zeros([], x.dtype))


def _slice(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    cut = slice(call.attrs["start"], call.attrs["end"], call.attrs["step"])
    return operands[0][(slice(None),) * call.axis(call.attrs["dim"]) + (cut,)]


def _sections(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    sizes = [out.size for out in call.attrs["outs"]]
    parts: list[tf.Tensor] = tf.split(
        operands[0], len(sizes) if len(set(sizes)) == 1 else sizes, axis=call.axis(call.attrs["dim"])
    )
    return parts


def _resize_axis(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    x, axis = operands[0], call.axis(call.attrs["dim"])
    wanted = call.env.extent(call.attrs["out"])
    kept = x[(slice(None),) * axis + (slice(0, wanted),)]
    return tf.pad(kept, _around(x, axis, 0, wanted - tf.shape(kept)[axis]))


def _reverse(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    dim, env = call.attrs["dim"], call.env
    x = expand_to(env, operands[0], call.type().dims, call.dims)
    axis = call.dims.index(dim)
    if not call.attrs["ragged"]:
        return tf.reverse(x, [axis])
    vary = env.length_dims(dim)
    lengths = env.lengths(dim)
    if len(vary) == 1:
        return tf.reverse_sequence(x, lengths, seq_axis=axis, batch_axis=call.dims.index(vary[0]))
    index = steps(env, dim)
    ends = lengths[..., tf.newaxis]
    return take_along(x, call.dims, dim, tf.where(index < ends, ends - 1 - index, index), vary)


def _window(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    x, attrs, env = operands[0], call.attrs, call.env
    axis = call.axis(attrs["dim"])
    starts = steps(env, attrs["out"]) * attrs["stride"] - attrs["left"]
    position = starts[:, tf.newaxis] + steps(env, attrs["window"]) * attrs["dilation"]
    extent = tf.shape(x, out_type=tf.int64)[axis]
    # one entry of zeros in front and one behind stand for everything outside
    padded = tf.pad(x, _around(x, axis, 1, 1))
    return tf.gather(padded, tf.maximum(tf.minimum(position, extent), -1) + 1, axis=axis)


CUT_ROWS: dict[str, Row] = {
    "pad": _pad,
    "slice": _slice,
    "sections": _sections,
    "resize_axis": _resize_axis,
    "reverse": _reverse,
    "window": _window,
}
