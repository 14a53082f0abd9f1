"""A layer norm of a sum becomes one composite with the sum, where the target has a kernel for both.

So are the residual connections of Transformers and Conformers: ``y = norm(x + f(x))``, or ``x + f(x)`` goes on and its
norm is what the next part reads. The sum is a result of its own, since others need it, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from compiler.analysis.dependents import dependents
from compiler.passes.base import Context, Pass
from compiler.passes.lowering.legalize import refusal
from compiler.target.protocol import Reject
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Node, Region
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.op import get_op

__all__ = ["FuseSkipNorm"]

_COMPOSITE = "skip_layer_norm"


@dataclass(frozen=True)
class FuseSkipNorm(Pass):
    """Take the sum in front of a ``layer_norm`` into it."""

    name: ClassVar[str] = "fuse_skip_norm"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)

    def run(self, graph: Graph, context: Context) -> bool:
        """The journal learns each norm of a sum, and why it stays apart."""
        if any(context.fusion.get(name) == "never" for name in ("layer_norm", _COMPOSITE)):
            return False
        changed = False
        for region in graph.body.regions():
            for norm in [n for n in region.nodes if n.op.name == "layer_norm"]:
                add = _sum_before(norm, region)
                changed |= add is not None and _fuse(graph, region, add, norm, context)
        return changed


def _sum_before(norm: Node, region: Region) -> Node | None:
    """The node that adds up what a norm reads, if it adds two arrays of the same dims and is in the same region."""
    add = norm.operand("x").node
    if add is None or add.op.name != "add" or not any(n is add for n in region.nodes):
        return None
    a, b = add.operands
    return add if set(a.dims) == set(b.dims) else None


def _fuse(graph: Graph, region: Region, add: Node, norm: Node, context: Context) -> bool:
    at, end = region.nodes.index(add), region.nodes.index(norm)
    between = region.nodes[at + 1 : end]
    after = dependents(region, add, between)
    if any(v.node in after for v in norm.operands[1:]):
        return False  # a scale that is computed from the sum has to wait for it
    scratch = Region(parent=region)
    y, total = Builder(scratch, origin=norm.origin).emit(
        get_op(_COMPOSITE), [*add.operands, *norm.operands[1:]], dict(norm.attrs)
    )
    (node,) = scratch.nodes
    verdict = context.target.accepts(node, region)
    if isinstance(verdict, Reject):
        if context.fusion.get(_COMPOSITE) == "require":
            raise refusal(node, context, verdict.reason, policy="prefer")
        context.journal.add("not fused with the sum that it normalises", "layer_norm", norm.origin, verdict.reason)
        return False
    before = [n for n in between if n not in after]
    region.nodes[at : end + 1] = [*before, node, *after]
    graph.substitute({norm.result: y, add.result: total})
    summed = f"the sum of {add.origin}" if add.origin.layer else "the sum that it normalises"
    context.journal.add("fused", "layer_norm", norm.origin, f"one node with {summed}")
    return True
