"""Loops: how a ``loop`` node lays out what it carries, scans and stacks. Nobody else knows.

Of a loop over a dim of known length stands, in this order,

* in the operands: the initial carries, what is scanned;
* in the body's params: the number of the step, the carries, this step's slices;
* in the body's results: the next carries, what is stacked;
* in the node's results: the final carries, the stacks.

A loop that ends by itself scans nothing. It has the limit behind the operands, behind the body's results whether this
step was the last one, and behind the node's results the number of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.op import get_op
from returnn_ir.ir.types import TensorType

if TYPE_CHECKING:
    from returnn_ir.ir.builder import Builder

__all__ = [
    "LoopCarry",
    "LoopEnd",
    "LoopLayout",
    "LoopOptions",
    "LoopSlice",
    "LoopStack",
    "LoopView",
    "OpenLoop",
    "add_carry",
    "declare_types",
    "loop_params",
    "loop_results",
]

T = TypeVar("T")


def loop_params(index: T, carries: Sequence[T], slices: Sequence[T]) -> list[T]:
    """What a step is given, in the order of the body's params."""
    return [index, *carries, *slices]


def loop_results(carries: Sequence[T], stacked: Sequence[T], end: T | None = None) -> list[T]:
    """Results of the body (``end``: this step was the last one) or of the node (``end``: how many steps there were)."""
    return [*carries, *stacked, *([] if end is None else [end])]


@dataclass(frozen=True)
class LoopLayout:
    """Where the parts of a loop stand, as far as its attributes say.

    Attributes:
        dim: what is looped over.
        carries: how many there are.
        stacked: the types of one step's stacked values.
        ends: the loop finds out how many steps there are.
    """

    dim: Dim
    carries: int
    stacked: tuple[TensorType, ...] = ()
    ends: bool = False

    @classmethod
    def of(cls, attrs: Mapping[str, Any]) -> LoopLayout:
        """From the attributes of a node."""
        return cls(attrs["dim"], attrs["carries"], attrs["stacked"], attrs["ends"])

    def split_operands(self, operands: Sequence[T]) -> tuple[list[T], list[T], T | None]:
        """Initial carries, what is scanned, the limit."""
        initial, rest = list(operands[: self.carries]), list(operands[self.carries :])
        return (initial, rest[:-1], rest[-1]) if self.ends and rest else (initial, rest, None)

    def split_params(self, params: Sequence[T]) -> tuple[T, list[T], list[T]]:
        """The number of the step, carries, slices."""
        return params[0], list(params[1 : 1 + self.carries]), list(params[1 + self.carries :])

    def split_results(self, results: Sequence[T]) -> tuple[list[T], list[T], T | None]:
        """Carries, stacked values, and the end: of the body, or of the node."""
        carries, rest = list(results[: self.carries]), list(results[self.carries :])
        return (carries, rest[:-1], rest[-1]) if self.ends and rest else (carries, rest, None)

    def result_types(self, initial: Sequence[TensorType]) -> list[TensorType]:
        """What the node gives, by the types of the initial carries."""
        stacks = [TensorType(t.dtype, (self.dim, *t.dims), t.sparse_dim) for t in self.stacked]
        return loop_results(initial, stacks, TensorType("int64") if self.ends else None)

    def param_types(self, initial: Sequence[TensorType], whole: Sequence[TensorType]) -> list[TensorType]:
        """What a step finds, by the types of the initial carries and of what is scanned."""
        return loop_params(TensorType("int64"), initial, [t.without([self.dim]) for t in whole])

    def step_types(self, initial: Sequence[TensorType]) -> list[TensorType]:
        """What a step gives, by the types of the initial carries."""
        return loop_results(initial, self.stacked, TensorType("bool") if self.ends else None)


@dataclass(frozen=True)
class LoopOptions:
    """What a loop is besides its parts.

    Attributes:
        hoist: whether work may be moved out of the body.
        length_carry: the number of the carry that counts the labels of each sequence.
        searches: its steps are those of a beam search.
    """

    hoist: bool = True
    length_carry: int | None = None
    searches: bool = False

    @classmethod
    def of(cls, attrs: Mapping[str, Any]) -> LoopOptions:
        """From the attributes of a node."""
        return cls(**{f.name: attrs[f.name] for f in fields(cls)})


@dataclass(frozen=True)
class LoopCarry:
    """A value that goes from step to step.

    Attributes:
        initial: before the first step.
        param: what a step finds.
        next: what the step leaves.
        result: behind each sequence's own last step.
    """

    initial: Value
    param: Value
    next: Value
    result: Value


@dataclass(frozen=True)
class LoopSlice:
    """A value that is scanned along the loop's dim, and what one step gets of it."""

    whole: Value
    param: Value


@dataclass(frozen=True)
class LoopStack:
    """A value of the body, and those of all steps, the loop's dim in front."""

    inner: Value
    outer: Value


@dataclass(frozen=True)
class LoopEnd:
    """How a loop ends by itself.

    Attributes:
        limit: the largest number of steps, int64 scalar.
        done: of the body: this step was the last one, bool scalar.
        steps: how many there were, int64 scalar.
    """

    limit: Value
    done: Value
    steps: Value


