"""The recurrent composites: cuDNN's kernel where the device has one that does the same, else the loops of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from compiler.tensorflow.call import Call
from compiler.tensorflow.device import Device
from compiler.tensorflow.sizes import reshape, sizes
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region
from returnn_ir.ir.op import Trait

__all__ = ["CUDNN_KERNELS", "blstm", "gru", "lstm", "lstm_cell", "why_not_cudnn", "why_not_lstm_cell"]

#: What cuDNN computes, by op name, and how ``--explain`` calls it.
CUDNN_KERNELS = {"lstm": "cuDNN", "blstm": "cuDNN, both directions at once"}


def why_not_cudnn(node: Node, region: Region, device: Device) -> str | None:
    """Why cuDNN does not compute an ``lstm`` or ``blstm``, or None if it does. No pass gives it a new reason."""
    if device.why_not_cudnn is not None:
        return device.why_not_cudnn
    dtype = node.operands[0].dtype
    if dtype not in ("float32", "float16"):  # TensorFlow declares bfloat16, too; which GPUs have it is not known here
        return f"its kernel computes in float32 or float16 here, not in {dtype}"
    if region.parent is not None:
        return "in a loop or a branch TensorFlow would have to keep its scratch memory for every step"
    if any(other.op.has(Trait.DERIVATIVE) for other in region.program().body.walk()):
        return "the network has gradients of its own, and its kernel cannot be differentiated twice"
    return None


@dataclass(frozen=True)
class _OneBatch:
    """The axes of sequences [time, *rest, feature] as kernels want them: one batch axis, made of ``rest``.

    Attributes:
        lengths: [product of rest].
    """

    call: Call
    rest: tuple[Dim, ...]
    lengths: tf.Tensor

    @staticmethod
    def of(call: Call) -> _OneBatch:
        """Of a node whose first operand is [time, *rest, feature]."""
        rest = call.type().dims[1:-1]
        if call.env.length_dims(call.attrs["dim"]) == rest and len(rest) == 1:
            return _OneBatch(call, rest, call.env.lengths(call.attrs["dim"]))
        lengths = call.env.lengths(call.attrs["dim"], rest)
        return _OneBatch(call, rest, tf.reshape(tf.broadcast_to(lengths, call.env.shape(rest)), [-1]))

    def merged(self, x: tf.Tensor, front: int) -> tf.Tensor:
        """``rest`` as one axis, behind ``front`` others."""
        if len(self.rest) == 1:
            return x
        shape, rows = tf.shape(x), tf.shape(self.lengths)
        return tf.ensure_shape(
            tf.reshape(x, tf.concat([shape[:front], rows, shape[-1:]], 0)), [None] * (front + 1) + [x.shape[-1]]
        )

    def apart(self, y: tf.Tensor, dims: Sequence[Dim]) -> tf.Tensor:
        """With the axes ``dims`` again."""
        return y if len(self.rest) == 1 else tf.reshape(y, self.call.env.shape(dims))


def lstm(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    """The row of ``lstm``."""
    from compiler.tensorflow.kernels.lstm import lstm as kernel

    reverse = call.attrs["reverse"]
    if why_not_cudnn(call.node, call.env.region, call.env.feed.device) is None:
        return _by_cudnn(call, operands, reverse=reverse)
    x, w, w_re, bias, h0, c0 = operands
    batch = _OneBatch.of(call)
    h0, c0 = (batch.merged(state, 0) for state in (h0, c0))
    x, lengths = batch.merged(x, 1), batch.lengths
    results = kernel(x, w, w_re, bias, lengths, h0, c0, reverse=reverse, **call.kernel_options)
    return [batch.apart(y, value.dims) for y, value in zip(results, call.node.results, strict=True)]


def blstm(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    """The row of ``blstm``, which only cuDNN has a kernel for."""
    return _by_cudnn(call, operands, reverse=False)


def _by_cudnn(call: Call, operands: Sequence[tf.Tensor], *, reverse: bool) -> Sequence[tf.Tensor]:
    """x, then w, w_re, bias, h0, c0 of each direction; the outputs of each direction, then the last h and c of each."""
    from compiler.tensorflow.kernels.cudnn_lstm import Direction, cudnn_lstm, faster_as_one

    x, *rest = operands
    batch = _OneBatch.of(call)
    directions = [
        Direction(*rest[at : at + 3], *(batch.merged(state, 0) for state in rest[at + 3 : at + 5]))
        for at in range(0, len(rest), 5)
    ]
    options = {
        "reverse": reverse,
        "as_one": len(directions) == 2 and faster_as_one(call.attrs["out_dim"].size),
        "differentiated": call.env.feed.differentiated,
    }
    found = cudnn_lstm(batch.merged(x, 1), directions, batch.lengths, **options)
    results = [*(y for y, _, _ in found), *(state for _, *states in found for state in states)]
    return [batch.apart(y, value.dims) for y, value in zip(results, call.node.results, strict=True)]


def gru(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    """The row of ``gru``, which is not the one that cuDNN has: RETURNN's resets before the product."""
    from compiler.tensorflow.kernels.gru import gru as kernel

    x, w, w_re, bias, wc, wc_re, bias_c, h0 = operands
    batch = _OneBatch.of(call)
    x, h0 = batch.merged(x, 1), batch.merged(h0, 0)
    options = {**call.kernel_options, "reverse": call.attrs["reverse"], "at_once": call.env.feed.device.steps_at_once}
    results = kernel(x, w, w_re, bias, wc, wc_re, bias_c, batch.lengths, h0, **options)
    return [batch.apart(y, value.dims) for y, value in zip(results, call.node.results, strict=True)]


def why_not_lstm_cell(node: Node, region: Region) -> str | None:
    """Why the kernel does not compute an ``lstm_cell``, or None if it does."""
    dtypes = dict.fromkeys(v.dtype for v in node.operands)
    if list(dtypes) != ["float32"]:
        return f"the kernel computes in float32, not in {', '.join(dtypes)}"
    if not region.params:
        return "outside of a loop it is one step"
    if any(other.op.has(Trait.DERIVATIVE) for other in region.program().body.walk()):
        return "the network has gradients of its own, and the kernel cannot be differentiated twice"
    return None


def lstm_cell(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    """The row of ``lstm_cell``: gates [*rest, 4n] and state [*rest, n]."""
    from compiler.tensorflow.kernels.lstm_cell import lstm_cell as kernel

    gates, c = operands
    differentiated = call.env.feed.differentiated
    if len(c.shape) == 2:
        return kernel(gates, c, differentiated=differentiated)
    rows = kernel(*(tf.reshape(x, [-1, x.shape[-1]]) for x in operands), differentiated=differentiated)
    return [reshape(x, sizes(c)) for x in rows]
