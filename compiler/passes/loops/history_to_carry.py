"""What is left of ``history`` after hoisting becomes state: a buffer over the loop's steps that each step adds to.

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
from returnn_ir.ir.graph import Graph, Node, Region, Stage, Value
from returnn_ir.ir.op import get_op

__all__ = ["HistoryToCarry", "lower_histories"]


@dataclass(frozen=True)
class HistoryToCarry(Pass):
    """Lower every ``history`` to a carry of its loop."""

    name: ClassVar[str] = "history_to_carry"
    requires: ClassVar[tuple[Stage, ...]] = ("named",)

    def run(self, graph: Graph, context: Context) -> bool:
        """Inner loops first: a history in them may be one of values that are histories of the outer loop."""
        return lower_histories(graph.body)


def lower_histories(region: Region, only: Callable[[Node], bool] = lambda loop: True) -> bool:
    """Lower the histories of all loops in a region that ``only`` accepts, inner ones first."""
    changed = False
    old, region.nodes = region.nodes, []
    outer = Builder(region)
    for node in old:
        for inner in node.regions:
            changed |= lower_histories(inner, only)
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
        limit = loop.operands[-1] if loop.attrs["ends"] else outer.extent(loop.attrs["dim"])
        outer.define(self._past, limit)

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
        buffer = self._carry(self._outer.expand(empty, self._past, *x.dims))
        now = inner.binary("equal", inner.iota(self._past), self._body.params[0])
        following = inner.where(now, x, buffer)
        if following.type.sparse_dim is not x.type.sparse_dim:
            following = inner.op("set_sparse", following, sparse_dim=x.type.sparse_dim)
        self._body.results[self._loop.attrs["carries"] - 1] = following
        return inner.op("resize_axis", following, dim=self._past, out=node.attrs["dim"])

    def _carry(self, initial: Value) -> Value:
        """One more carry behind the others; what it becomes is still to be said."""
        loop, at = self._loop, self._loop.attrs["carries"]
        param = Value(initial.type)
        loop.operands.insert(at, initial)
        self._body.params.insert(1 + at, param)
        self._body.results.insert(at, param)
        loop.results.insert(at, Value(initial.type, loop))
        for index, result in enumerate(loop.results):
            result.index = index
        loop.attrs = get_op("loop").complete({**loop.attrs, "carries": at + 1})
        return param
