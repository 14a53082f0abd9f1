"""A loop whose number of steps comes out: its tensor lists grow step by step, however far off the limit is."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.call import Call
from compiler.tensorflow.entering import entering
from compiler.tensorflow.environment import Frame
from compiler.tensorflow.loops.loop import element_shape, in_order, push, stack
from returnn_ir.ir.types import TensorType

__all__ = ["run_until"]


def run_until(call: Call, operands: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """All steps of a loop that ends by itself; the results of the node."""
    *carries, last = operands
    limit = tf.convert_to_tensor(last, tf.int64)
    carry_types = [v.type for v in call.node.results[: len(carries)]]
    stacked_types: tuple[TensorType, ...] = call.attrs["stacked"]
    shapes = [element_shape(call.frame, t) for t in stacked_types]
    lists = [
        tf.raw_ops.EmptyTensorList(element_shape=shape, max_num_elements=-1, element_dtype=t.dtype)
        for t, shape in zip(stacked_types, shapes, strict=True)
    ]

    def body(
        i: tf.Tensor, _: tf.Tensor, carries: list[tf.Tensor], lists: list[tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor], list[tf.Tensor]]:
        region = call.node.regions[0]
        step = entering(i)
        frame = Frame(region, call.frame.feed, call.frame, (*call.frame.loop_index, step))
        *results, done = call.lower_region(region, frame, [step, *map(entering, carries)])
        types = (*carry_types, *stacked_types)
        ordered = [in_order(x, value.dims, t) for x, value, t in zip(results, region.results[:-1], types, strict=True)]
        made = ordered[len(carries) :]
        return i + 1, done, ordered[: len(carries)], [push(h, x) for h, x in zip(lists, made, strict=True)]

    steps, _, carries, lists = tf.while_loop(
        lambda i, done, *_: tf.logical_and(i < limit, tf.logical_not(done)),
        body,
        (tf.constant(0, tf.int64), tf.constant(False), carries, lists),
        shape_invariants=(
            tf.TensorShape([]),
            tf.TensorShape([]),
            [tf.TensorShape([d.size for d in t.dims]) for t in carry_types],
            [tf.TensorShape([]) for _ in lists],
        ),
    )
    stacked = [stack(handle, shape, t) for handle, shape, t in zip(lists, shapes, stacked_types, strict=True)]
    return [*carries, *stacked, steps]
