"""What a loop remembers of its steps becomes state: ``history`` is a buffer over the steps that each step adds to.

The buffer has its final size from the start, because a carry that grows would be copied in every step; what a step
sees of it is cut to the steps so far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from returnn_ir.errors import DimError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.loop import LoopView, add_carry
from returnn_ir.ir.mode import Stage
from returnn_ir.ops.search import searches

__all__ = ["HistoryToCarry"]


@dataclass(frozen=True)
class HistoryToCarry(Pass):
    """Lower every ``history`` to a carry of its loop.

    Attributes:
        searching: only in loops that search: what a hypothesis remembers changes hands with it, as carries do. The rest
            may still leave its loop.
    """

    name: ClassVar[str] = "history_to_carry"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)
    searching: bool = False

    def run(self, graph: Graph, context: Context) -> bool:
        """Inner loops first: a history in them may be one of values that are histories of the outer loop."""
        return _lower_histories(graph.body, searches if self.searching else lambda loop: True)


def _lower_histories(region: Region, only: Callable[[Node], bool]) -> bool:
    """Lower the histories of all loops in a region that ``only`` accepts, inner ones first."""
    changed = False
    old, region.nodes = region.nodes, []
    outer = Builder(region)
    for node in old:
        for inner in node.regions:
            changed |= _lower_histories(inner, only)
        if node.op.name == "loop" and only(node) and any(n.op.name == "history" for n in node.regions[0].nodes):
            with outer.at(node.origin):
                _Lowering(outer, node).run()
            changed = True
        region.nodes.append(node)
    return changed


class _Lowering:
    """One loop."""

    def __init__(self, outer: Builder, loop: Node) -> None:
        self._outer = outer
        self._loop = loop
        self._body = loop.regions[0]
        self._past = Dim(f"{loop.attrs['dim'].name}.past")
        self._env: dict[Value, Value] = {}
        view = LoopView.of(loop)
        self._index = view.index
        outer.define(self._past, outer.extent(view.dim) if view.end is None else view.end.limit)

    def run(self) -> None:
        """Replace the nodes and give the loop their carries."""
        old, self._body.nodes = self._body.nodes, []
        inner = Builder(self._body)
        for node in old:
            if node.op.name != "history":
                self._body.nodes.append(node)
                continue
            with inner.at(node.origin):
                self._env[node.result] = self._lower(inner, node)
        self._body.substitute(self._env)

    def _lower(self, inner: Builder, node: Node) -> Value:
        x = self._env.get(node.operands[0], node.operands[0])
        local = [d for d in x.dims if any(leaf in self._body.dim_defs for leaf in leaves(d))]
        if local:
            raise DimError(
                "what a loop remembers of all its steps has an axis of another size in each step",
                where=node.origin,
                received=x.type,
            )
        empty = self._outer.const(0, x.dtype, sparse_dim=x.type.sparse_dim)
        initial = self._outer.expand(empty, self._past, *x.dims)
        carry = add_carry(self._loop, initial, lambda buffer: self._with_step(inner, buffer, x))
        return inner.op("resize_axis", carry.next, dim=self._past, out=node.attrs["dim"])

    def _with_step(self, inner: Builder, buffer: Value, x: Value) -> Value:
        """The buffer with the value of this step in its place."""
        now = inner.binary("equal", inner.iota(self._past), self._index)
        following = inner.where(now, x, buffer)
        if following.type.sparse_dim is not x.type.sparse_dim:
            following = inner.op("set_sparse", following, sparse_dim=x.type.sparse_dim)
        return following
