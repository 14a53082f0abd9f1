"""A loop while its body is built: carries, scanned inputs and stacked outputs are added as layers ask for them."""

from __future__ import annotations

from dataclasses import dataclass, field

from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Region, Value
from returnn_ir.ir.loop import LoopOptions, LoopView, OpenLoop
from returnn_ir.ir.types import TensorType

__all__ = ["LENGTH", "Carry", "LoopBuilder", "state_carry"]


#: The carry that counts the labels of each sequence, in a loop that ends by itself.
LENGTH = "length"


@dataclass
class Carry:
    """A value that goes from step to step.

    Attributes:
        initial: before the first step, a value of the surrounding region; None until its owner is built.
        value: what a step finds, a parameter of the body.
        following: what the step leaves.
    """

    initial: Value | None
    value: Value
    following: Value | None = None


@dataclass
class LoopBuilder:
    """One loop under construction.

    Attributes:
        outer: emits into the region around the loop.
        region: the body.
        dim: what is looped over; for a loop that ends by itself its length is the number of steps.
        limit: for a loop that ends by itself, the largest number of steps (int64 scalar).
        hoist: whether work may be moved out of the loop later.
        past: dims whose length is the number of steps so far.
        drafts: the body is built to find types only: a carry whose type turns out to be another one is made anew.
        own_time: ``dim`` as seen in values that come from outside as a whole (attention over the axis of the loop).
    """

    outer: Builder
    dim: Dim
    own_time: Dim
    limit: Value | None = None
    hoist: bool = True
    drafts: bool = False
    region: Region = field(default_factory=Region)
    index: Value = field(default_factory=lambda: Value(TensorType("int64")))
    carries: dict[str, Carry] = field(default_factory=dict)
    done: Value | None = None
    past: set[Dim] = field(default_factory=set)
    _scanned: dict[Value, Value] = field(default_factory=dict)
    _stacked: dict[Value, int] = field(default_factory=dict)
    _captured: dict[Value, Value] = field(default_factory=dict)
    _view: LoopView | None = None

    def __post_init__(self) -> None:
        self.region.parent = self.outer.region
        known = all(self.outer.lookup(leaf) is not None for leaf in leaves(self.dim) if leaf.is_dynamic)
        if self.limit is None and self.dim.is_dynamic and known:
            self._define_own_time()  # before initial values, which may have this axis

    def carry(self, key: str, initial: Value) -> Value:
        """The carry of that name, made with ``initial`` if there is none yet."""
        self._drop_draft(key, initial.type)
        carry = self.carries.setdefault(key, Carry(initial, Value(initial.type)))
        if carry.initial is None:
            carry.initial = initial
        return carry.value

    def reserve(self, key: str, type_: TensorType) -> Value:
        """The carry of that name for somebody who reads it before its owner is built."""
        self._drop_draft(key, type_)
        return self.carries.setdefault(key, Carry(None, Value(type_))).value

    def _drop_draft(self, key: str, type_: TensorType) -> None:
        if self.drafts and key in self.carries and not self.carries[key].value.type.same_as(type_):
            del self.carries[key]

    def scan(self, value: Value) -> Value:
        """The slice of an outer value that belongs to the step."""
        if value not in self._scanned:
            self._scanned[value] = Value(value.type.without([self.dim]))
        return self._scanned[value]

    def sequence_of(self, value: Value) -> Value | None:
        """The outer value that something is this step's slice of, if it is one."""
        return next((outer for outer, inner in self._scanned.items() if inner is value), None)

    def capture(self, value: Value) -> Value:
        """An outer value as a whole: its axis of the loop's dim, if it has one, is not the loop's."""
        if self.dim not in value.dims:
            return value
        if value not in self._captured:
            self._define_own_time()
            self._captured[value] = self.outer.rename(value, (self.dim, self.own_time))
        return self._captured[value]

    def _define_own_time(self) -> None:
        if self.outer.lookup(self.own_time) is None:
            self.outer.define(self.own_time, self.outer.length(self.dim))

    def part_of_step(self, value: Value, dim: Dim) -> Value:
        """The entry of this step along an axis of something that is seen as a whole."""
        original = next((outer for outer, inner in self._captured.items() if inner is value), None)
        if self.limit is None and original is not None and dim is self.own_time:
            return self.scan(original)
        return Builder(self.region, origin=self.outer.origin).op("gather", value, self.index, dim=dim)

    def stack(self, value: Value) -> None:
        """Ask for the values of all steps."""
        self._stacked.setdefault(value, len(self._stacked))

    def finish(self) -> None:
        """Emit the loop behind everything that its initial values needed."""
        following = []
        for key, carry in self.carries.items():
            if carry.following is None or carry.initial is None:
                raise IRError(f"nothing says what carry {key!r} becomes")
            if not carry.following.type.same_as(carry.value.type) or not carry.initial.type.same_as(carry.value.type):
                raise IRError(f"carry {key!r} starts as {carry.initial.type} and goes on as {carry.following.type}")
            following.append(carry.following)
        if self.limit is not None and self.done is None:
            raise IRError("nothing says when the loop ends")
        initial = [c.initial for c in self.carries.values() if c.initial is not None]
        params, slices = [c.value for c in self.carries.values()], list(self._scanned.values())
        length = list(self.carries).index(LENGTH) if LENGTH in self.carries else None
        options = LoopOptions(self.hoist, length)
        loop = OpenLoop(self.dim, initial, self.index, params, list(self._scanned), slices, self.limit, options)
        self._view = loop.close(self.outer, self.region, following, list(self._stacked), self.done)
        if self._view.end is not None:
            self.outer.define(self.dim, self._view.end.steps)

    def stacked(self, value: Value) -> Value:
        """The values of all steps of something that was asked for by :meth:`stack`, the loop's dim in front."""
        return self._closed().stacked[self._stacked[value]].outer

    def last(self, key: str) -> Value:
        """The final value of a carry."""
        return self._closed().carries[list(self.carries).index(key)].result

    def _closed(self) -> LoopView:
        if self._view is None:
            raise IRError("the loop's results are asked for before it is built")
        return self._view


def state_carry(builder: LoopBuilder, path: str) -> Carry | None:
    """The carry that a layer's output is the value of: a cell's hidden state, or the output that a mask holds."""
    keys = (f"{path}:{part}" for part in ("output/", "h", "state"))
    return next((builder.carries[key] for key in keys if key in builder.carries), None)
