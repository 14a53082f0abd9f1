"""``dot(concat(a, b), w)`` to ``dot(a, w_a) + dot(b, w_b)``, where only one of both depends on what a loop carries.

This is what lets the projection of a recurrent layer's input leave the loop.
"""

from __future__ import annotations

import functools
from itertools import groupby

from compiler.passes.loops.plan import LoopPlan
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Value

__all__ = ["split_concat_dot"]


def split_concat_dot(plan: LoopPlan) -> bool:
    """Split the products that stay in the loop although a part of their operand does not; whether there were any."""
    found: dict[Node, tuple[Node, Value]] = {}
    for node in plan.inside:
        for side in (0, 1):
            joined = _mixed(plan, node, side)
            if joined is not None:
                found[node] = joined, node.operands[1 - side]
    if not found:
        return False
    region = plan.region
    old, region.nodes = region.nodes, []
    b = Builder(region)
    env: dict[Value, Value] = {}
    for node in old:
        if node in found:
            with b.at(node.origin):
                env[node.result] = _split(b, plan, *found[node])
        else:
            region.nodes.append(node)
    region.substitute(env)
    return True


def _mixed(plan: LoopPlan, node: Node, side: int) -> Node | None:
    """The concatenation of values some of which are there before the loop, if an operand of the product is one."""
    if node.op.name != "dot" or len(node.attrs["reduce"]) != 1:
        return None
    joined, weights = node.operands[side].node, node.operands[1 - side]
    if joined is None or joined.op.name != "concat" or joined.attrs["out"] is not node.attrs["reduce"][0]:
        return None
    if any(d.size is None for d in joined.attrs["dims"]) or not plan.ready(weights):
        return None
    return joined if len({plan.ready(v) for v in joined.operands}) == 2 else None


def _split(b: Builder, plan: LoopPlan, joined: Node, weights: Value) -> Value:
    parts = list(zip(joined.operands, joined.attrs["dims"], strict=True))
    products: list[Value] = []
    start = 0
    for _, run in groupby(parts, key=lambda part: plan.ready(part[0])):
        x, dim = _join(b, list(run))
        if dim in weights.dims:
            other = Dim(dim.name, dim.size, feature=dim.feature)
            x, dim = b.rename(x, (dim, other)), other
        end = start + b.size(dim)
        rows = b.op("slice", weights, dim=joined.attrs["out"], out=dim, start=start, end=end)
        products.append(b.dot(x, rows, dim))
        start = end
    return functools.reduce(b.add, products)


def _join(b: Builder, parts: list[tuple[Value, Dim]]) -> tuple[Value, Dim]:
    if len(parts) == 1:
        return parts[0]
    dims = tuple(dim for _, dim in parts)
    out = Dim("+".join(d.name for d in dims), sum(map(b.size, dims)), feature=True)
    return b.op("concat", *(v for v, _ in parts), dims=dims, out=out), out
