"""One step of an LSTM behind the products that make its gates, in few and larger ops, with a hand-written backward.

On a GPU a step of a loop costs what starting its kernels costs. The four gates are taken apart once, each a whole array
of its own, so that a part of them is a view: one sigmoid for the three gates, and one product where two arrays have a
common factor. TensorFlow's own cell, ``LSTMBlockCell``, is no way: it makes the gates itself, of one product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from compiler.tensorflow.own_gradient import own_gradient

__all__ = ["lstm_cell"]

_sigmoid_grad: Callable[..., tf.Tensor] = tf.raw_ops.SigmoidGrad  # (y, dy): dy * y * (1 - y)
_tanh_grad: Callable[..., tf.Tensor] = tf.raw_ops.TanhGrad  # (y, dy): dy * (1 - y * y)


def lstm_cell(gates: tf.Tensor, c: tf.Tensor, *, differentiated: bool) -> Sequence[tf.Tensor]:
    """What an LSTM does with its gates.

    Args:
        gates: [B, 4n] before their activations: cell input j, input i, forget f, output o.
        c: [B, n] before the step.
        differentiated: whether the hand-written backward is needed. It is made of ops that have a gradient again.

    Returns:
        h and c [B, n] after the step.
    """
    return own_gradient(_with_backward)(gates, c) if differentiated else _with_backward(gates, c)[0]


def _with_backward(
    gates: tf.Tensor, c: tf.Tensor
) -> tuple[list[tf.Tensor], Callable[[tf.Tensor, tf.Tensor], Sequence[tf.Tensor]]]:
    units = c.shape[-1]
    apart = tf.transpose(tf.reshape(gates, [-1, 4, units]), [1, 0, 2])
    j, opened = tf.tanh(apart[0]), tf.sigmoid(apart[1:])
    let_through = tf.stack([j, c])  # by the gates i and f
    new, kept = tf.unstack(opened[:2] * let_through)
    following = kept + new
    squashed, o = tf.tanh(following), opened[2]

    def backward(dh: tf.Tensor, dc: tf.Tensor) -> Sequence[tf.Tensor]:
        dc = dc + _tanh_grad(y=squashed, dy=dh * o)
        dj, dc_before = tf.unstack(dc * opened[:2])
        di, df = tf.unstack(dc * let_through)
        di, df, do = tf.unstack(_sigmoid_grad(y=opened, dy=tf.stack([di, df, dh * squashed])))
        return tf.concat([_tanh_grad(y=j, dy=dj), di, df, do], axis=1), dc_before

    return [o * squashed, following], backward
