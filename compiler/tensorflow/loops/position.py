"""Which step a loop is at, and reading what is scanned there."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

__all__ = ["Position", "frame"]


@dataclass(frozen=True)
class Position:
    """A step.

    Attributes:
        index: its number, int32 scalar.
        step: the same, int64.
        begin, end: of a slice that has this step alone, [1] int32.
    """

    index: tf.Tensor
    step: tf.Tensor
    begin: tf.Tensor
    end: tf.Tensor

    @classmethod
    def of(cls, index: tf.Tensor) -> Position:
        """Of a step's number."""
        begin = tf.reshape(index, [1])
        return cls(index, tf.cast(index, tf.int64), begin, begin + 1)


def frame(x: tf.Tensor, at: Position) -> tf.Tensor:
    """`x[step]`, as the one op that returns a view of x's memory (Python's `x[t]` adds small ops to every step)."""
    return tf.raw_ops.StridedSlice(input=x, begin=at.begin, end=at.end, strides=[1], shrink_axis_mask=1)
