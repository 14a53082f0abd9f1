"""What stands behind the sequences' ends: who reads there, and what was put there just before."""

from __future__ import annotations

from collections.abc import Iterator

from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node, Region, Value, attr_dims
from returnn_ir.ir.op import Tail, Trait

__all__ = ["filling", "tail_readers", "zero_behind_the_end"]

#: They give other names or another order to the same axes, or leave one out that has a single entry.
_SAME_ENTRIES = ("transpose", "rename", "squeeze")


def tail_readers(graph: Graph) -> list[str]:
    """The layers with an op that observes frames behind a sequence's end, in order.

    Their results depend on the rest of the batch. An op that is given a filling sees the same frames in every batch.
    """
    readers = (node.origin.layer for node, region in _places(graph.body) if _reads_tail(node, region))
    return list(dict.fromkeys(layer for layer in readers if layer))


def _places(region: Region) -> Iterator[tuple[Node, Region]]:
    """All nodes with the regions that they stand in, those of nested regions after their owner."""
    for node in region.nodes:
        yield node, region
        for inner in node.regions:
            yield from _places(inner)


def _reads_tail(node: Node, region: Region) -> bool:
    if not node.op.has(Trait.READS_TAIL):
        return False
    along = [d for key in ("dim", "dims") for d in attr_dims(node.attrs.get(key))]
    return any(region.is_ragged(d) and filling(node.operands[0], d) is None for d in along)


def filling(x: Value, dim: Dim) -> Value | None:
    """What was put behind the ends along ``dim`` just before; None where nothing was."""
    node = _maker(x)
    if node is None or node.op.name != "where":
        return None
    condition, _, other = node.operands
    mask = _maker(condition)
    return other if mask is not None and mask.op.name == "mask" and mask.attrs["dim"] is dim else None


def zero_behind_the_end(x: Value, dim: Dim) -> bool:
    """Whether the frames of ``x`` behind the end along ``dim`` are known to be zeros."""
    filled, node = filling(x, dim), x.node
    if filled is not None:
        constant = filled.node
        return constant is not None and constant.op.name == "const" and not filled.dims and constant.attrs["value"] == 0
    if node is None or node.op.tail is not Tail.ZERO or dim not in node.named_dims():
        return False
    return bool(node.attrs.get("mask", True) and node.attrs.get("ragged", True))


def _maker(value: Value) -> Node | None:
    """The node that computes the entries."""
    node = value.node
    while node is not None and node.op.name in _SAME_ENTRIES:
        node = node.operands[0].node
    return node
