"""What a loop remembers of its steps becomes state that each step adds to, in one of two forms.

A loop that searches carries the steps so far, and each step puts its own behind them: so all that it computes, and what
changes hands between hypotheses, are the frames that are there. In other loops it is a buffer that has its final size
from the start, of which a step sees what is there; gradients and final carries need a carry whose size stays.
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
        growing: the carries of such loops grow, as far as the loops find their own end. Without it all have the size of
            the longest search from the start, so that every step has the same shapes.
    """

    name: ClassVar[str] = "history_to_carry"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)
    searching: bool = False
    growing: bool = True

    def run(self, graph: Graph, context: Context) -> bool:
        """Inner loops first: a history in them may be one of values that are histories of the outer loop."""
        only = searches if self.searching else lambda loop: True
        return _lower_histories(graph.body, only, growing=self.searching and self.growing)


def _lower_histories(region: Region, only: Callable[[Node], bool], *, growing: bool) -> bool:
    """Lower the histories of all loops in a region that ``only`` accepts, inner ones first."""
    changed = False
    old, region.nodes = region.nodes, []
    outer = Builder(region)
    for node in old:
        for inner in node.regions:
            changed |= _lower_histories(inner, only, growing=growing)
        if node.op.name == "loop" and only(node) and any(n.op.name == "history" for n in node.regions[0].nodes):
            with outer.at(node.origin):
                _Lowering(outer, node, growing=growing).run()
            changed = True
        region.nodes.append(node)
    return changed


class _Lowering:
    """One loop."""

    def __init__(self, outer: Builder, loop: Node, *, growing: bool) -> None:
        self._outer = outer
        self._loop = loop
        self._body = loop.regions[0]
        self._past = Dim(f"{loop.attrs['dim'].name}.past")
        self._env: dict[Value, Value] = {}
        view = LoopView.of(loop)
        self._index = view.index
        self._grows = growing and view.end is not None
        if self._grows:  # as many steps as there were: none before the loop, and in a step its number
            outer.define(self._past, outer.const(0, "int64"))
            self._body.dim_defs[self._past] = view.index
        else:
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
        if self._grows:
            initial = self._outer.expand(empty, *x.dims[:-1], self._past, *x.dims[-1:])  # as products of it want it
            so_far: list[Value] = []
            add_carry(self._loop, initial, lambda before: self._grown(inner, before, x, node.attrs["dim"], so_far))
            return so_far[0]
        initial = self._outer.expand(empty, self._past, *x.dims)
        carry = add_carry(self._loop, initial, lambda buffer: self._with_step(inner, buffer, x))
        return inner.op("resize_axis", carry.next, dim=self._past, out=node.attrs["dim"])

    def _grown(self, inner: Builder, before: Value, x: Value, out: Dim, so_far: list[Value]) -> Value:
        """The steps before this one and then this one; ``so_far`` gets them along the dim of the history."""
        step = Dim(f"{self._past.name}.step", 1)
        dims = (self._past, step)
        so_far.append(inner.op("concat", before, _as_frame(inner, x, step), dims=dims, out=out, ragged=False))
        return inner.rename(so_far[0], (out, self._past))

    def _with_step(self, inner: Builder, buffer: Value, x: Value) -> Value:
        """The buffer with the value of this step in its place."""
        now = inner.binary("equal", inner.iota(self._past), self._index)
        following = inner.where(now, x, buffer)
        if following.type.sparse_dim is not x.type.sparse_dim:
            following = inner.op("set_sparse", following, sparse_dim=x.type.sparse_dim)
        return following


def _as_frame(b: Builder, x: Value, step: Dim) -> Value:
    """``x`` as one frame, an axis of size one in front of its last axis."""
    if not x.dims or not x.dims[-1].is_static:
        return b.expand(x, step)
    last = x.dims[-1]
    own = Dim(last.name, last.size)
    return b.rename(b.op("split", x, dim=last, outs=(step, own)), (own, last))
