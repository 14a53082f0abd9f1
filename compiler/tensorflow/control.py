"""Branches, and loops as a differentiable ``tf.while_loop`` with tensor lists for what is scanned and stacked.

The lists are made with the raw ops instead of ``tf.TensorArray``, because those take an element's shape at run time: a
loop of zero steps still has to say how wide its (absent) results are.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import tensorflow as tf

from compiler.tensorflow.align import align
from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.frame import Frame
from returnn_ir.dims import Dim
from returnn_ir.graph import Region
from returnn_ir.types import TensorType

__all__ = ["ROWS"]


@dataclass(frozen=True)
class _Plan:
    """One loop that is being lowered.

    Attributes:
        count: number of steps, int32; of a loop that ends by itself the limit, int64.
        kept: indices of the carries whose value after each sequence's own last step is asked for, where that differs
            from the running one.
    """

    call: Call
    count: tf.Tensor
    slices: list[tf.Tensor]
    kept: list[int]

    @property
    def dim(self) -> Dim:
        """What is looped over."""
        return cast(Dim, self.call.attrs["dim"])

    @property
    def carry_types(self) -> list[TensorType]:
        """The types of the carries."""
        return [v.type for v in self.call.node.results[: self.call.attrs["carries"]]]

    @property
    def stacked_types(self) -> tuple[TensorType, ...]:
        """The types of one step's stacked values."""
        return cast("tuple[TensorType, ...]", self.call.attrs["stacked"])


