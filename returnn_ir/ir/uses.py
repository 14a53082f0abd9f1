"""Who needs a value: what a fusion asks before it swallows one, and what a backend need not compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from returnn_ir.ir.graph import Graph, Node, Value

__all__ = ["Uses"]


@dataclass(frozen=True)
class Uses:
    """The users of all values, as the graph was when it was asked (``Graph.uses``).

    Attributes:
        nodes: those that have a value as an operand, each once, in execution order.
        kept: values that are needed otherwise: a region yields them, they are lengths, or a run gives them.
    """

    nodes: Mapping[Value, tuple[Node, ...]]
    kept: frozenset[Value]

    @staticmethod
    def of(graph: Graph) -> Uses:
        """The users of all values of a graph."""
        readers: dict[Value, dict[Node, None]] = {}
        kept = set(graph.fetches().values())
        for region in graph.body.regions():
            kept.update(region.results, region.dim_defs.values())
            for node in region.nodes:
                for value in node.operands:
                    readers.setdefault(value, {})[node] = None
        return Uses({value: tuple(nodes) for value, nodes in readers.items()}, frozenset(kept))

    def __contains__(self, value: object) -> bool:
        return value in self.nodes or value in self.kept

    def of_value(self, value: Value) -> tuple[Node, ...]:
        """The nodes that have the value as an operand."""
        return self.nodes.get(value, ())

    def only_user(self, value: Value) -> Node | None:
        """The node that alone needs the value, or None: who computes both at once need not leave the value behind."""
        users = self.of_value(value)
        return users[0] if len(users) == 1 and value not in self.kept else None
