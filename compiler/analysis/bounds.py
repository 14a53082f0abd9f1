"""How large axes can get when a batch has at most so many sequences of at most so many frames.

An axis of an input is bounded by what is asked for, a derived axis by what it is derived from, and any other one by the
largest value that its lengths can have. Intervals are followed through the arithmetic that computes these, through
``max_seq_len`` and the steps of a loop, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from returnn_ir.ir.dim_values import DimAlgebra, evaluate
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Graph, Node, Value
from returnn_ir.ir.loop import LoopView

__all__ = ["Bounds", "Interval", "bounded_dims"]


@dataclass(frozen=True)
class Interval:
    """All that a value can be, whatever its entry."""

    low: float = -math.inf
    high: float = math.inf

    def union(self, other: Interval) -> Interval:
        """What is in either of them."""
        return Interval(min(self.low, other.low), max(self.high, other.high))


_ANY = Interval()


def _floordiv(number: float, divisor: int) -> float:
    return number if math.isinf(number) else number // divisor


def _product(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


_NUMBERS: DimAlgebra[float] = DimAlgebra(float, lambda a, b: a + b, _product, _floordiv, lambda a: max(a, 0.0))


def bounded_dims(graph: Graph) -> list[Dim]:
    """The dims of a graph that have no size, with those that they are derived from, in order."""
    found: dict[Dim, None] = {}
    for node in graph.body.walk():
        held = [*node.mentioned_dims(), *(d for v in node.operands for d in v.dims)]
        for dim in (d for h in held for d in (h, *leaves(h))):
            if dim.size is None:
                found[dim] = None
    return list(found)


class Bounds:
    """The largest extents of a graph's axes, and what its integers can be.

    Args:
        graph: in any stage.
        batch: the largest number of sequences.
        longest: the largest number of frames of an axis of an input.
    """

    def __init__(self, graph: Graph, batch: int, longest: int) -> None:
        self._batch, self._longest = batch, longest
        self._lengths = {d: v for region in graph.body.regions() for d, v in region.dim_defs.items()}
        self._sizes = set(self._lengths.values())
        self._loops: dict[Value, Callable[[], Interval]] = {}
        self._known: dict[Value, Interval] = {}
        for node in graph.body.walk():
            if node.op.name == "loop":
                self._enter(LoopView.of(node))

    def extent(self, dim: Dim) -> int | None:
        """The largest extent of an axis; None if nothing bounds it."""
        largest = evaluate(dim, _NUMBERS, self._leaf)
        return None if math.isinf(largest) else max(int(largest), 0)

    def _leaf(self, dim: Dim) -> float:
        if dim.is_batch:
            return self._batch
        length = self._lengths.get(dim)
        if length is None or (length.node is not None and length.node.op.name == "input"):
            return self._longest
        return self.interval(length).high

    def interval(self, value: Value) -> Interval:
        """What the entries of a value can be."""
        if value not in self._known:
            self._known[value] = _ANY  # what is computed from itself
            self._known[value] = self._computed(value)
        return self._known[value]

    def _computed(self, value: Value) -> Interval:
        if value in self._loops:
            return self._loops[value]()
        node = value.node
        if node is None:
            return _ANY
        if node.op.name == "input" and value in self._sizes:
            return Interval(0, self._longest)
        rule = _RULES.get(node.op.name)
        return rule(self, node) if rule is not None else _ANY

    def steps(self, loop: LoopView) -> int | None:
        """The largest number of steps of a loop; None if nothing bounds it."""
        most = self._steps(loop)
        return None if math.isinf(most) else max(int(most), 0)

    def _steps(self, loop: LoopView) -> float:
        return evaluate(loop.dim, _NUMBERS, self._leaf) if loop.end is None else self.interval(loop.end.limit).high

    def _enter(self, loop: LoopView) -> None:
        self._loops[loop.index] = lambda: Interval(0, self._steps(loop) - 1)
        if loop.end is not None:
            self._loops[loop.end.steps] = lambda: Interval(0, self._steps(loop))
        for part in loop.slices:
            self._loops[part.param] = lambda whole=part.whole: self.interval(whole)  # type: ignore[misc]

    def over(self, dims: Iterable[Dim]) -> float:
        """The largest number of entries along some axes."""
        return math.prod(evaluate(d, _NUMBERS, self._leaf) for d in dims)


# -------------------------------------------------------------------- rules

_Rule = Callable[[Bounds, Node], Interval]


def _first(bounds: Bounds, node: Node) -> Interval:
    return bounds.interval(node.operands[0])


def _const(bounds: Bounds, node: Node) -> Interval:
    held = np.asarray(node.attrs["value"])
    if held.dtype.kind not in "bifu" or not held.size:
        return _ANY
    return Interval(float(held.min()), float(held.max()))


def _input(bounds: Bounds, node: Node) -> Interval:
    """Labels; lengths are known by the axes that they are of."""
    labels = node.attrs["labels"]
    return Interval(0, labels - 1) if labels is not None else _ANY


def _monotone(function: Callable[[float], float]) -> _Rule:
    def rule(bounds: Bounds, node: Node) -> Interval:
        x = _first(bounds, node)
        return Interval(*(e if math.isinf(e) else function(e) for e in (x.low, x.high)))

    return rule


def _neg(bounds: Bounds, node: Node) -> Interval:
    x = _first(bounds, node)
    return Interval(-x.high, -x.low)


def _pair(function: Callable[[Interval, Interval], Interval]) -> _Rule:
    return lambda bounds, node: function(*(bounds.interval(v) for v in node.operands[:2]))


def _mul(a: Interval, b: Interval) -> Interval:
    ends = [_product(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(min(ends), max(ends))


def _div(a: Interval, b: Interval) -> Interval:
    """By a positive number."""
    if b.low <= 0:
        return _ANY
    ends = [x if math.isinf(x) and math.isinf(y) else x / y for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(min(ends), max(ends))


def _floor_of(x: Interval) -> Interval:
    return Interval(*(e if math.isinf(e) else math.floor(e) for e in (x.low, x.high)))


def _mod(a: Interval, b: Interval) -> Interval:
    return Interval(0, b.high) if b.low > 0 else _ANY


def _where(bounds: Bounds, node: Node) -> Interval:
    _, x, y = node.operands
    return bounds.interval(x).union(bounds.interval(y))


def _up_to(less: int) -> _Rule:
    return lambda bounds, node: Interval(0, bounds.over([node.attrs["dim"]]) - less)


def _reduce(bounds: Bounds, node: Node) -> Interval:
    x, kind = _first(bounds, node), node.attrs["kind"]
    if kind in ("max", "min", "mean"):
        return x
    if kind == "sum":
        count = bounds.over(node.attrs["dims"])
        return Interval(min(_product(x.low, count), 0.0), max(_product(x.high, count), 0.0))
    return Interval(0, 1) if kind in ("any", "all") else _ANY


_RULES: dict[str, _Rule] = {
    "const": _const,
    "input": _input,
    "where": _where,
    "reduce": _reduce,
    "neg": _neg,
    "add": _pair(lambda a, b: Interval(a.low + b.low, a.high + b.high)),
    "sub": _pair(lambda a, b: Interval(a.low - b.high, a.high - b.low)),
    "mul": _pair(_mul),
    "div": _pair(_div),
    "floordiv": _pair(lambda a, b: _floor_of(_div(a, b))),
    "mod": _pair(_mod),
    "maximum": _pair(lambda a, b: Interval(max(a.low, b.low), max(a.high, b.high))),
    "minimum": _pair(lambda a, b: Interval(min(a.low, b.low), min(a.high, b.high))),
    "floor": _monotone(math.floor),
    "ceil": _monotone(math.ceil),
    "round": _monotone(round),
    "iota": _up_to(1),
    "length": _up_to(0),
    "extent": _up_to(0),
    "size_of": _up_to(0),
    **dict.fromkeys(
        ("cast", "rename", "transpose", "expand", "squeeze", "merge", "split", "slice", "gather", "set_sparse"), _first
    ),
    **dict.fromkeys(("label_index", "stop_gradient", "reverse", "sections"), _first),
}
