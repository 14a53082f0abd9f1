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
from returnn_ir.ir.graph import Graph, Node, Value
from returnn_ir.ir.loop import LoopView, OpenLoop, loop_results
from returnn_ir.ir.op import Trait
from returnn_ir.ir.uses import Uses

__all__ = ["PruneLoops"]


@dataclass(frozen=True)
class PruneLoops(Pass):
    """Drop stacked values and carries that neither the rest of the program nor a carry that stays needs."""

    name: ClassVar[str] = "prune_loops"

    def run(self, graph: Graph, context: Context) -> bool:
        """What the bodies compute for nobody then is left to dead code elimination."""
        used = graph.uses()
        return rewrite(graph, lambda b, node: _prune(b, node, used) if node.op.name == "loop" else None)


def _prune(b: Builder, node: Node, used: Uses) -> Sequence[Value] | None:
    loop = LoopView.of(node)
    stacked = [s for s in loop.stacked if s.outer in used]
    carries = _needed(loop, [s.inner for s in stacked], used)
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


def _needed(loop: LoopView, stacked: Sequence[Value], used: Uses) -> list[int]:
    """The numbers of the carries that must stay."""
    region, numbers = loop.region, {c.param: k for k, c in enumerate(loop.carries)}
    own = {v for n in region.nodes for v in n.results}
    needed = {k for k, c in enumerate(loop.carries) if c.result in used}
    waiting = [*stacked, *(loop.carries[k].next for k in needed)]
    if loop.end is not None:
        waiting.append(loop.end.done)
    effects = [n for n in region.walk() if n.op.has(Trait.EFFECT)]
    waiting.extend(v for n in (effects and region.nodes) for v in n.deps(region.dim_defs))
    seen: set[Value] = set()
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        k = numbers.get(value)
        if k is not None and k not in needed:
            needed.add(k)
            waiting.append(loop.carries[k].next)
        waiting.extend(region.dim_defs[d] for d in value.dims if d in region.dim_defs)
        if value.node is not None and value in own:
            waiting.extend(value.node.deps(region.dim_defs))
    return sorted(needed)
