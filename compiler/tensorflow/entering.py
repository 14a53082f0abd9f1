"""Values on their way into a loop's body or a branch.

TensorFlow's arithmetic optimizer makes one product of equal summands (``x + 1 + x``) and lets the new constant wait for
the op that x comes from. Where x has just entered a body or a branch, that op is a ``Switch``, and what is waited for
is its first output, which is dead inside of the body: neither the sum nor what depends on it is ever computed, and the
result is an empty tensor, without a word (TensorFlow 2.21; also ``(x + 1) + (x + 2)`` and ``x[0:] + x``). An op that
gives on its operand as it is, and that the optimizer leaves alone, keeps the two apart.
"""

from __future__ import annotations

import tensorflow as tf

__all__ = ["entering"]


def entering(x: tf.Tensor) -> tf.Tensor:
    """``x`` as a tensor of the graph that is being built."""
    return tf.ensure_shape(x, x.shape)
