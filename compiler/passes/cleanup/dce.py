"""Dead code elimination: what no result, no effect and no length depends on goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.op import Trait

__all__ = ["Dce", "Liveness"]


@dataclass(frozen=True)
class Dce(Pass):
    """Remove nodes and dim definitions that nothing needs, inputs and parameters among them.

    A program's signature is what it reads: the target that only told an output's size is no input of a forward program.
    """

    name: ClassVar[str] = "dce"

    def run(self, graph: Graph, context: Context) -> bool:
        """Lengths of the axes of results, run-time checks and state updates are roots."""
        return _sweep(graph.body, Liveness.of(graph))


class Liveness:
    """Marks values and dims that are needed, from the last node to the first."""

    def __init__(self) -> None:
        self.values: set[Value] = set()
        self.dims: set[Dim] = set()

    @classmethod
    def of(cls, graph: Graph) -> Liveness:
        """What a whole program needs."""
        roots = list(graph.fetches().values())
        # a variable that is only assigned: its declaration says in which order its axes are stored
        roots += [n.result for n in graph.nodes("param") if n.attrs["name"] in graph.state_updates]
        dims = {d for output in graph.outputs.values() for d in output.axes}
        used = cls()
        for value in roots:
            used._value(value)
        for dim in dims:
            used._dim(dim, graph.body)
        # the extent of the batch may be defined behind a length that needs it, so once is not always enough
        while used._grows_by(graph.body):
            pass
        return used

    def _grows_by(self, region: Region) -> bool:
        """Mark what ``region`` needs; whether that was more than before."""
        before = len(self.values) + len(self.dims)
        self._region(region)
        return len(self.values) + len(self.dims) > before

    def _value(self, value: Value) -> None:
        self.values.add(value)

    def _dim(self, dim: Dim, region: Region) -> None:
        for d in (dim, *leaves(dim)):
            length = region.lookup(d)
            if length is not None:
                self.dims.add(d)
                self._value(length)

    def _region(self, region: Region) -> None:
        for value in region.results:
            self._value(value)
            for dim in value.dims:
                self._dim(dim, region)
        for node in reversed(region.nodes):
            if self.node_lives(node):
                self._node(node, region)

    def node_lives(self, node: Node) -> bool:
        """Whether anything needs a node, or it has an effect."""
        if node.op.has(Trait.EFFECT):
            return True
        return any(v in self.values for v in node.results) or any(_has_effect(r) for r in node.regions)

    def _node(self, node: Node, region: Region) -> None:
        for value in node.operands:
            self._value(value)
        for dim in node.mentioned_dims():
            self._dim(dim, region)
        for inner in node.regions:
            self._region(inner)


def _has_effect(region: Region) -> bool:
    return any(n.op.has(Trait.EFFECT) for n in region.walk())


def _sweep(region: Region, used: Liveness) -> bool:
    kept = [n for n in region.nodes if used.node_lives(n)]
    changed = len(kept) < len(region.nodes)
    region.nodes = kept
    dims = {d: v for d, v in region.dim_defs.items() if d in used.dims or v in used.values}
    changed |= len(dims) < len(region.dim_defs)
    region.dim_defs = dims
    for node in kept:
        for inner in node.regions:
            changed |= _sweep(inner, used)
    return changed
