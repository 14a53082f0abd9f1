"""Which of the nodes behind a node need what it computes: the others may stand in front of it."""

from __future__ import annotations

from collections.abc import Sequence

from returnn_ir.ir.graph import Node, Region, Value

__all__ = ["dependents"]


def dependents(region: Region, source: Node, nodes: Sequence[Node]) -> list[Node]:
    """Those of ``nodes``, in execution order, that need what ``source`` computes, lengths of dims included."""
    defs = region.all_dim_defs()
    reached: set[Value] = set(source.results)
    found: list[Node] = []
    for node in nodes:
        if any(v in reached for v in node.deps(defs)):
            reached.update(node.results)
            found.append(node)
    return found
