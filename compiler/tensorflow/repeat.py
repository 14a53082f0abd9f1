"""A number of steps that is known before the first one, as a ``tf.while_loop``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

__all__ = ["repeat"]

#: From the number of a step, int32, and the state to the next state.
Step = Callable[..., Sequence[Any]]


def repeat(step: Step, state: Sequence[Any], count: tf.Tensor, shapes: Sequence[Any], *, at_once: int) -> list[Any]:
    """`step(i, *state)` for every i below `count`; the last state.

    Args:
        step: gives a state of the same structure. It is traced once, however many steps are a turn.
        state: tensors, or lists of them.
        count: int32.
        shapes: those that the state has before and after every step.
        at_once: how many steps are one turn of TensorFlow's loop. What is left over are turns of one, before these.
    """
    if at_once == 1:
        return _turns(step, state, shapes, start=tf.constant(0), end=count, by=1)
    state = tf.nest.map_structure(tf.convert_to_tensor, list(state))
    specs = tf.nest.map_structure(lambda shape, x: tf.TensorSpec(shape, x.dtype), list(shapes), state)
    function = tf.function(step, input_signature=[tf.TensorSpec([], tf.int32), *specs], autograph=False)
    one = function.get_concrete_function()

    def several(i: tf.Tensor, *now: Any) -> Sequence[Any]:
        for k in range(at_once):
            now = one(i + k, *now)
        return now

    rest = count % at_once
    state = _turns(one, state, shapes, start=tf.constant(0), end=rest, by=1)
    return _turns(several, state, shapes, start=rest, end=count, by=at_once)


def _turns(
    step: Step, state: Sequence[Any], shapes: Sequence[Any], *, start: tf.Tensor, end: tf.Tensor, by: int
) -> list[Any]:
    last: Sequence[Any] = tf.while_loop(
        lambda i, *_: i < end,
        lambda i, *now: (i + by, *step(i, *now)),
        (start, *state),
        shape_invariants=(tf.TensorShape([]), *shapes),
    )
    return list(last[1:])
