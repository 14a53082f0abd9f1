"""A loop whose number of steps comes out: its tensor lists grow step by step, however far off the limit is."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.call import Call
from compiler.tensorflow.entering import entering
from compiler.tensorflow.environment import Environment
from compiler.tensorflow.loops.loop import element_shape, results_in_order, stack
from returnn_ir.ir.loop import LoopView, loop_params, loop_results

__all__ = ["run_until"]


def run_until(call: Call, view: LoopView, operands: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """All steps of a loop that ends by itself; the results of the node."""
    carries, _, last = view.layout.split_operands(operands)
    limit = tf.convert_to_tensor(last, tf.int64)
    stacked_types = view.layout.stacked
    shapes = [element_shape(call.env, t) for t in stacked_types]
    lists = [
        tf.raw_ops.EmptyTensorList(element_shape=shape, max_num_elements=-1, element_dtype=t.dtype)
        for t, shape in zip(stacked_types, shapes, strict=True)
    ]

    def body(
        i: tf.Tensor, _: tf.Tensor, carries: list[tf.Tensor], lists: list[tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor], list[tf.Tensor]]:
        step = entering(i)
        env = Environment(view.region, call.env.feed, call.env, (*call.env.loop_index, step))
        results = call.lower_region(view.region, env, loop_params(step, [*map(entering, carries)], []))
        following, made, done = results_in_order(view, results)
        return i + 1, done, following, [_push(h, x) for h, x in zip(lists, made, strict=True)]

    steps, _, carries, lists = tf.while_loop(
        lambda i, done, *_: tf.logical_and(i < limit, tf.logical_not(done)),
        body,
        (tf.constant(0, tf.int64), tf.constant(False), carries, lists),
        shape_invariants=(
            tf.TensorShape([]),
            tf.TensorShape([]),
            [tf.TensorShape([d.size for d in c.result.dims]) for c in view.carries],
            [tf.TensorShape([]) for _ in lists],
        ),
    )
    stacked = [stack(handle, shape, t) for handle, shape, t in zip(lists, shapes, stacked_types, strict=True)]
    return loop_results(carries, stacked, steps)


def _push(handle: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.TensorListPushBack(input_handle=handle, tensor=x)
