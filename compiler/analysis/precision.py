"""Which float32 values a low element type can take the place of, where a training mixes the two: a dataflow.

Products make low values (:class:`Precision`), what computes in float32 makes full ones, and what lies between follows.
A loop's carry is what it starts with and what a step leaves, so it is followed until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum

import numpy as np

from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopView
from returnn_ir.ir.op import Precision, Trait
from returnn_ir.ir.types import in_dtype

__all__ = ["FULL_DTYPE", "PrecisionFlow", "Width", "holds"]

#: What is lowered, and what an island computes in.
FULL_DTYPE = "float32"

_BETWEEN = frozenset({"mul", "where", "neg", "cast"})
_SUMS = frozenset({"add", "sub"})


class Width(IntEnum):
    """What a float32 value is to be; a value that follows several is the largest of these."""

    OPEN = 0  #: parameters, constants, draws and what is made of them alone: float32, and low for users that are
    LOW = 1
    FULL = 2


def holds(dtype: str, value: object) -> bool:
    """Whether a type of 16 bits has a number, or those of an array, up to rounding: none overflows or becomes zero."""
    if isinstance(value, (bool, complex, str)) or value is None:
        return True
    size = np.abs(np.asarray(value, np.float32))
    size = size[np.isfinite(size) & (size > 0)]
    # the exponents of bfloat16 are those of float32
    smallest = np.finfo(np.float16 if dtype == "float16" else np.float32).tiny
    with np.errstate(over="ignore"):
        return bool(np.all(np.isfinite(in_dtype(size, dtype))) and np.all(size >= smallest))


class PrecisionFlow:
    """The widths of all float32 values of a graph.

    Args:
        low: ``float16`` or ``bfloat16``.
        takes: whether what wants to be low can be, by node and the region that it stands in.
    """

    def __init__(self, low: str, takes: Callable[[Node, Region], bool]) -> None:
        self._low, self._takes = low, takes
        self._widths: dict[Value, Width] = {}
        self._taken: dict[Node, bool] = {}
        #: what depends on a parameter; a product of features alone is no matter of speed, and its range is theirs
        self._learned: set[Value] = set()

    def of(self, value: Value) -> Width:
        """The width of a value that has been visited."""
        return self._widths.get(value, Width.FULL)

    @property
    def lowers(self) -> bool:
        """Whether any value is low."""
        return Width.LOW in self._widths.values()

    def of_node(self, node: Node) -> Width:
        """What a node without regions computes in, by what is known of its operands."""
        precision = node.op.precision
        if precision is Precision.ANY:
            lowered = self._taken.get(node, False) and any(v in self._learned for v in node.operands)
            return Width.LOW if lowered else Width.FULL
        if precision is Precision.ISLAND or not self._holds_numbers(node):
            return Width.FULL
        if node.op.has(Trait.DERIVATIVE):
            return self.of(node.operand("x"))
        if node.op.name == "cast" and node.operands[0].dtype not in (FULL_DTYPE, "bool"):
            return Width.FULL  # numbers of another type: positions, lengths; a truth value is exact in any type
        followed = [v for k, v in enumerate(node.operands) if not node.op.is_apart(k)]
        return max((self.of(v) for v in followed if v.dtype == FULL_DTYPE), default=Width.OPEN)

    def _holds_numbers(self, node: Node) -> bool:
        """Whether a constant, or what pads an axis, is the same in the low type, up to rounding."""
        return node.results[0].dtype != FULL_DTYPE or holds(self._low, node.attrs.get("value"))

    def visit(self, region: Region) -> None:
        """Follow the values of a region and of those in it; again with what is known by now, if it is visited again."""
        for node in region.nodes:
            if node.op.name == "loop":
                self._loop(LoopView.of(node))
            elif node.op.name == "cond":
                for inner in node.regions:
                    self.visit(inner)
                for result, *branches in zip(node.results, *(inner.results for inner in node.regions), strict=True):
                    self._follow(result, branches)
            else:
                self._node(node, region)

    def _node(self, node: Node, region: Region) -> None:
        if node.op.precision is Precision.ANY and node not in self._taken:
            self._taken[node] = self._takes(node, region)
        learned = node.op.name == "param" or any(v in self._learned for v in node.operands)
        width = self.of_node(node)
        for result in node.results:
            self._set(result, width, learned=learned)

    def _loop(self, loop: LoopView) -> None:
        for part in loop.slices:
            self._follow(part.param, [part.whole])
        for carry in loop.carries:
            self._follow(carry.param, [carry.initial])
            if _adds_up(carry.param, carry.next, loop.region):
                self._set(carry.param, Width.FULL, learned=False)
        while True:
            self.visit(loop.region)
            before = [self._known(carry.param) for carry in loop.carries]
            for carry in loop.carries:
                self._follow(carry.param, [carry.next])
            if before == [self._known(carry.param) for carry in loop.carries]:
                break
        for carry in loop.carries:
            self._follow(carry.result, [carry.param])
        for stack in loop.stacked:
            self._follow(stack.outer, [stack.inner])

    def _known(self, value: Value) -> tuple[Width, bool]:
        return self.of(value), value in self._learned

    def _follow(self, value: Value, sources: Iterable[Value]) -> None:
        for source in sources:
            self._set(value, self.of(source), learned=source in self._learned)

    def _set(self, value: Value, width: Width, *, learned: bool) -> None:
        """Widths only grow."""
        if value.dtype == FULL_DTYPE:
            self._widths[value] = max(width, self._widths.get(value, Width.OPEN))
        if learned:
            self._learned.add(value)


def _adds_up(before: Value, after: Value, body: Region) -> bool:
    """Whether a step adds something to a carry: a sum over steps, as a cell's state is, with factors or without."""
    reached: dict[Value, bool] = {before: False}  # whether anything was added on the way
    for node in body.nodes:
        found = [reached[v] for v in node.operands if v in reached]
        name = node.op.name
        if found and (name in _SUMS or name in _BETWEEN or node.op.has(Trait.MOVES)):
            reached.update((result, any(found) or name in _SUMS) for result in node.results)
    return reached.get(after, False)
