"""Where hypotheses come from, asked of a graph that still searches symbolically."""

from __future__ import annotations

from typing import TYPE_CHECKING

from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Node, Value

if TYPE_CHECKING:
    from returnn_ir.ir.builder import Builder

__all__ = ["ENDS", "beam_of", "of_hypotheses"]

#: The ops that take hypotheses away.
ENDS = ("decide", "split_beam", "sum_beam")


def beam_of(value: Value) -> Dim | None:
    """The beam of the search that a value is a result of, None if there is none."""
    seen: set[Node] = set()
    pending = [value]
    while pending:
        node = pending.pop().node
        if node is None or node in seen or node.op.name in ENDS:
            continue
        seen.add(node)
        found = _made_by(node)
        if found is not None:
            return found
        pending.extend(node.operands)
        for region in node.regions:
            pending.extend(region.captures({}))
    return None


def of_hypotheses(b: Builder, dim: Dim) -> bool:
    """Whether each hypothesis has a length of its own along a dim."""
    lengths = [b.lookup(leaf) for leaf in leaves(dim) if leaf.is_dynamic]
    return any(length is not None and beam_of(length) is not None for length in lengths)


def _made_by(node: Node) -> Dim | None:
    """The beam of the last choice that a node, or the body of a loop, makes."""
    own = [node, *(inner for region in node.regions for inner in region.nodes)]
    beams = [n.attrs["beam"] for n in own if n.op.name in ("choice", "follow") and n.attrs["beam"] is not None]
    return beams[-1] if beams else None
