"""A choice whose predicate is a constant: the branch that is taken stands there instead.

The train flag is a constant of the program, so this is what most ``cond`` layers become.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import rewrite
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Node, Value

__all__ = ["KnownBranches"]


@dataclass(frozen=True)
class KnownBranches(Pass):
    """Replace every node with two branches, one of which is never taken, by the nodes of the other one."""

    name: ClassVar[str] = "known_branches"

    def run(self, graph: Graph, context: Context) -> bool:
        """Inner branches first; constants are found by constant folding before."""
        return rewrite(graph, _taken)


def _taken(b: Builder, node: Node) -> Sequence[Value] | None:
    if node.op.name != "cond":
        return None
    predicate = node.operands[0].node
    if predicate is None or predicate.op.name != "const":
        return None
    region = node.regions[0 if predicate.attrs["value"] else 1]
    # a dim that is defined outside by the node itself has in the branch the lengths that this branch gives
    if any(b.lookup(dim) not in (None, *node.results) for dim in region.dim_defs):
        return None
    for inner in region.nodes:
        for nested in inner.regions:
            nested.parent = b.region
    b.region.nodes.extend(region.nodes)
    for dim, length in region.dim_defs.items():
        b.define(dim, length)
    return region.results
