"""Slices that make up the whole of a static axis, such as the gates of an LSTM, become one op with a result for each.

Behind all passes that move or simplify slices one by one. One op instead of n for each step of a loop; and its gradient
is one concatenation, where every slice has one of the full size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from compiler.passes.base import Context, Pass
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.op import get_op

__all__ = ["JoinSlices"]


@dataclass(frozen=True)
class JoinSlices(Pass):
    """Join the slices of a value along an axis where they cover it without overlap."""

    name: ClassVar[str] = "join_slices"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.TARGET,)

    def run(self, graph: Graph, context: Context) -> bool:
        """In the body and in every nested region."""
        env: dict[Value, Value] = {}
        _join(graph.body, env)
        graph.substitute(env)
        return bool(env)


def _join(region: Region, env: dict[Value, Value]) -> None:
    firsts = {parts[0]: sorted(parts, key=_start) for parts in _partitions(region)}
    joined = {part for parts in firsts.values() for part in parts}
    old, region.nodes = region.nodes, []
    b = Builder(region, positional=True)
    for node in old:
        for inner in node.regions:
            _join(inner, env)
        if node in firsts:
            parts = firsts[node]
            attrs = {"dim": node.attrs["dim"], "outs": tuple(part.attrs["out"] for part in parts)}
            with b.at(node.origin):
                sections = b.emit(get_op("sections"), node.operands, attrs)
            env.update((part.result, section) for part, section in zip(parts, sections, strict=True))
        elif node not in joined:
            region.nodes.append(node)


def _partitions(region: Region) -> list[list[Node]]:
    """Groups of at least two slices, in execution order, each of which makes up an axis."""
    groups: dict[tuple[Value, Dim], list[Node]] = {}
    for node in region.nodes:
        if node.op.name == "slice" and node.attrs["dim"].size is not None and node.attrs["step"] == 1:
            groups.setdefault((node.operands[0], node.attrs["dim"]), []).append(node)
    return [nodes for (_, dim), nodes in groups.items() if len(nodes) > 1 and _covers(nodes, dim)]


def _covers(nodes: Sequence[Node], dim: Dim) -> bool:
    ordered = sorted(nodes, key=_start)
    sizes = [node.attrs["out"].size for node in ordered]
    if None in sizes:
        return False
    ends = [_start(node) + size for node, size in zip(ordered, sizes, strict=True)]
    return (
        _start(ordered[0]) == 0
        and ends[-1] == dim.size
        and all(end == _start(following) for end, (_, following) in zip(ends, pairwise(ordered), strict=False))
    )


def _start(node: Node) -> int:
    """The first entry of a slice, counted from the front."""
    start: int = node.attrs["start"] or 0
    return start if start >= 0 else max(start + node.attrs["dim"].require_size(node.origin), 0)
