"""Attention with a hand-written backward that keeps the weights and nothing else of their size, but a bit for dropout.

Vaswani et al. (arXiv:1706.03762). The gradient of the softmax needs, per query, the sum of weights times their
gradients: that is the product of the result and its gradient (Dao et al., arXiv:2205.14135, section 3.1), which has no
axis of keys. Written out, TensorFlow keeps the weights before and after dropout and masks, and passes over arrays of
their size some ten times more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from compiler.tensorflow.own_gradient import own_gradient
from compiler.tensorflow.sizes import over_last_axis

__all__ = ["Addend", "attention", "drop_threshold"]


@dataclass(frozen=True)
class Addend:
    """What is added to the energies.

    Attributes:
        x: [..., rows, keys], of size one along axes that it is repeated along.
        repeated: these axes; None: it is constant, and has no gradient.
    """

    x: tf.Tensor
    repeated: tuple[int, ...] | None


def attention(
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    addends: Sequence[Addend],
    kept: tf.Tensor | None,
    *,
    differentiated: bool,
) -> tf.Tensor:
    """The sum of values by weights, [..., rows, values].

    Args:
        query: [..., rows, features], scaled.
        key: [..., keys, features].
        value: [..., keys, values], scaled up where dropout takes weights away.
        addends: to the energies.
        kept: bool, the weights that dropout leaves, [..., rows, keys], or of size one along some axes.
        differentiated: whether the hand-written backward is needed.
    """

    def forward(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, *added: tf.Tensor) -> Sequence[tf.Tensor]:
        energies = tf.matmul(query, key, transpose_b=True)
        for x in added:
            energies = energies + x
        weights = over_last_axis(tf.nn.softmax, energies)
        return tf.matmul(_dropped(weights, kept), value), weights

    terms = [addend.x for addend in addends]
    if not differentiated:
        return forward(query, key, value, *terms)[0]

    @own_gradient
    def run(
        query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, *added: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], Sequence[tf.Tensor | None]]]:
        result, weights = forward(query, key, value, *added)

        def backward(upstream: tf.Tensor) -> Sequence[tf.Tensor | None]:
            of_value = tf.matmul(_dropped(weights, kept), upstream, transpose_a=True)
            of_weights = _dropped(tf.matmul(upstream, value, transpose_b=True), kept)
            mean = tf.reduce_sum(upstream * result, -1, keepdims=True)
            of_energies = weights * (of_weights - mean)
            of_query = tf.matmul(of_energies, key)
            of_key = tf.matmul(of_energies, query, transpose_a=True)
            return of_query, of_key, of_value, *(_summed(of_energies, addend) for addend in addends)

        return result, backward

    found: tf.Tensor = run(query, key, value, *terms)
    return found


def _dropped(weights: tf.Tensor, kept: tf.Tensor | None) -> tf.Tensor:
    return weights if kept is None else weights * tf.cast(kept, weights.dtype)


def _summed(gradient: tf.Tensor, addend: Addend) -> tf.Tensor | None:
    if addend.repeated is None:
        return None
    return tf.reduce_sum(gradient, addend.repeated, keepdims=True) if addend.repeated else gradient


def drop_threshold(kept: float) -> float:
    """The least number of those that are drawn, multiples of 2^-23, whose sum with ``kept`` is not below 1 in float32.

    >>> drop_threshold(0.75)
    0.25
    """
    share, unit = np.float32(kept), np.float32(2.0**-23)
    least = int(np.floor((1.0 - float(share)) / float(unit)))
    around = np.arange(max(least - 4, 0), least + 5).astype(np.float32) * unit
    return float(around[np.add(around, share) >= 1][0])
