"""Composites that TensorFlow has a fused kernel for; every other one expands to its body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from compiler.tensorflow import loss_kernels
from compiler.tensorflow.call import Call, Row, elementwise
from returnn_ir.graph import Node

__all__ = ["COMPOSITES", "Fused"]


def _always(node: Node) -> str | None:
    return None


@dataclass(frozen=True)
class Fused:
    """A kernel for a composite.

    Attributes:
        kernel: its name, for ``--explain``.
        row: emits it.
        refusal: why it does not fit a node, or None; asked before axes have an order.
    """

    kernel: str
    row: Row
    refusal: Callable[[Node], str | None] = _always


def _one_dim(node: Node) -> str | None:
    dims = node.attrs["dims"]
    return None if len(dims) == 1 else f"the kernel works over one dim, not over {len(dims)}"


def _along(function: Callable[..., tf.Tensor]) -> Row:
    return lambda call, operands: function(operands[0], axis=call.axis(call.attrs["dims"][0]))


def _lstm_refusal(node: Node) -> str | None:
    x = node.operands[0].type
    if len(x.dims) != 3:
        return f"the kernel takes frames of rank 3 (time, batch, feature), not of rank {len(x.dims)}"
    return None if x.dtype == "float32" else f"the kernel computes in float32, not in {x.dtype}"


def _lstm(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    from compiler.tensorflow.kernels.lstm import lstm

    x, w, w_re, bias, h0, c0 = operands
    batch = call.type().dims[1]
    lengths = call.frame.lengths(call.attrs["dim"], (batch,))
    lengths = tf.broadcast_to(lengths, [call.frame.extent(batch)])
    results: Sequence[tf.Tensor] = lstm(x, w, w_re, bias, lengths, h0, c0, reverse=call.attrs["reverse"])
    return results


#: By op name. Kernels whose meaning is the body's, gradients included.
COMPOSITES: dict[str, Fused] = {
    "relu": Fused("Relu", elementwise(tf.nn.relu)),
    "silu": Fused("SiLU", elementwise(tf.nn.silu)),
    "elu": Fused("Elu", elementwise(tf.nn.elu)),
    "selu": Fused("Selu", elementwise(tf.nn.selu)),
    "softsign": Fused("Softsign", elementwise(tf.nn.softsign)),
    "log_sigmoid": Fused("Softplus", elementwise(tf.math.log_sigmoid)),
    "gelu": Fused("Gelu", elementwise(tf.nn.gelu)),
    "softmax": Fused("Softmax", _along(tf.nn.softmax), _one_dim),
    "log_softmax": Fused("LogSoftmax", _along(tf.nn.log_softmax), _one_dim),
    "softmax_cross_entropy": Fused("SparseSoftmaxCrossEntropyWithLogits", loss_kernels.cross_entropy),
    "ctc_loss": Fused("CTCLoss", loss_kernels.ctc, loss_kernels.ctc_refusal),
    "ctc_beam_decode": Fused("CTCBeamSearchDecoder", loss_kernels.beam_decode, loss_kernels.beam_decode_refusal),
    "edit_distance": Fused("EditDistance", loss_kernels.edit_distance),
    "lstm": Fused("lstm", _lstm, _lstm_refusal),
}
