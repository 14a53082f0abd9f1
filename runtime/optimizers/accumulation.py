"""``accum_grad_multiple_step``: the sum of the gradients of several steps makes one update.

A buffer holds the sum since the last step whose number is a multiple of that of the steps; numbers go on from epoch to
epoch, and so does a sum. What else happens to a gradient happens to what is read from there, and is not kept.
"""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["accumulated", "is_last"]

Tensor: TypeAlias = Any  # TensorFlow has no type information
Variable: TypeAlias = Any


def accumulated(buffer: Variable, grad: Tensor, step: Tensor, sum_over: int) -> Tensor:
    """The sum with this step's gradient in it, dense.

    Args:
        grad: dense or as rows, of the buffer's shape.
        step: the global step before this one, int64 scalar.
    """
    import tensorflow as tf

    kept = tf.where(tf.equal(step % sum_over, 0), tf.zeros_like(buffer), buffer)
    return buffer.assign(kept + tf.convert_to_tensor(grad)).read_value()


def is_last(step: Tensor, sum_over: int) -> Tensor:
    """Whether this step makes the update, a bool scalar."""
    import tensorflow as tf

    return tf.equal(step % sum_over, sum_over - 1)
