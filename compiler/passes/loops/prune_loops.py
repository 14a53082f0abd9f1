"""Loops carry and stack only what somebody reads.

A loop of known length loses the rest when it is taken apart; of one that ends by itself, such as a search, everything
stays in the body. What a layer gives, and what its loss would need, is stacked in each step until this pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import rewrite
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.loop import LoopView, OpenLoop, loop_results
from returnn_ir.ir.op import Trait
from returnn_ir.ir.uses import Uses

__all__ = ["PruneLoops"]


@dataclass(frozen=True)
class PruneLoops(Pass):
    """Drop stacked values and carries that neither the rest of the program nor a carry that stays needs."""

    name: ClassVar[str] = "prune_loops"

    def run(self, graph: Graph, context: Context) -> bool:
        """What the bodies compute for nobody goes with it."""
        used = graph.uses()
        return rewrite(graph, lambda b, node: _prune(b, node, used) if node.op.name == "loop" else None)


def _prune(b: Builder, node: Node, used: Uses) -> Sequence[Value] | None:
    loop = LoopView.of(node)
    stacked = [s for s in loop.stacked if s.outer in used]
    needed = _needed(loop, [s.inner for s in stacked], used)
    carries = [k for k, c in enumerate(loop.carries) if c.result in used or c.param in needed]
    if len(stacked) == len(loop.stacked) and len(carries) == len(loop.carries):
        return None
    kept = [loop.carries[k] for k in carries]
    count = loop.options.length_carry
    options = replace(loop.options, length_carry=carries.index(count) if count in carries else None)
    slices = [part.param for part in loop.slices]
    limit, done = (None, None) if loop.end is None else (loop.end.limit, loop.end.done)
    opened = OpenLoop(
        loop.dim,
        [c.initial for c in kept],
        loop.index,
        [c.param for c in kept],
        [part.whole for part in loop.slices],
        slices,
        limit,
        options,
    )
    _keep(loop.region, needed)
    new = opened.close(b, loop.region, [c.next for c in kept], [s.inner for s in stacked], done)
    finals = dict(zip((c.result for c in kept), (c.result for c in new.carries), strict=True))
    outer = dict(zip((s.outer for s in stacked), (s.outer for s in new.stacked), strict=True))
    if new.end is not None:
        b.define(new.dim, new.end.steps)
    return loop_results(
        [finals.get(c.result, c.initial) for c in loop.carries],
        [outer.get(s.outer, s.outer) for s in loop.stacked],
        None if new.end is None else new.end.steps,
    )


def _needed(loop: LoopView, stacked: Sequence[Value], used: Uses) -> set[Value]:
    """What the body must give, and all that this needs."""
    region, following = loop.region, {c.param: c.next for c in loop.carries}
    own = {v for n in region.nodes for v in n.results}
    waiting = [*stacked, *(c.next for c in loop.carries if c.result in used)]
    if loop.end is not None:
        waiting.append(loop.end.done)
    if any(n.op.has(Trait.EFFECT) for n in region.walk()):
        waiting.extend(own)
    needed: set[Value] = set()
    while waiting:
        value = waiting.pop()
        if value in needed:
            continue
        needed.add(value)
        if value in following:
            waiting.append(following[value])
        waiting.extend(region.dim_defs[d] for d in value.dims if d in region.dim_defs)
        if value.node is not None and value in own:
            waiting.extend(value.node.deps(region.dim_defs))
    return needed


def _keep(body: Region, needed: set[Value]) -> None:
    """Nothing in the body but what is needed: the rest may read carries that are gone."""
    gone = {v for n in body.nodes for v in n.results if v not in needed} | {v for v in body.params if v not in needed}
    body.nodes = [n for n in body.nodes if any(v in needed for v in n.results)]
    body.dim_defs = {d: v for d, v in body.dim_defs.items() if v not in gone}
