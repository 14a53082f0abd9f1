"""Which values somebody reads."""

from __future__ import annotations

from returnn_ir.ir.graph import Graph, Value

__all__ = ["used_values"]


def used_values(graph: Graph) -> frozenset[Value]:
    """Every value that a node, a region's result, a length or a fetch refers to, whether or not that is needed itself.

    What is needed in the end is a matter of :class:`compiler.passes.cleanup.dce.Liveness`.
    """
    used: set[Value] = set(graph.fetches().values())
    regions = [graph.body]
    for region in regions:  # which grows
        used.update(region.results, region.dim_defs.values())
        for node in region.nodes:
            used.update(node.operands)
            regions.extend(node.regions)
    return frozenset(used)
