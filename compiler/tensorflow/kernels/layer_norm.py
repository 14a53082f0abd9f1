"""Layer normalization with a hand-written backward, traced once for all layers of the same size.

Ba, Kiros & Hinton (arXiv:1607.06450). TensorFlow's own gradient of the written-out form is some sixty ops, and as many
passes over memory, for each of the dozens of norms in a Transformer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from compiler.tensorflow.kernels.traced import TracedKernels
from compiler.tensorflow.own_gradient import own_gradient

__all__ = ["layer_norm"]


def layer_norm(
    x: tf.Tensor, scale: tf.Tensor, bias: tf.Tensor, *, epsilon: float, kernels: TracedKernels, differentiated: bool
) -> tf.Tensor:
    """Every row with mean 0 and variance 1, then scaled and shifted.

    Args:
        x: [rows, n], float32, or 16 bits, and so is the result; it is computed in float32.
        scale: [n].
        bias: [n].
        epsilon: is added to the variance.
        kernels: of the TensorFlow graph.
        differentiated: whether the hand-written backward is needed.
    """
    if not differentiated:
        return kernels.call(_forward, x, scale, bias, epsilon=epsilon)[0]

    @own_gradient
    def run(
        x: tf.Tensor, scale: tf.Tensor, bias: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], Sequence[tf.Tensor]]]:
        y, normed, deviation = kernels.call(_forward, x, scale, bias, epsilon=epsilon)
        return y, lambda dy: kernels.call(_backward, scale, normed, deviation, dy)

    y: tf.Tensor = run(x, scale, bias)
    return y


def _forward(x: tf.Tensor, scale: tf.Tensor, bias: tf.Tensor, *, epsilon: float) -> Sequence[tf.Tensor]:
    """y, the normalized rows, and 1 / their standard deviation [rows, 1]."""
    wide = tf.cast(x, tf.float32)
    centred = wide - tf.reduce_mean(wide, axis=1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axis=1, keepdims=True)
    deviation = tf.math.rsqrt(variance + epsilon)
    normed = centred * deviation
    return tf.cast(normed * scale + bias, x.dtype), normed, deviation


def _backward(scale: tf.Tensor, normed: tf.Tensor, deviation: tf.Tensor, dy: tf.Tensor) -> Sequence[tf.Tensor]:
    """Gradients of x, scale and bias."""
    wide = tf.cast(dy, tf.float32)
    products = wide * normed
    # Means over a row of what is scaled are products with the scale: the scaled rows are not written for them.
    # A sum over rows as a product is twice as fast as TensorFlow's sum over the first axis.
    weights, ones = tf.reshape(scale / tf.cast(tf.size(scale), tf.float32), [-1, 1]), tf.ones_like(deviation)
    mean, share = (tf.matmul(part, weights) for part in (wide, products))
    dx = deviation * (wide * scale - mean - normed * share)
    sums = [tf.reshape(tf.matmul(ones, part, transpose_a=True), [-1]) for part in (products, wide)]
    return tf.cast(dx, dy.dtype), *sums