def _loop(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    number: int = call.attrs["carries"]
    _settle_extents(call.frame, call.node.regions[0])
    if call.attrs["ends"]:
        return _loop_until(call, operands)
    plan = _Plan(
        call,
        tf.convert_to_tensor(call.frame.extent(call.attrs["dim"]), tf.int32),
        [_as_list(x, call.type(number + k)) for k, x in enumerate(operands[number:])],
        _kept(call),
    )
    carries = list(operands[:number])
    shapes = [_element_shape(call.frame, t) for t in plan.stacked_types]
    lists = [_reserve(t, shape, plan.count) for t, shape in zip(plan.stacked_types, shapes, strict=True)]
    kept = [carries[k] for k in plan.kept]
    carry_shapes = [tf.TensorShape([d.size for d in t.dims]) for t in plan.carry_types]
    _, carries, kept, lists = tf.while_loop(
        lambda i, *_: i < plan.count,
        lambda i, *state: _step(plan, i, *state),
        (tf.constant(0, tf.int32), carries, kept, lists),
        shape_invariants=(
            tf.TensorShape([]),
            carry_shapes,
            [carry_shapes[k] for k in plan.kept],
            [tf.TensorShape([]) for _ in lists],
        ),
    )
    final = [kept[plan.kept.index(k)] if k in plan.kept else carry for k, carry in enumerate(carries)]
    return [*final, *_stacks(plan, lists, shapes)]


def _step(
    plan: _Plan, i: tf.Tensor, carries: list[tf.Tensor], kept: list[tf.Tensor], lists: list[tf.Tensor]
) -> tuple[tf.Tensor, list[tf.Tensor], list[tf.Tensor], list[tf.Tensor]]:
    call = plan.call
    region, number = call.node.regions[0], len(carries)
    index = tf.cast(i, tf.int64)
    frame = Frame(region, call.frame.feed, call.frame, (*call.frame.loop_index, index))
    scanned = [value.type for value in region.params[1 + number :]]
    slices = [_item(handle, i, t) for handle, t in zip(plan.slices, scanned, strict=True)]
    results = call.lower_region(region, frame, [index, *carries, *slices])
    following = [
        _in_order(x, value.dims, t) for x, value, t in zip(results, region.results, plan.carry_types, strict=False)
    ]
    kept = [
        _if_running(plan, index, following[k], old, plan.carry_types[k]) for k, old in zip(plan.kept, kept, strict=True)
    ]
    written = [
        tf.raw_ops.TensorListSetItem(input_handle=handle, index=i, item=_in_order(x, value.dims, t))
        for handle, x, value, t in zip(
            lists, results[number:], region.results[number:], plan.stacked_types, strict=True
        )
    ]
    return i + 1, following, kept, written


def _loop_until(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    """A loop whose number of steps comes out: the tensor lists grow step by step, however far off the limit is."""
    *carries, limit = operands
    plan = _Plan(call, tf.convert_to_tensor(limit, tf.int64), [], [])
    shapes = [_element_shape(call.frame, t) for t in plan.stacked_types]
    lists = [
        tf.raw_ops.EmptyTensorList(element_shape=shape, max_num_elements=-1, element_dtype=t.dtype)
        for t, shape in zip(plan.stacked_types, shapes, strict=True)
    ]
    steps, _, carries, lists = tf.while_loop(
        lambda i, done, *_: tf.logical_and(i < plan.count, tf.logical_not(done)),
        lambda i, _, *state: _step_until(plan, i, *state),
        (tf.constant(0, tf.int64), tf.constant(False), carries, lists),
        shape_invariants=(
            tf.TensorShape([]),
            tf.TensorShape([]),
            [tf.TensorShape([d.size for d in t.dims]) for t in plan.carry_types],
            [tf.TensorShape([]) for _ in lists],
        ),
    )
    return [*carries, *_stacks(plan, lists, shapes), steps]


def _step_until(
    plan: _Plan, i: tf.Tensor, carries: list[tf.Tensor], lists: list[tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor], list[tf.Tensor]]:
    call, region = plan.call, plan.call.node.regions[0]
    frame = Frame(region, call.frame.feed, call.frame, (*call.frame.loop_index, i))
    *results, done = call.lower_region(region, frame, [i, *carries])
    ordered = [
        _in_order(x, value.dims, t)
        for x, value, t in zip(results, region.results, (*plan.carry_types, *plan.stacked_types), strict=False)
    ]
    written = [
        tf.raw_ops.TensorListPushBack(input_handle=handle, tensor=x)
        for handle, x in zip(lists, ordered[len(carries) :], strict=True)
    ]
    return i + 1, done, ordered[: len(carries)], written


def _stacks(plan: _Plan, lists: Sequence[tf.Tensor], shapes: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    return [
        tf.raw_ops.TensorListStack(input_handle=handle, element_shape=shape, element_dtype=t.dtype)
        for handle, shape, t in zip(lists, shapes, plan.stacked_types, strict=True)
    ]


def _if_running(plan: _Plan, index: tf.Tensor, new: tf.Tensor, old: tf.Tensor, type_: TensorType) -> tf.Tensor:
    """The new value for sequences that still have frames."""
    frame = plan.call.frame
    running = align(index < frame.lengths(plan.dim), frame.length_dims(plan.dim), type_.dims)
    return tf.where(running, new, old)


def _kept(call: Call) -> list[int]:
    """Carries that end at another step for each sequence; one without the dims of the lengths ends with the loop."""
    vary = call.frame.length_dims(call.attrs["dim"]) if call.attrs["dim"].is_dynamic else ()
    results = call.node.results[: call.attrs["carries"]]
    return [k for k, v in enumerate(results) if vary and set(vary) <= set(v.dims) and v in call.frame.feed.used]


def _settle_extents(frame: Frame, region: Region) -> None:
    """Compute outside of the loop every extent that its body may ask for."""
    for node in region.walk():
        for dim in node.mentioned_dims():
            if dim.size is None and frame.knows(dim):
                frame.extent(dim)


def _in_order(x: tf.Tensor, own: Sequence[Dim], wanted: TensorType) -> tf.Tensor:
    x = align(x, own, wanted.dims)
    x.set_shape([dim.size for dim in wanted.dims])
    return x


def _element_shape(frame: Frame, type_: TensorType) -> tf.Tensor:
    """The shape of one step's value; an axis that only the body knows is open (-1)."""
    sizes = [frame.extent(dim) if frame.knows(dim) else -1 for dim in type_.dims]
    return tf.convert_to_tensor(sizes, tf.int32) if sizes else tf.constant([], tf.int32)


def _reserve(type_: TensorType, shape: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.TensorListReserve(element_shape=shape, num_elements=count, element_dtype=type_.dtype)


def _as_list(x: tf.Tensor, type_: TensorType) -> tf.Tensor:
    static = tf.constant([-1 if dim.size is None else dim.size for dim in type_.dims[1:]], tf.int32)
    return tf.raw_ops.TensorListFromTensor(tensor=x, element_shape=static)


def _item(handle: tf.Tensor, i: tf.Tensor, type_: TensorType) -> tf.Tensor:
    static = tf.constant([-1 if dim.size is None else dim.size for dim in type_.dims], tf.int32)
    return tf.raw_ops.TensorListGetItem(input_handle=handle, index=i, element_shape=static, element_dtype=type_.dtype)


def _cond(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    for region in call.node.regions:
        _settle_extents(call.frame, region)
    branches = [functools.partial(_branch, call, region) for region in call.node.regions]
    return cast("Sequence[tf.Tensor]", tf.cond(operands[0], *branches))


def _branch(call: Call, region: Region) -> list[tf.Tensor]:
    frame = Frame(region, call.frame.feed, call.frame, call.frame.loop_index)
    tensors = call.lower_region(region, frame, [])
    types = [v.type for v in call.node.results]
    # an identity, because a branch may give a tensor from outside as it is
    return [tf.identity(_in_order(x, v.dims, t)) for x, v, t in zip(tensors, region.results, types, strict=True)]


ROWS: dict[str, Row] = {"loop": _loop, "cond": _cond}
