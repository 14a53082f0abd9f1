"""Where labels come from: the inputs, constants and choices whose values reach an index into a labelled axis.

A value flows unchanged through ops that only move entries. What is computed in any other way is only known at run time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.loop import LoopView
from returnn_ir.ir.op import Trait
from returnn_ir.ir.types import is_integer

__all__ = ["LabelSources", "Trace", "label_sources"]


@dataclass(frozen=True)
class LabelSources:
    """Where the values of a tensor come from.

    Attributes:
        inputs: ``input`` nodes.
        constants: ``const`` nodes.
        chosen: nodes with a constant that may not reach a frame that counts: a condition or a cut keeps it out.
        bound: what numbers that the program makes itself (positions of a maximum, steps of a count) are below.
        unknown: some are computed in another way.
    """

    inputs: frozenset[Node] = frozenset()
    constants: frozenset[Node] = frozenset()
    chosen: frozenset[Node] = frozenset()
    bound: int = 0
    unknown: bool = False

    def __or__(self, other: LabelSources) -> LabelSources:
        return LabelSources(
            self.inputs | other.inputs,
            self.constants | other.constants,
            self.chosen | other.chosen,
            max(self.bound, other.bound),
            self.unknown or other.unknown,
        )

    def certainly_outside(self, labels: int) -> tuple[Node, int] | None:
        """A constant with an entry that is none of 0 to labels - 1, and that entry."""
        found = ((node, _outside(node, labels)) for node in self.constants)
        return next(((node, int(wrong[0])) for node, wrong in found if wrong.size), None)

    @property
    def made(self) -> int | None:
        """What all entries are below, none of them negative, without a look at inputs; None where nobody knows."""
        constants = [np.asarray(node.attrs["value"]).reshape(-1) for node in self.constants | self.chosen]
        entries = np.concatenate([np.zeros(0, "int64"), *constants])
        if self.unknown or self.inputs or (entries < 0).any():
            return None
        return max(self.bound, int(entries.max(initial=-1)) + 1)

    def certainly_inside(self, labels: int) -> bool:
        """Whether all is in range if the inputs are."""
        constants = self.constants | self.chosen
        return not self.unknown and self.bound <= labels and not any(_outside(n, labels).size for n in constants)


def _outside(constant: Node, labels: int) -> Array:
    entries = np.atleast_1d(np.asarray(constant.attrs["value"]))
    return entries[(entries < 0) | (entries >= labels)]


_UNKNOWN = LabelSources(unknown=True)


class Trace:
    """Follows values of one graph back to where they come from."""

    def __init__(self, graph: Graph) -> None:
        self._fed: dict[Value, tuple[Value, ...]] = dict(_fed_by_loops(graph.body))

    def sources(self, value: Value) -> LabelSources:
        """Where the values of a tensor of integers come from."""
        return self._join([value], set())

    def _join(self, values: Iterable[Value], seen: set[Value]) -> LabelSources:
        found = LabelSources()
        for value in values:
            if value not in seen:  # what comes back to itself brings nothing new
                seen.add(value)
                found |= self._of(value, seen)
        return found

    def _of(self, value: Value, seen: set[Value]) -> LabelSources:
        if value in self._fed:
            return self._join(self._fed[value], seen)
        node = value.node
        if node is None:
            return _UNKNOWN
        name = node.op.name
        if name == "input":
            return LabelSources(inputs=frozenset({node}))
        if name == "const":
            return LabelSources(constants=frozenset({node}))
        if name == "where":
            return self._chosen(node, seen)
        if name == "pad":
            return self._join(node.operands, seen) | LabelSources(chosen=frozenset({node}))
        bound = self._divided(node) if name in ("mod", "floordiv") else _own_bound(node, value)
        if bound is not None:
            return LabelSources(bound=bound)
        moved = _moved(node, value.index)
        return _UNKNOWN if moved is None else self._picked(node, moved, seen)

    def _divided(self, node: Node) -> int | None:
        """What a remainder, or a quotient of numbers that are not negative, is below."""
        x, divisor = node.operands
        number = _constant(divisor)
        if number is None or number <= 0:
            return None
        if node.op.name == "mod":
            return number
        below = self.sources(x).made
        return None if below is None else -(-below // number)

    def _picked(self, node: Node, moved: Sequence[Value], seen: set[Value]) -> LabelSources:
        """Entries of these values; positions that look at the same data may be there to keep out what is no label."""
        found = self._join(moved, seen)
        positions = [value for value in node.operands if value not in moved]
        return _UNKNOWN if any(found.inputs & self._read_by(value) for value in positions) else found

    def _chosen(self, node: Node, seen: set[Value]) -> LabelSources:
        """One or the other; a condition that looks at the same data may be there to keep out what is no label."""
        condition, *others = node.operands
        found = self._join(others, seen)
        if found.inputs & self._read_by(condition):
            return _UNKNOWN
        return replace(found, constants=frozenset(), chosen=found.chosen | found.constants)

    def _read_by(self, value: Value) -> set[Node]:
        """The inputs whose entries a value depends on."""
        seen: set[Value] = set()
        stack, found = [value], set()
        while stack:
            current = stack.pop()
            if current in seen:
                continue
            seen.add(current)
            stack.extend(self._fed.get(current, ()))
            if current.node is None or current.node.op.name == "size_of":
                continue
            if current.node.op.name == "input":
                found.add(current.node)
            stack.extend(current.node.operands)
            for region in current.node.regions:
                stack.extend(region.results)
        return found


def _fed_by_loops(region: Region) -> Iterator[tuple[Value, tuple[Value, ...]]]:
    """What the parameters of the bodies of loops are given, from step to step, and their results."""
    for node in region.nodes:
        if node.op.name == "loop":
            loop = LoopView.of(node)
            for carry in loop.carries:
                yield from ((value, (carry.initial, carry.next)) for value in (carry.param, carry.result))
            yield from ((part.param, (part.whole,)) for part in loop.slices)
            yield from ((stack.outer, (stack.inner,)) for stack in loop.stacked)
        for inner in node.regions:
            yield from _fed_by_loops(inner)


def _moved(node: Node, index: int) -> list[Value] | None:
    """The values whose entries the result has; None where it computes others."""
    name = node.op.name
    if name == "cond":
        return [region.results[index] for region in node.regions]
    if node.op.has(Trait.JOINS):
        return node.operands
    if node.op.has(Trait.MOVES):
        return node.operands[:1]
    if name == "step_beam":  # the k-th result is the k-th operand
        return [node.operands[index]]
    if name == "cast" and is_integer(node.operands[0].dtype):
        return node.operands
    return None


def _constant(value: Value) -> int | None:
    """The number that a value without axes always is."""
    node = value.node
    return int(node.attrs["value"]) if node is not None and node.op.name == "const" and not value.dims else None


def _own_bound(node: Node, value: Value) -> int | None:
    """For numbers that an op makes itself, from 0 on: what they are below."""
    name, attrs = node.op.name, node.attrs
    if name in ("argmax", "argmin", "iota") or (name == "top_k" and value.index == 1):
        size: int | None = attrs["dim"].size
        return size
    if name == "choice":
        classes: int | None = attrs["classes"].size
        return classes
    if name == "cast" and node.operands[0].dtype == "bool":
        return 2
    return None


def label_sources(graph: Graph) -> dict[Node, LabelSources]:
    """Each place where labels index an axis, with where they come from."""
    trace = Trace(graph)
    return {node: trace.sources(node.operands[0]) for node in graph.nodes("label_index")}