@dataclass(frozen=True)
class LoopView:
    """The parts of a loop as they are now; it does not follow what is changed later.

    Attributes:
        end: of a loop that ends by itself.
    """

    node: Node
    region: Region
    index: Value
    carries: tuple[LoopCarry, ...]
    slices: tuple[LoopSlice, ...]
    stacked: tuple[LoopStack, ...]
    end: LoopEnd | None

    @classmethod
    def of(cls, node: Node) -> LoopView:
        """Of a ``loop`` node."""
        layout, (region,) = LoopLayout.of(node.attrs), node.regions
        initial, whole, limit = layout.split_operands(node.operands)
        index, params, slices = layout.split_params(region.params)
        following, inner, done = layout.split_results(region.results)
        finals, outer, steps = layout.split_results(node.results)
        end = None
        if limit is not None and done is not None and steps is not None:
            end = LoopEnd(limit, done, steps)
        return cls(
            node,
            region,
            index,
            tuple(map(LoopCarry, initial, params, following, finals)),
            tuple(map(LoopSlice, whole, slices)),
            tuple(map(LoopStack, inner, outer)),
            end,
        )

    @property
    def dim(self) -> Dim:
        """What is looped over."""
        return self.layout.dim

    @property
    def layout(self) -> LoopLayout:
        """Where the parts stand."""
        return LoopLayout.of(self.node.attrs)

    @property
    def options(self) -> LoopOptions:
        """What it is besides."""
        return LoopOptions.of(self.node.attrs)

    def ending(self) -> LoopEnd:
        """The end of a loop that is known to end by itself."""
        if self.end is None:
            raise IRError("a loop over a dim of known length has no end of its own")
        return self.end

    def stacking(self, b: Builder, more: Sequence[Value]) -> LoopView:
        """The loop emitted again, with ``more`` values of its body stacked behind the others."""
        initial, params = [c.initial for c in self.carries], [c.param for c in self.carries]
        whole, slices = [part.whole for part in self.slices], [part.param for part in self.slices]
        limit, done = (None, None) if self.end is None else (self.end.limit, self.end.done)
        loop = OpenLoop(self.dim, initial, self.index, params, whole, slices, limit, self.options)
        stacked = [*(s.inner for s in self.stacked), *more]
        return loop.close(b, self.region, [c.next for c in self.carries], stacked, done)

    def captured(self) -> list[Value]:
        """The values around the loop that its body uses, lengths included."""
        around = self.region.parent
        return self.region.captures({} if around is None else around.all_dim_defs())


@dataclass(frozen=True)
class OpenLoop:
    """A loop whose body is still to be built.

    Attributes:
        dim: what is looped over.
        initial: carries before the first step.
        index, carries, slices: the params of the body.
        whole: what is scanned.
        limit: of a loop that ends by itself, the largest number of steps, int64 scalar.
        options: what the loop is besides.
    """

    dim: Dim
    initial: Sequence[Value]
    index: Value
    carries: list[Value]
    whole: Sequence[Value] = ()
    slices: list[Value] = field(default_factory=list)
    limit: Value | None = None
    options: LoopOptions = LoopOptions()

    @classmethod
    def begin(
        cls,
        dim: Dim,
        initial: Sequence[Value],
        whole: Sequence[Value] = (),
        limit: Value | None = None,
        options: LoopOptions = LoopOptions(),
    ) -> OpenLoop:
        """With new params."""
        carries, slices = [Value(v.type) for v in initial], [Value(v.type.without([dim])) for v in whole]
        return cls(dim, initial, Value(TensorType("int64")), carries, whole, slices, limit, options)

    @property
    def params(self) -> list[Value]:
        """Of the body."""
        return loop_params(self.index, self.carries, self.slices)

    def close(
        self,
        b: Builder,
        region: Region,
        following: Sequence[Value],
        stacked: Sequence[Value] = (),
        done: Value | None = None,
    ) -> LoopView:
        """Emit the node.

        Args:
            b: emits around the loop.
            region: the body, whose params and results are set.
            following: the next carries.
            stacked: values of the body that all steps are wanted of.
            done: of a loop that ends by itself: whether this step was the last one.
        """
        region.params = self.params
        region.results = loop_results(following, stacked, done)
        attrs = {
            "dim": self.dim,
            "carries": len(self.carries),
            "stacked": tuple(v.type for v in stacked),
            "ends": self.limit is not None,
            **vars(self.options),
        }
        operands = [*self.initial, *self.whole, *([] if self.limit is None else [self.limit])]
        b.emit(get_op("loop"), operands, attrs, (region,))
        return LoopView.of(b.region.nodes[-1])


def declare_types(node: Node) -> None:
    """Make the attributes of a loop or of a choice say what its values are, whose element types have changed."""
    if node.op.name == "cond":
        node.attrs = {**node.attrs, "branches": tuple(v.type for v in node.results)}
    else:
        node.attrs = {**node.attrs, "stacked": tuple(s.inner.type for s in LoopView.of(node).stacked)}


def add_carry(loop: Node, initial: Value, following: Callable[[Value], Value]) -> LoopCarry:
    """One more carry behind the others, in place: all values of the loop stay what they are.

    Args:
        loop: the node.
        initial: before the first step.
        following: from what a step finds, what it leaves.
    """
    at, (region,) = LoopLayout.of(loop.attrs).carries, loop.regions
    carry = Value(initial.type)
    result = Value(initial.type, loop)
    region.params.insert(1 + at, carry)
    region.results.insert(at, following(carry))
    loop.operands.insert(at, initial)
    loop.results.insert(at, result)
    for number, value in enumerate(loop.results):
        value.index = number
    loop.attrs = {**loop.attrs, "carries": at + 1}
    return LoopCarry(initial, carry, region.results[at], result)
