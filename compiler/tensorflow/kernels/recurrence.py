"""What the recurrent kernels share: walking over frames, and frames behind a sequence's end.

Everything is time-major: frames [T, B, features], lengths [B].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from compiler.tensorflow.position import Position
from compiler.tensorflow.repeat import repeat

__all__ = ["Frames", "empty_stack", "matrix", "pop", "push", "saturation"]


#: What stands behind a sequence's end.
Fill = float | npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Frames:
    """The frames of a batch, and the order that a recurrence takes them in.

    Attributes:
        count: T, scalar int32.
        batch: B, scalar int32.
        valid: [T, B] bool, False behind a sequence's end.
        full: scalar bool, whether every frame is valid.
        step: scalar int32, +1, or -1 from the last frame to the first.
    """

    count: tf.Tensor
    batch: tf.Tensor
    valid: tf.Tensor
    full: tf.Tensor
    step: tf.Tensor

    @classmethod
    def of(cls, x: tf.Tensor, lengths: tf.Tensor, step: tf.Tensor) -> Frames:
        """The frames of x [T, B, ...], of which each sequence has its first `lengths` [B]."""
        count, batch, *_ = tf.unstack(tf.shape(x))
        valid = tf.expand_dims(tf.range(count), 1) < tf.cast(lengths, tf.int32)
        return cls(count, batch, valid, tf.reduce_all(valid), step)

    def select(self, pairs: Sequence[tuple[tf.Tensor, Fill]]) -> list[tf.Tensor]:
        """Each tensor [T, B, features] with its fill (a number, or [features]) behind the sequences' ends.

        Values there never get through, not even NaN. Costs nothing for a batch without such frames.
        """

        def selected() -> list[tf.Tensor]:
            valid = tf.expand_dims(self.valid, 2)
            return [tf.where(valid, x, tf.constant(fill, x.dtype)) for x, fill in pairs]

        found: list[tf.Tensor] = tf.cond(self.full, lambda: [x for x, _ in pairs], selected)
        return found

    def walk(
        self, body: Callable[..., Sequence[tf.Tensor]], state: Sequence[tf.Tensor], *, at_once: int = 1
    ) -> Sequence[tf.Tensor]:
        """Calls `body(position, *state)` for every frame, `at_once` frames in a turn; returns the last state."""
        start = tf.where(self.step > 0, 0, self.count - 1)
        if at_once > 1:
            return repeat(
                lambda i, *now: list(body(Position.of(start + i * self.step), *now)),
                state,
                self.count,
                [x.shape for x in state],
                at_once=at_once,
            )
        end = start + self.step * self.count
        result: Sequence[tf.Tensor] = tf.while_loop(
            lambda t, *_: tf.not_equal(t, end),
            lambda t, *now: (t + self.step, *body(Position.of(t), *now)),
            (start, *state),
        )
        return result[1:]

    def project(self, x: tf.Tensor, w: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        """X [T, B, I] times w [I, features], plus bias [features], as one product: [T, B, features]."""
        rows = tf.nn.bias_add(tf.matmul(matrix(x), w), bias)
        return tf.reshape(rows, [self.count, self.batch, w.shape[1]])

    def array(self, dtype: tf.DType, features: int) -> tf.Tensor:
        """A list with room for one [B, features] of every frame."""
        return tf.raw_ops.TensorListReserve(element_shape=[-1, features], num_elements=self.count, element_dtype=dtype)

    def stack(self, array: tf.Tensor, dtype: tf.DType, features: int) -> tf.Tensor:
        """[T, B, features] of a filled list; also where there are no frames."""
        stacked = tf.raw_ops.TensorListStack(
            input_handle=array, element_shape=[self.batch, features], element_dtype=dtype
        )
        stacked.set_shape([None, None, features])
        return stacked


def empty_stack(dtype: tf.DType, features: int) -> tf.Tensor:
    """For what the backward loop takes from the forward one: it pops each frame's [B, features], whose memory is free
    for its own results then. A `TensorArray` would keep all of them until the end.
    """
    return tf.raw_ops.EmptyTensorList(element_shape=[-1, features], max_num_elements=-1, element_dtype=dtype)


def push(stacks: Sequence[tf.Tensor], values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """The stacks with one value more on each."""
    pairs = zip(stacks, values, strict=True)
    return [tf.raw_ops.TensorListPushBack(input_handle=stack, tensor=value) for stack, value in pairs]


def pop(stacks: Sequence[tf.Tensor], like: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """The stacks without their last values, and these, of the shape and element type of `like` [B, features]."""
    shape = [-1, like.shape[-1]]
    popped = [
        tf.raw_ops.TensorListPopBack(input_handle=stack, element_shape=shape, element_dtype=like.dtype)
        for stack in stacks
    ]
    for _, value in popped:
        value.set_shape(like.shape)
    return [stack for stack, _ in popped], [value for _, value in popped]


def matrix(x: tf.Tensor) -> tf.Tensor:
    """Frames [T, B, features] as the rows of a matrix [T * B, features]."""
    return tf.reshape(x, [-1, x.shape[-1]])


def saturation(dtype: tf.DType) -> float:
    """What makes a gate's sigmoid exactly 1, and its negative exactly 0, whatever a bounded recurrent input adds."""
    return 3e4 if dtype == tf.float16 else 1e30
