"""What another program computes, which no target runs."""

from __future__ import annotations

from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Graph, Node

__all__ = ["external_problems", "external_reason"]


def external_reason(node: Node) -> str | None:
    """Why no target runs a node; None: it is of our own."""
    if node.op.name != "external":
        return None
    return f"{node.attrs['program']} computes it, a program of its own that is not part of returnn-ir"


def external_problems(graph: Graph) -> list[ConfigError]:
    """One for each layer that needs another program; a run of the graph would need it."""
    found: dict[str | None, Node] = {}
    for node in graph.body.walk():
        if node.op.name == "external":
            found.setdefault(node.origin.layer, node)
    return [
        ConfigError(
            f"the layer needs {node.attrs['program']}, a program of its own that is not part of returnn-ir",
            where=node.origin,
            expected="a loss or an alignment that is computed here",
            hint="the rest of the network can be checked, run (task = 'forward') and exported",
        )
        for node in found.values()
    ]
