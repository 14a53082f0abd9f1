"""Walking a graph once and replacing nodes by others: the loop that most passes share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.op import Trait

__all__ = ["Handler", "pinned", "rewrite"]

#: Gives the values that replace a node's results, emitted through the builder, or None to keep the node.
Handler = Callable[[Builder, Node], "Sequence[Value] | None"]


def rewrite(graph: Graph, handler: Handler) -> bool:
    """Offer every node to ``handler``, in execution order, nested regions before their owner.

    A handler sees operands that are already replaced. Nodes that it emits stand where the old one stood, carry its
    origin, and are not offered again. Returns whether any node was replaced.
    """
    env: dict[Value, Value] = {}
    changed = _rewrite_region(graph.body, handler, env, positional=graph.stage == Stage.TARGET)
    graph.replace_roots(lambda v: env.get(v, v))
    return changed


def pinned(graph: Graph) -> set[Value]:
    """Values that must stay what they are and where they are on the way to others: a node with an effect sees them.

    A derivative with respect to a value is another one when the value is bypassed, or merged with an equal one.
    """
    return {v for node in graph.body.walk() if {Trait.EFFECT, Trait.DERIVATIVE} & node.op.traits for v in node.operands}


def _rewrite_region(region: Region, handler: Handler, env: dict[Value, Value], *, positional: bool) -> bool:
    defined = {v: [d for d, u in region.dim_defs.items() if u is v] for v in region.dim_defs.values()}
    old, region.nodes = region.nodes, []
    builder = Builder(region, positional=positional)
    changed = False
    for node in old:
        node.operands = [env.get(v, v) for v in node.operands]
        for inner in node.regions:
            changed |= _rewrite_region(inner, handler, env, positional=positional)
        with builder.at(node.origin):
            results = handler(builder, node)
        if results is None:
            region.nodes.append(node)
            continue
        changed = True
        for before, after in zip(node.results, results, strict=True):
            if before.type != after.type and (positional or not before.type.same_as(after.type)):
                raise IRError(f"op {node.op.name!r} gave {before.type}, its replacement gives {after.type}")
            env[before] = after
            for dim in defined.get(before, ()):
                region.dim_defs[dim] = after
    region.results = [env.get(v, v) for v in region.results]
    region.dim_defs = {d: env.get(v, v) for d, v in region.dim_defs.items()}
    return changed
