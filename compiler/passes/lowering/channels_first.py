"""Convolutions with the channels in front of the frames, for a target whose kernels have them there.

What stands between two of them (activations, pooling, norms) keeps that order, so that nothing is transposed there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import pinned, rewrite
from compiler.target.protocol import Reject
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Node, Value
from returnn_ir.ir.mode import Stage

__all__ = ["ChannelsFirst"]

_ATTRIBUTE = "channels_first"


@dataclass(frozen=True)
class ChannelsFirst(Pass):
    """Say ``channels_first`` where the target refuses a convolution without it."""

    name: ClassVar[str] = "channels_first"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.MASKED,)

    def run(self, graph: Graph, context: Context) -> bool:
        """Before axes are assigned: the attribute is what they are assigned by."""
        with graph.frozen():
            refused = {
                node
                for node, region in graph.body.placed()
                if node.attrs.get(_ATTRIBUTE) is False and isinstance(context.target.accepts(node, region), Reject)
            }
        kept = pinned(graph)

        def turned(b: Builder, node: Node) -> Sequence[Value] | None:
            if node not in refused or node.result in kept:
                return None
            return b.emit(node.op, node.operands, {**node.attrs, _ATTRIBUTE: True})

        return rewrite(graph, turned)
