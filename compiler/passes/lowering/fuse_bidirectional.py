"""A forward and a backward LSTM over the same sequences become one composite, where the target has a kernel for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from compiler.analysis.dependents import dependents
from compiler.passes.base import Context, Pass
from compiler.target.protocol import Reject
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.op import Trait, get_op

__all__ = ["FuseBidirectional"]

#: How far back two inputs are compared: beyond concat and rename they are one value or different.
_DEPTH = 4

#: What the backward layer calls by names of its own.
_OWN_DIMS = ("in_dim", "out_dim", "gate_dim", "state_in")


@dataclass(frozen=True)
class FuseBidirectional(Pass):
    """Pair ``lstm`` nodes of one region that read the same values in opposite directions and do not need each other.

    The backward one's dims are renamed to the forward one's, and its results back.
    """

    name: ClassVar[str] = "fuse_bidirectional"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)

    def run(self, graph: Graph, context: Context) -> bool:
        """The journal learns each pair, and why a pair stays apart."""
        if any(context.fusion.get(name) == "never" for name in ("lstm", "blstm")):
            return False
        changed = False
        for region in list(_regions(graph.body)):
            for forward, backward in _pairs(region):
                changed |= _fuse(graph, region, forward, backward, context)
        return changed


def _regions(region: Region) -> Iterator[Region]:
    yield region
    for node in region.nodes:
        for inner in node.regions:
            yield from _regions(inner)


def _pairs(region: Region) -> list[tuple[Node, Node]]:
    """Forward and backward nodes that could be one, in the order of the forward ones."""
    layers = [n for n in region.nodes if n.op.name == "lstm"]
    waiting = [n for n in layers if n.attrs["reverse"]]
    pairs: list[tuple[Node, Node]] = []
    for forward in layers:
        if forward.attrs["reverse"]:
            continue
        partner = next((n for n in waiting if _alike(forward, n)), None)
        if partner is not None:
            waiting.remove(partner)
            pairs.append((forward, partner))
    return pairs


def _alike(a: Node, b: Node) -> bool:
    same_size = a.attrs["out_dim"].size == b.attrs["out_dim"].size
    return same_size and a.attrs["dim"] is b.attrs["dim"] and _same_input(a, b)


def _same_input(a: Node, b: Node) -> bool:
    """Whether both read the same values, maybe joined by each for itself under dims of its own."""
    x, y = a.operands[0], b.operands[0]
    own = {a.attrs["in_dim"]: b.attrs["in_dim"], a.attrs["dim"]: b.attrs["dim"]}
    return _equal(x, y, own, _DEPTH)


def _equal(x: Value, y: Value, own: dict[Dim, Dim], depth: int) -> bool:
    """Whether two values are computed alike; ``own`` maps the dims of the first to those of the second."""
    if x is y:
        return all(own.setdefault(d, d) is d for d in x.dims)
    a, b = x.node, y.node
    if a is None or b is None or a.op is not b.op or x.index != y.index or depth == 0:
        return False
    if a.regions or any(a.op.has(trait) for trait in (Trait.RANDOM, Trait.EFFECT, Trait.DERIVATIVE, Trait.INPUT)):
        return False
    if not all(_equal_attr(a.attrs[key], b.attrs[key], own) for key in a.attrs):
        return False
    pairs = zip(a.operands, b.operands, strict=False)
    return len(a.operands) == len(b.operands) and all(_equal(v, w, own, depth - 1) for v, w in pairs)


def _equal_attr(a: object, b: object, own: dict[Dim, Dim]) -> bool:
    if isinstance(a, Dim) and isinstance(b, Dim):
        return (a is b or (a.size is not None and a.size == b.size)) and own.setdefault(a, b) is b
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(_equal_attr(v, w, own) for v, w in zip(a, b, strict=True))
    return a is b or (type(a) is type(b) and bool(np.array_equal(np.asarray(a), np.asarray(b))))


def _fuse(graph: Graph, region: Region, forward: Node, backward: Node, context: Context) -> bool:
    first, second = sorted((forward, backward), key=region.nodes.index)
    at, end = region.nodes.index(first), region.nodes.index(second)
    after = dependents(region, first, region.nodes[at + 1 : end + 1])
    if second in after:
        return False  # two layers of a stack, not two directions of one
    built = _built(region, forward, backward)
    verdict = context.target.accepts(next(n for n in built.region.nodes if n.op.name == "blstm"), region)
    if isinstance(verdict, Reject):
        context.journal.add("not fused with its other direction", "lstm", forward.origin, verdict.reason)
        return False
    before = [n for n in region.nodes[at + 1 : end] if n not in after]
    region.nodes[at : end + 1] = [*before, *built.region.nodes, *after]
    graph.substitute(built.results)
    context.journal.add("fused", "lstm", forward.origin, f"one node with {backward.origin or 'its other direction'}")
    return True


@dataclass(frozen=True)
class _Built:
    """A region with the new nodes, inside of the one that they are for, and the new value for each old result."""

    region: Region
    results: dict[Value, Value]


def _built(region: Region, forward: Node, backward: Node) -> _Built:
    scratch = Region(parent=region)
    b = Builder(scratch, origin=forward.origin)
    renamed: list[tuple[Dim, Dim]] = [(backward.attrs[key], forward.attrs[key]) for key in _OWN_DIMS]
    operands = [b.rename(v, *((old, new) for old, new in renamed if old in v.dims)) for v in backward.operands[1:]]
    attrs = {key: value for key, value in forward.attrs.items() if key != "reverse"}
    y_fw, y_bw, h_fw, c_fw, h_bw, c_bw = b.emit(get_op("blstm"), [*forward.operands, *operands], attrs)
    back = (forward.attrs["out_dim"], backward.attrs["out_dim"])
    with b.at(backward.origin):
        results = dict(zip(backward.results, (b.rename(v, back) for v in (y_bw, h_bw, c_bw)), strict=True))
    results.update(zip(forward.results, (y_fw, h_fw, c_fw), strict=True))
    return _Built(scratch, results)
