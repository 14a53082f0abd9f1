"""Which step a loop is at, and what it reads and writes there."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

__all__ = ["Position"]


@dataclass(frozen=True)
class Position:
    """The frame that a step of a recurrence or a loop works on.

    Attributes:
        index: t, scalar int32.
        begin: t as the begin of a slice, [1] int32.
        end: t + 1 as the end of a slice, [1] int32.
    """

    index: tf.Tensor
    begin: tf.Tensor
    end: tf.Tensor

    @classmethod
    def of(cls, index: tf.Tensor) -> Position:
        """Of a scalar t."""
        begin = tf.reshape(index, [1])
        return cls(index, begin, begin + 1)

    def write(self, array: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """The list with `x` as its entry t."""
        return tf.raw_ops.TensorListSetItem(input_handle=array, index=self.index, item=x)

    def read(self, array: tf.Tensor, like: tf.Tensor, features: int) -> tf.Tensor:
        """Entry t [B, features] of a list, of the batch and the element type of `like` [B, ...]."""
        x = tf.raw_ops.TensorListGetItem(
            input_handle=array, index=self.index, element_shape=[-1, features], element_dtype=like.dtype
        )
        x.set_shape([like.shape[0], features])
        return x

    def frame(self, x: tf.Tensor) -> tf.Tensor:
        """`x[t]`, as the one op that returns a view of x's memory (Python's `x[t]` adds small ops to every step)."""
        return tf.raw_ops.StridedSlice(input=x, begin=self.begin, end=self.end, strides=[1], shrink_axis_mask=1)
