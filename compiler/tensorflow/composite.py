"""Composites that TensorFlow has a fused kernel for; every other one expands to its body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from compiler.tensorflow import loss_kernels, recurrent
from compiler.tensorflow.align import permute
from compiler.tensorflow.attention import attention_row, why_not_attention
from compiler.tensorflow.call import Call, Row, elementwise
from compiler.tensorflow.device import Device
from compiler.tensorflow.own_gradient import own_gradient
from compiler.tensorflow.sizes import over_last_axis, reshape, sizes
from returnn_ir.ir.graph import Node, Region
from returnn_ir.ir.types import summed_dtype

__all__ = ["COMPOSITES", "Fused"]


def _always(node: Node, region: Region) -> str | None:
    return None


@dataclass(frozen=True)
class Fused:
    """A kernel for a composite.

    Attributes:
        kernel: its name, for ``--explain``.
        row: emits it.
        refusal: why it does not fit a node, or None; asked before axes have an order.
        fewer_ops: all that it has over the composite's parts is that it is fewer ops.
    """

    kernel: str
    row: Row
    refusal: Callable[[Node, Region], str | None] = _always
    fewer_ops: bool = False

    def why_not(self, node: Node, region: Region, device: Device) -> str | None:
        """Why the kernel does not take the place of a node in a program for a device, or None."""
        refusal = device.why_not_fewer_ops if self.fewer_ops else None
        return refusal or self.refusal(node, region)


def _one_dim(node: Node, region: Region) -> str | None:
    dims = node.attrs["dims"]
    return None if len(dims) == 1 else f"the kernel works over one dim, not over {len(dims)}"


def _along(function: Callable[..., tf.Tensor]) -> Row:
    def row(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
        axis, rank = call.axis(call.attrs["dims"][0]), len(call.dims)
        # TensorFlow finds out at run time how to bring another axis to the end, and back
        last = [*(k for k in range(rank) if k != axis), axis]
        return permute(over_last_axis(function, permute(operands[0], last)), [last.index(k) for k in range(rank)])

    return row


def _float32(node: Node, region: Region) -> str | None:
    dtype = node.operands[0].dtype
    return None if dtype == "float32" else f"the kernel computes in float32, not in {dtype}"


def _float32_or_less(node: Node, region: Region) -> str | None:
    dtype = node.operands[0].dtype
    fits = summed_dtype(dtype) == "float32"
    return None if fits else f"the kernel computes in float32, and takes what fits into that, not {dtype}"


def _silu(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """With a gradient of five ops, which computes the sigmoid again; that of ``tf.nn.silu`` has eight."""
    (x,) = operands
    if not call.kernel_options["differentiated"]:
        return x * tf.sigmoid(x)

    @own_gradient
    def run(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def backward(dy: tf.Tensor) -> tf.Tensor:
            with tf.control_dependencies([dy]):  # behind the forward pass, whose sigmoid is gone by then
                gate = tf.sigmoid(x)
            return dy * gate + tf.raw_ops.SigmoidGrad(y=gate, dy=dy * x)

        return x * tf.sigmoid(x), backward

    return run(x)


def _layer_norm(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    from compiler.tensorflow.kernels.layer_norm import layer_norm

    x, (scale, bias) = operands[0], (tf.cast(v, tf.float32) for v in operands[1:])
    rows = tf.reshape(x, [-1, call.attrs["dim"].size])
    y = layer_norm(rows, scale, bias, epsilon=call.attrs["epsilon"], **call.kernel_options)
    return reshape(y, sizes(x))


def _l2_penalty(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """TensorFlow's loss is half of the sum; it keeps no squares, and its gradient is one product."""
    return tf.nn.l2_loss(operands[0]) * tf.constant(2.0 * call.attrs["factor"], operands[0].dtype)


def _rfft(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    size = call.attrs["size"]  # TensorFlow's derivative needs the samples that are cut off to be gone before
    return tf.signal.rfft(operands[0][..., :size], [size])


def _irfft(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.signal.irfft(operands[0], [call.attrs["out"].size])


#: By op name. Kernels whose meaning is the body's, gradients included.
COMPOSITES: dict[str, Fused] = {
    "relu": Fused("Relu", elementwise(tf.nn.relu)),
    "silu": Fused("SiLU", _silu),
    "elu": Fused("Elu", elementwise(tf.nn.elu)),
    "selu": Fused("Selu", elementwise(tf.nn.selu)),
    "softsign": Fused("Softsign", elementwise(tf.nn.softsign)),
    "log_sigmoid": Fused("Softplus", elementwise(tf.math.log_sigmoid)),
    "gelu": Fused("Gelu", elementwise(tf.nn.gelu)),
    "softmax": Fused("Softmax", _along(tf.nn.softmax), _one_dim),
    "log_softmax": Fused("LogSoftmax", _along(tf.nn.log_softmax), _one_dim),
    "softmax_cross_entropy": Fused("SparseSoftmaxCrossEntropyWithLogits", loss_kernels.cross_entropy),
    "soft_cross_entropy": Fused("SoftmaxCrossEntropyWithLogits", loss_kernels.soft_cross_entropy),
    "ctc_loss": Fused("CTCLoss", loss_kernels.ctc, loss_kernels.ctc_refusal),
    "ctc_beam_decode": Fused("CTCBeamSearchDecoder", loss_kernels.beam_decode, loss_kernels.beam_decode_refusal),
    "edit_distance": Fused("EditDistance", loss_kernels.edit_distance),
    "l2_penalty": Fused("L2Loss", _l2_penalty),
    "layer_norm": Fused("layer_norm", _layer_norm, _float32_or_less),
    "attention": Fused("attention", attention_row, why_not_attention),
    "gru": Fused("gru", recurrent.gru, _float32),
    "lstm": Fused("lstm", recurrent.lstm, _float32),
    "lstm_cell": Fused("LSTMBlockCellGrad", recurrent.lstm_cell, recurrent.why_not_lstm_cell, fewer_ops=True),
    "rfft": Fused("RFFT", _rfft),
    "irfft": Fused("IRFFT", _irfft),
}
