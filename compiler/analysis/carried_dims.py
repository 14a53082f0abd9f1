"""Which dims the carries of a loop gain when its body is emitted over other operands: found without emitting it.

A dataflow over types, those of nested loops and branches included. Every node is inferred once, in execution order;
from then on only those are inferred again whose operands or lengths have gained dims, until nothing gains any.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopView, OpenLoop
from returnn_ir.ir.op import Scope
from returnn_ir.ir.types import TensorType

__all__ = ["TypeRule", "carried_dims"]

#: The types of what will stand for a node, by those of its operands; None: the node itself.
TypeRule = Callable[[Node, Sequence[TensorType]], "list[TensorType] | None"]


def carried_dims(
    around: Scope, node: Node, loop: OpenLoop, env: Mapping[Value, Value], rule: TypeRule
) -> list[list[Dim]]:
    """For each carry of a loop, the dims that it has in the end and does not start with.

    Args:
        around: where the new loop is to stand.
        node: the loop.
        loop: the new loop, with carries that start with what they are given.
        env: what captured values of the body have become.
        rule: asked first, for the nodes of nested regions too.
    """
    old = LoopView.of(node)
    flow = _Flow(around, old.region, env, rule)
    flow.types.update(zip(old.region.params, (p.type for p in loop.params), strict=True))
    flow.visit(old.region)
    for carry in old.carries:
        flow.lead(carry.next, carry.param)
    flow.settle()
    ends = [flow.type(carry.param).dims for carry in old.carries]
    return [[d for d in end if d not in start.dims] for start, end in zip(loop.carries, ends, strict=True)]


class _Flow:
    """The types of the values of one region and of those in it.

    Attributes:
        types: as far as they are known; they only gain dims.
    """

    def __init__(self, around: Scope, top: Region, env: Mapping[Value, Value], rule: TypeRule) -> None:
        self.types: dict[Value, TensorType] = {}
        self._around, self._top, self._env, self._rule = around, top, env, rule
        #: what is inferred from a value, and the values that have all dims of another one
        self._readers: dict[Value, dict[Node, Region]] = {}
        self._leads: dict[Value, list[Value]] = {}
        self._gains: deque[tuple[Value, list[Dim]]] = deque()

    def type(self, value: Value) -> TensorType:
        """The type of a value of the region or around it."""
        return self.types[value] if value in self.types else self._env.get(value, value).type

    def visit(self, region: Region) -> None:
        """Infer all nodes once."""
        for node in region.nodes:
            if node.op.name == "loop":
                self._visit_loop(LoopView.of(node))
            elif node.op.name == "cond":
                self._visit_branches(node)
            else:
                self.types.update(zip(node.results, self._infer(node, region), strict=True))
                for value in node.operands:
                    self._readers.setdefault(value, {})[node] = region

    def lead(self, source: Value, target: Value) -> None:
        """Say that a value has all dims of another one."""
        self._leads.setdefault(source, []).append(target)
        self._gain(target, self.type(source).dims)

    def settle(self) -> None:
        """Follow the gains until there are none."""
        while self._gains:
            value, gained = self._gains.popleft()
            for target in self._leads.get(value, ()):
                self._gain(target, gained)
            for node, region in self._readers.get(value, {}).items():
                if any(d not in self.type(result).dims for result in node.results for d in gained):
                    for result, found in zip(node.results, self._infer(node, region), strict=True):
                        self._gain(result, found.dims)

    def _gain(self, value: Value, dims: Sequence[Dim]) -> None:
        before = self.type(value)
        gained = [d for d in dims if d not in before.dims]
        if gained:
            self.types[value] = before.with_dims((*before.dims, *gained))
            self._gains.append((value, gained))

    def _infer(self, node: Node, region: Region) -> list[TensorType]:
        types = [self.type(v) for v in node.operands]
        instead = self._rule(node, types)
        return instead if instead is not None else node.op.infer(_Place(self, node, region), types, node.attrs)

    def _visit_loop(self, loop: LoopView) -> None:
        for carry in loop.carries:
            self.types[carry.param] = self.types[carry.result] = self.type(carry.initial)
        for part in loop.slices:
            self.types[part.param] = self.type(part.whole).without([loop.dim])
        self.visit(loop.region)
        for stack in loop.stacked:
            inner = self.type(stack.inner)
            self.types[stack.outer] = inner.with_dims((loop.dim, *inner.dims))
        for carry in loop.carries:
            self.lead(carry.initial, carry.param)
            self.lead(carry.param, carry.result)
            self.lead(carry.next, carry.param)
        for part in loop.slices:
            self._leads.setdefault(part.whole, []).append(part.param)
        for stack in loop.stacked:
            self.lead(stack.inner, stack.outer)

    def _visit_branches(self, node: Node) -> None:
        for region in node.regions:
            self.visit(region)
        for result, *branches in zip(node.results, *(region.results for region in node.regions), strict=True):
            self.types[result] = self.type(branches[0])
            for value in branches:
                self.lead(value, result)

    def length(self, dim: Dim, node: Node, region: Region) -> Value | None:
        """The length of a dim as ``node`` sees it, which is inferred again when it gains dims."""
        at: Region | None = region
        while at is not None and dim not in at.dim_defs:
            at = None if at is self._top else at.parent
        if at is None:
            return self._around.lookup(dim)
        length = at.dim_defs[dim]
        self._readers.setdefault(length, {})[node] = region
        return Value(self.type(length))


class _Place:
    """Where a node stands, for its inference."""

    positional = False

    def __init__(self, flow: _Flow, node: Node, region: Region) -> None:
        self._flow, self._node, self._region = flow, node, region

    def lookup(self, dim: Dim) -> Value | None:
        """The lengths of a dynamic dim, the extent of a batch dim."""
        return self._flow.length(dim, self._node, self._region)
