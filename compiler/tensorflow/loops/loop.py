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
from compiler.tensorflow.position import Position
from compiler.tensorflow.repeat import repeat
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Region, Value
from returnn_ir.ir.loop import LoopView, loop_params, loop_results
from returnn_ir.ir.types import TensorType

__all__ = [
    "Loop",
    "Tape",
    "element_shape",
    "in_order",
    "item",
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
        valid: which sequences have a frame at each step, [step, *axes of the lengths]; only where a carry is kept.
    """

    call: Call
    view: LoopView
    count: tf.Tensor
    kept: tuple[int, ...]
    valid: tf.Tensor

    @classmethod
    def of(cls, call: Call, view: LoopView) -> Loop:
        """The loop of a node."""
        env, dim = call.env, view.dim
        count = tf.convert_to_tensor(env.extent(dim), tf.int32)
        kept = _kept(env, view)
        return cls(call, view, count, kept, env.valid(dim) if kept else tf.constant(True))

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

    @property
    def at_once(self) -> int:
        """How many steps are one turn of TensorFlow's loop."""
        return self.call.env.feed.device.steps_at_once

    def step(
        self,
        at: Position,
        carries: Sequence[tf.Tensor],
        slices: Sequence[tf.Tensor],
        standing_in: Mapping[Value, tf.Tensor] | None = None,
        instead: Mapping[Value, tf.Tensor] | None = None,
    ) -> tuple[list[tf.Tensor], list[tf.Tensor], Environment]:
        """One step, emitted into the graph that is being built.

        Args:
            at: which step it is.
            carries: before it.
            slices: this step's part of the scanned operands.
            standing_in: tensors to use instead of those that values outside of the loop have.
            instead: tensors to use instead of those that the step computes for values of the body.

        Returns:
            the carries after the step, the values to stack, and the environment, which has every value of the body.
        """
        call = self.call
        index = tf.cast(at.index, tf.int64)
        env = Environment(self.region, call.env.feed, call.env, (*call.env.loop_index, index))
        for value, tensor in (standing_in or {}).items():
            env.stand_in(value, tensor)
        for value, tensor in (instead or {}).items():
            env.use_instead(value, tensor)
        results = call.lower_region(self.region, env, loop_params(index, carries, slices))
        following, made, _ = results_in_order(self.view, results)
        return following, made, env

    def running(self, at: Position, carry: int) -> tf.Tensor:
        """Which sequences have a frame at a step, with the axes of a carry."""
        own = self.call.env.length_dims(self.view.dim)
        return align(at.frame(self.valid), own, self.carry_types[carry].dims)


def results_in_order(
    view: LoopView, results: Sequence[tf.Tensor]
) -> tuple[list[tf.Tensor], list[tf.Tensor], tf.Tensor | None]:
    """What a step leaves, with the axes of the node's results: carries, stacked values; whether it was the last."""
    carries, stacked, done = view.layout.split_results(results)
    following = [in_order(x, c.next.dims, c.result.type) for x, c in zip(carries, view.carries, strict=True)]
    types = view.layout.stacked
    made = [in_order(x, s.inner.dims, t) for x, s, t in zip(stacked, view.stacked, types, strict=True)]
    return following, made, done


@dataclass(frozen=True)
class Tape:
    """What a loop leaves.

    Attributes:
        results: of the node.
        before: by carry, the list of its values before each step.
        kept: by value that was to be kept, the list of those of each step.
    """

    results: list[tf.Tensor]
    before: list[tf.Tensor]
    kept: list[tf.Tensor]


def run(loop: Loop, operands: Sequence[tf.Tensor], *, keep: Sequence[Value] | None = None) -> Tape:
    """All steps.

    Args:
        loop: what to run.
        operands: initial carries, then what is scanned.
        keep: values of the body to keep, and the carries before each step; None: nothing.
    """
    env = loop.call.env
    carries, whole, _ = loop.view.layout.split_operands(operands)
    shapes = [element_shape(env, t) for t in loop.stacked_types]
    lists = [reserve(t, shape, loop.count) for t, shape in zip(loop.stacked_types, shapes, strict=True)]
    ended = [carries[k] for k in loop.kept]
    taped = [] if keep is None else [*loop.carry_types, *(value.type for value in keep)]
    tapes = [reserve(t, element_shape(env, t), loop.count) for t in taped]

    def body(
        i: tf.Tensor, carries: list[tf.Tensor], ended: list[tf.Tensor], lists: list[tf.Tensor], tapes: list[tf.Tensor]
    ) -> tuple[list[tf.Tensor], list[tf.Tensor], list[tf.Tensor], list[tf.Tensor]]:
        at = Position.of(i)
        carries = [entering(x) for x in carries]
        following, made, step = loop.step(at, carries, [at.frame(x) for x in whole])
        ended = [tf.where(loop.running(at, k), following[k], old) for k, old in zip(loop.kept, ended, strict=True)]
        lists = [at.write(handle, x) for handle, x in zip(lists, made, strict=True)]
        found = [] if keep is None else [*carries, *map(step.get, keep)]
        return following, ended, lists, [at.write(tape, x) for tape, x in zip(tapes, found, strict=True)]

    carry_shapes = [tf.TensorShape([d.size for d in t.dims]) for t in loop.carry_types]
    scalar = tf.TensorShape([])
    shapes_of_state = (
        carry_shapes,
        [carry_shapes[k] for k in loop.kept],
        [scalar for _ in lists],
        [scalar for _ in tapes],
    )
    carries, ended, lists, tapes = repeat(
        body, (carries, ended, lists, tapes), loop.count, shapes_of_state, at_once=loop.at_once
    )
    final = [ended[loop.kept.index(k)] if k in loop.kept else carry for k, carry in enumerate(carries)]
    stacked = [stack(handle, shape, t) for handle, shape, t in zip(lists, shapes, loop.stacked_types, strict=True)]
    count = len(loop.carry_types)
    return Tape(loop_results(final, stacked), tapes[:count], tapes[count:])


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


def item(handle: tf.Tensor, at: Position, type_: TensorType) -> tf.Tensor:
    """The value of a step."""
    return tf.raw_ops.TensorListGetItem(
        input_handle=handle, index=at.index, element_shape=_static(type_.dims), element_dtype=type_.dtype
    )


def stack(handle: tf.Tensor, shape: tf.Tensor, type_: TensorType) -> tf.Tensor:
    """The values of all steps, a new axis in front."""
    return tf.raw_ops.TensorListStack(input_handle=handle, element_shape=shape, element_dtype=type_.dtype)


def _static(dims: Sequence[Dim]) -> tf.Tensor:
    return tf.constant([-1 if dim.size is None else dim.size for dim in dims], tf.int32)
