"""A loop over a dim as a ``tf.while_loop`` with tensor lists for what is scanned and stacked.

The lists are made with the raw ops instead of ``tf.TensorArray``, because those take an element's shape at run time: a
loop of zero steps still has to say how wide its (absent) results are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from compiler.tensorflow.align import align
from compiler.tensorflow.call import Call
from compiler.tensorflow.entering import entering
from compiler.tensorflow.environment import Environment
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Region, Value
from returnn_ir.ir.loop import LoopView, loop_params, loop_results
from returnn_ir.ir.types import TensorType

__all__ = [
    "Loop",
    "as_list",
    "element_shape",
    "empty_stack",
    "in_order",
    "item",
    "pop",
    "push",
    "reserve",
    "results_in_order",
    "run",
    "settle_extents",
    "stack",
]


@dataclass(frozen=True)
class Loop:
    """One loop over a dim that is being lowered.

    Attributes:
        view: its parts.
        count: number of steps, int32.
        kept: indices of the carries whose value after each sequence's own last step is asked for, where that differs
            from the running one.
    """

    call: Call
    view: LoopView
    count: tf.Tensor
    kept: tuple[int, ...]

    @classmethod
    def of(cls, call: Call, view: LoopView) -> Loop:
        """The loop of a node."""
        count = tf.convert_to_tensor(call.env.extent(view.dim), tf.int32)
        return cls(call, view, count, _kept(call.env, view))

    @property
    def region(self) -> Region:
        """The body."""
        return self.view.region

    @property
    def carry_types(self) -> list[TensorType]:
        """The types of the carries."""
        return [c.result.type for c in self.view.carries]

    @property
    def scanned_types(self) -> list[TensorType]:
        """The types of what one step gets of the scanned operands."""
        return [part.param.type for part in self.view.slices]

    @property
    def stacked_types(self) -> tuple[TensorType, ...]:
        """The types of one step's stacked values."""
        return self.view.layout.stacked

    def lists(self, whole: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """The scanned operands as tensor lists."""
        return [as_list(x, part.whole.type) for x, part in zip(whole, self.view.slices, strict=True)]

    def step(
        self,
        index: tf.Tensor,
        carries: Sequence[tf.Tensor],
        slices: Sequence[tf.Tensor],
        standing_in: Mapping[Value, tf.Tensor] | None = None,
    ) -> tuple[list[tf.Tensor], list[tf.Tensor], Environment]:
        """One step, emitted into the graph that is being built.

        Args:
            index: of the step, int64.
            carries: before it.
            slices: this step's part of the scanned operands.
            standing_in: tensors to use instead of those that values outside of the loop have.

        Returns:
            the carries after the step, the values to stack, and the environment, which has every value of the body.
        """
        call = self.call
        env = Environment(self.region, call.env.feed, call.env, (*call.env.loop_index, index))
        for value, tensor in (standing_in or {}).items():
            env.stand_in(value, tensor)
        results = call.lower_region(self.region, env, loop_params(index, [*map(entering, carries)], slices))
        following, made, _ = results_in_order(self.view, results)
        return following, made, env

    def running(self, index: tf.Tensor, carry: int) -> tf.Tensor:
        """Which sequences have a frame at a step, with the axes of a carry."""
        env, dim = self.call.env, self.view.dim
        return align(index < env.lengths(dim), env.length_dims(dim), self.carry_types[carry].dims)


def results_in_order(
    view: LoopView, results: Sequence[tf.Tensor]
) -> tuple[list[tf.Tensor], list[tf.Tensor], tf.Tensor | None]:
    """What a step leaves, with the axes of the node's results: carries, stacked values; whether it was the last."""
    carries, stacked, done = view.layout.split_results(results)
    following = [in_order(x, c.next.dims, c.result.type) for x, c in zip(carries, view.carries, strict=True)]
    types = view.layout.stacked
    made = [in_order(x, s.inner.dims, t) for x, s, t in zip(stacked, view.stacked, types, strict=True)]
    return following, made, done


def run(loop: Loop, operands: Sequence[tf.Tensor], *, tape: bool = False) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """All steps.

    Args:
        loop: what to run.
        operands: initial carries, then what is scanned.
        tape: whether to keep the carries before each step.

    Returns:
        the results of the node; by carry, the stack of its values before each step, the last step on top.
    """
    carries, whole, _ = loop.view.layout.split_operands(operands)
    slices = loop.lists(whole)
    shapes = [element_shape(loop.call.env, t) for t in loop.stacked_types]
    lists = [reserve(t, shape, loop.count) for t, shape in zip(loop.stacked_types, shapes, strict=True)]
    kept = [carries[k] for k in loop.kept]
    tapes = [empty_stack(t) for t in loop.carry_types] if tape else []

    def body(
        i: tf.Tensor, carries: list[tf.Tensor], kept: list[tf.Tensor], lists: list[tf.Tensor], tapes: list[tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor], list[tf.Tensor], list[tf.Tensor], list[tf.Tensor]]:
        index = tf.cast(i, tf.int64)
        following, made, _ = loop.step(
            index, carries, [item(handle, i, t) for handle, t in zip(slices, loop.scanned_types, strict=True)]
        )
        kept = [tf.where(loop.running(index, k), following[k], old) for k, old in zip(loop.kept, kept, strict=True)]
        written = [
            tf.raw_ops.TensorListSetItem(input_handle=handle, index=i, item=x)
            for handle, x in zip(lists, made, strict=True)
        ]
        tapes = [push(handle, x) for handle, x in zip(tapes, carries, strict=False)]
        return i + 1, following, kept, written, tapes

    carry_shapes = [tf.TensorShape([d.size for d in t.dims]) for t in loop.carry_types]
    scalar = tf.TensorShape([])
    _, carries, kept, lists, tapes = tf.while_loop(
        lambda i, *_: i < loop.count,
        body,
        (tf.constant(0, tf.int32), carries, kept, lists, tapes),
        shape_invariants=(
            scalar,
            carry_shapes,
            [carry_shapes[k] for k in loop.kept],
            [scalar for _ in lists],
            [scalar for _ in tapes],
        ),
    )
    final = [kept[loop.kept.index(k)] if k in loop.kept else carry for k, carry in enumerate(carries)]
    stacked = [stack(handle, shape, t) for handle, shape, t in zip(lists, shapes, loop.stacked_types, strict=True)]
    return loop_results(final, stacked), tapes


def settle_extents(env: Environment, region: Region) -> None:
    """Compute outside of a loop or a branch every extent that its body may ask for."""
    for node in region.walk():
        for dim in node.mentioned_dims():
            if dim.size is None and env.knows(dim):
                env.extent(dim)


def _kept(env: Environment, view: LoopView) -> tuple[int, ...]:
    """Carries that end at another step for each sequence; one without the dims of the lengths ends with the loop."""
    vary = env.length_dims(view.dim) if view.dim.is_dynamic else ()
    results = [c.result for c in view.carries]
    return tuple(k for k, v in enumerate(results) if vary and set(vary) <= set(v.dims) and v in env.feed.used)


# -------------------------------------------------------------------- tensors and tensor lists


def in_order(x: tf.Tensor, own: Sequence[Dim], wanted: TensorType) -> tf.Tensor:
    """``x`` with the axes ``own`` as a tensor of the type ``wanted``."""
    x = align(x, own, wanted.dims)
    x.set_shape([dim.size for dim in wanted.dims])
    return x


def element_shape(env: Environment, type_: TensorType) -> tf.Tensor:
    """The shape of one step's value; an axis that only the body knows is open (-1)."""
    sizes = [env.extent(dim) if env.knows(dim) else -1 for dim in type_.dims]
    return tf.convert_to_tensor(sizes, tf.int32) if sizes else tf.constant([], tf.int32)


def reserve(type_: TensorType, shape: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """A list with room for a value of every step."""
    return tf.raw_ops.TensorListReserve(element_shape=shape, num_elements=count, element_dtype=type_.dtype)


def as_list(x: tf.Tensor, type_: TensorType) -> tf.Tensor:
    """``x`` of the given type as the list of its parts along the first axis."""
    return tf.raw_ops.TensorListFromTensor(tensor=x, element_shape=_static(type_.dims[1:]))


def item(handle: tf.Tensor, i: tf.Tensor, type_: TensorType) -> tf.Tensor:
    """The value of a step."""
    return tf.raw_ops.TensorListGetItem(
        input_handle=handle, index=i, element_shape=_static(type_.dims), element_dtype=type_.dtype
    )


def stack(handle: tf.Tensor, shape: tf.Tensor, type_: TensorType) -> tf.Tensor:
    """The values of all steps, a new axis in front."""
    return tf.raw_ops.TensorListStack(input_handle=handle, element_shape=shape, element_dtype=type_.dtype)


def empty_stack(type_: TensorType) -> tf.Tensor:
    """A list that grows; its values may have different sizes."""
    return tf.raw_ops.EmptyTensorList(element_shape=_static(type_.dims), max_num_elements=-1, element_dtype=type_.dtype)


def push(handle: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """The list with one value more."""
    return tf.raw_ops.TensorListPushBack(input_handle=handle, tensor=x)


def pop(handle: tf.Tensor, type_: TensorType) -> tuple[tf.Tensor, tf.Tensor]:
    """The list without its last value, and that."""
    rest, x = tf.raw_ops.TensorListPopBack(
        input_handle=handle, element_shape=_static(type_.dims), element_dtype=type_.dtype
    )
    return rest, x


def _static(dims: Sequence[Dim]) -> tf.Tensor:
    return tf.constant([-1 if dim.size is None else dim.size for dim in dims], tf.int32)
