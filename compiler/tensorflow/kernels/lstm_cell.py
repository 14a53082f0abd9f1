"""One step of an LSTM behind the products that make its gates, for GPUs: there it costs what starting its ops costs.

Forward that is one sigmoid for the three gates. The backward is one op, the gradient of TensorFlow's ``LSTMBlockCell``,
which knows the activated gates only and leaves the products' gradients to others. The cell itself is no way forward: it
makes the gates, of one product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from compiler.tensorflow.own_gradient import own_gradient

__all__ = ["lstm_cell"]


def lstm_cell(gates: tf.Tensor, c: tf.Tensor, *, differentiated: bool) -> Sequence[tf.Tensor]:
    """What an LSTM does with its gates.

    Args:
        gates: [B, 4n] before their activations, in RETURNN's NativeLstm2 order: cell input j, input i, forget f,
            output o; float32, as the others.
        c: [B, n] before the step.
        differentiated: whether the hand-written backward is needed, which has no gradient itself.

    Returns:
        h and c [B, n] after the step.
    """
    return own_gradient(_with_backward)(gates, c) if differentiated else _with_backward(gates, c)[0]


def _with_backward(
    gates: tf.Tensor, c: tf.Tensor
) -> tuple[list[tf.Tensor], Callable[[tf.Tensor, tf.Tensor], Sequence[tf.Tensor]]]:
    """The states after the step; from their gradients to those of the gates and of c."""
    units = c.shape[-1]
    j, opened = tf.split(gates, [units, 3 * units], axis=1)
    j = tf.tanh(j)
    i, f, o = tf.split(tf.sigmoid(opened), 3, axis=1)
    following = f * c + i * j
    squashed = tf.tanh(following)

    def backward(dh: tf.Tensor, dc: tf.Tensor) -> Sequence[tf.Tensor]:
        found = tf.raw_ops.LSTMBlockCellGrad(
            **_unread(c),
            cs_prev=c,
            cs=following,
            i=i,
            f=f,
            o=o,
            ci=j,
            co=squashed,
            cs_grad=dc,
            h_grad=dh,
            use_peephole=False,
        )
        blocks = tf.reshape(found.dicfo, [-1, 4, units])  # i, j, f, o
        return tf.reshape(tf.gather(blocks, [1, 0, 2, 3], axis=1), [-1, 4 * units]), found.cs_prev_grad

    return [o * squashed, following], backward


def _unread(c: tf.Tensor) -> dict[str, tf.Tensor]:
    """Operands of which the op reads nothing but the shape: the cell's input, here of no features, and parameters.

    These are constants: what ``tf.zeros`` gives of a size like this, every step would fill anew.
    """
    units = c.shape[-1]
    bias, peephole = tf.constant(0.0, shape=[4 * units]), tf.constant(0.0, shape=[units])
    parameters = {"w": tf.constant(0.0, shape=[units, 4 * units]), "b": bias}
    return {"x": c[:, :0], "h_prev": c, "wci": peephole, "wcf": peephole, "wco": peephole, **parameters}
