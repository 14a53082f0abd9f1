"""What stands behind the sequences' ends: who reads there, and what was put there just before."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Graph, Node, Region, Value, attr_dims
from returnn_ir.ir.op import Tail, Trait

__all__ = ["excludes_tail", "filling", "has_common_length", "tail_readers", "zero_behind_the_end"]

#: They give other names or another order to the same axes, or more or fewer axes to the same entries.
_SAME_ENTRIES = ("transpose", "rename", "squeeze", "expand")


def tail_readers(graph: Graph, among: Collection[Dim] | None = None) -> list[str]:
    """The layers with an op that observes frames behind a sequence's end, in order.

    Their results depend on the rest of the batch. An op that is given a filling sees the same frames in every batch.

    Args:
        among: only along these dims.
    """
    readers = (node.origin.layer for node, region in _places(graph.body) if _reads_tail(node, region, among))
    return list(dict.fromkeys(layer for layer in readers if layer))


def _places(region: Region) -> Iterator[tuple[Node, Region]]:
    """All nodes with the regions that they stand in, those of nested regions after their owner."""
    for node in region.nodes:
        yield node, region
        for inner in node.regions:
            yield from _places(inner)


def has_common_length(region: Region, dim: Dim) -> bool:
    """Whether all sequences have one length along a dim, which is known in a run only.

    No frame stands behind it, unless the axis has a size of its own in memory.
    """
    known = [region.lookup(leaf) for leaf in leaves(dim) if leaf.is_dynamic]
    return dim.is_dynamic and None not in known and not region.is_ragged(dim)


def _reads_tail(node: Node, region: Region, among: Collection[Dim] | None) -> bool:
    if node.op.name == "concat" and not node.attrs["ragged"]:  # what comes next stands behind the padding
        return any(region.is_ragged(d) for d in node.attrs["dims"][:-1] if among is None or d in among)
    if not node.op.has(Trait.READS_TAIL):
        return False
    along = [d for key in ("dim", "dims") for d in attr_dims(node.attrs.get(key))]
    looked_at = [d for d in along if among is None or d in among]
    return any(_sees_tail(node, region, d) for d in looked_at)


def _sees_tail(node: Node, region: Region, dim: Dim) -> bool:
    if not region.is_ragged(dim) or filling(node.operands[0], dim) is not None:
        return False
    # another name for an axis, whose sequences are as long
    out = node.attrs["out"] if node.op.name == "resize_axis" else None
    return out is None or out not in region.dim_defs or region.lookup(out) is not region.lookup(dim)


def filling(x: Value, dim: Dim) -> Value | None:
    """What was put behind the ends along ``dim`` just before; None where nothing was."""
    node = _maker(x)
    if node is None or node.op.name != "where":
        return None
    condition, _, other = node.operands
    return other if excludes_tail(condition, dim) else None


def excludes_tail(condition: Value, dim: Dim) -> bool:
    """Whether a condition holds on frames that count alone: it is the mask, or has it as one of its parts."""
    node = _maker(condition)
    if node is None:
        return False
    if node.op.name == "logical_and":
        return any(excludes_tail(part, dim) for part in node.operands)
    return node.op.name == "mask" and node.attrs["dim"] is dim


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
