"""What the recurrent kernels share: walking over frames, frames behind a sequence's end, the limit to one gradient.

Everything is time-major: frames [T, B, features], lengths [B].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from returnn_ir.errors import TargetError

__all__ = ["Frames", "empty_stack", "first_order_only", "frame", "matrix", "pop", "push", "saturation"]


@dataclass(frozen=True)
class Frames:
    """The frames of a batch, and the order that a recurrence takes them in.

    Attributes:
        count: T, scalar int32.
        valid: [T, B] bool, False behind a sequence's end.
        full: scalar bool, whether every frame is valid.
        step: +1, or -1 from the last frame to the first.
    """

    count: tf.Tensor
    valid: tf.Tensor
    full: tf.Tensor
    step: int

    @classmethod
    def of(cls, x: tf.Tensor, lengths: tf.Tensor, *, reverse: bool) -> Frames:
        """The frames of x [T, B, ...], of which each sequence has its first `lengths` [B]."""
        count = tf.shape(x)[0]
        valid = tf.range(count)[:, None] < tf.cast(lengths, tf.int32)[None]
        return cls(count, valid, tf.reduce_all(valid), -1 if reverse else 1)

    def select(self, x: tf.Tensor, fill: tf.Tensor) -> tf.Tensor:
        """`x` [T, B, features] with `fill` [features] behind the sequences' ends.

        Values there never get through, not even NaN. Costs nothing for a batch without such frames.
        """
        return tf.cond(self.full, lambda: x, lambda: tf.where(self.valid[:, :, None], x, fill))

    def walk(self, body: Callable[..., Sequence[Any]], state: Sequence[Any], *, back: bool = False) -> Sequence[Any]:
        """Calls `body(t, *state)` for every frame, `back`: in the opposite order; returns the last state."""
        step = -self.step if back else self.step
        start, end = (tf.constant(0), self.count) if step > 0 else (self.count - 1, tf.constant(-1))
        result: Sequence[Any] = tf.while_loop(
            lambda t, *_: tf.not_equal(t, end), lambda t, *now: (t + step, *body(t, *now)), (start, *state)
        )
        return result[1:]

    def project(self, x: tf.Tensor, w: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        """X [T, B, I] times w [I, features], plus bias [features], as one product: [T, B, features]."""
        shape = tf.shape(self.valid)
        return tf.reshape(tf.nn.bias_add(tf.matmul(matrix(x), w), bias), [shape[0], shape[1], w.shape[1]])

    def previous(self, states: tf.Tensor, initial: tf.Tensor) -> tf.Tensor:
        """The state before each frame [T, B, n], from the state after each frame and the initial one [B, n]."""
        if self.step > 0:
            return tf.concat([initial[None], states], axis=0)[: self.count]
        return tf.concat([states, initial[None]], axis=0)[1:]

    def array(self, dtype: tf.DType, features: int) -> tf.TensorArray:
        """Room for one [B, features] of every frame."""
        return tf.TensorArray(dtype, self.count, element_shape=[None, features])

    def stack(self, array: tf.TensorArray) -> tf.Tensor:
        """[T, B, features] of a filled array; unlike its own `stack` also where there are no frames."""
        features = array.element_shape[-1]
        stacked = tf.raw_ops.TensorListStack(
            input_handle=array.flow, element_shape=[tf.shape(self.valid)[1], features], element_dtype=array.dtype
        )
        return tf.ensure_shape(stacked, [None, None, features])


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
    return [stack for stack, _ in popped], [tf.ensure_shape(value, like.shape) for _, value in popped]


def frame(x: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
    """`x[t]`, as the one op that returns a view of x's memory (Python's `x[t]` adds four small ops to every step)."""
    begin = tf.reshape(t, [1])
    return tf.raw_ops.StridedSlice(input=x, begin=begin, end=begin + 1, strides=[1], shrink_axis_mask=1)


def matrix(x: tf.Tensor) -> tf.Tensor:
    """Frames [T, B, features] as the rows of a matrix [T * B, features]."""
    return tf.reshape(x, [-1, x.shape[-1]])


def saturation(dtype: tf.DType) -> float:
    """What makes a gate's sigmoid exactly 1, and its negative exactly 0, whatever a bounded recurrent input adds."""
    return 3e4 if dtype == tf.float16 else 1e30


def first_order_only(
    backward: Callable[..., Sequence[tf.Tensor]], kernel: str, *operands: tf.Tensor
) -> Sequence[tf.Tensor]:
    """`backward(*operands)`, whose own gradient is an error that says what to do, instead of silently missing.

    Raises:
        TargetError: when a gradient of the result is asked for.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def once(*args: tf.Tensor) -> tuple[Sequence[tf.Tensor], Callable[..., object]]:
        def again(*_: tf.Tensor) -> object:
            raise TargetError(
                f"the {kernel} kernel of the TensorFlow target has no second-order gradient",
                expected="first-order gradients",
                hint=f'fusion = {{"{kernel}": "never"}}, which differentiates the plain loop',
            )

        return backward(*args), again

    result: Sequence[tf.Tensor] = once(*operands)
    return result
