"""Small factors are multiplied with one another first: ``(x * a) * b`` becomes ``x * (a * b)``.

That saves a pass over the large tensor, and another one over its gradient, wherever two factors have fewer axes than
what they scale: a dropout mask of the features and its scale, the deviation and the scale of a batch norm. A product of
a mask of ones and zeros stays the same in every bit; other results may be rounded otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import pinned, rewrite
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.types import is_float

__all__ = ["SmallFactorsFirst"]


@dataclass(frozen=True)
class SmallFactorsFirst(Pass):
    """Reassociate products, where the inner one is needed for nothing else."""

    name: ClassVar[str] = "small_factors_first"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED, Stage.MASKED)  # in TARGET a factor has an order of axes

    def run(self, graph: Graph, context: Context) -> bool:
        """Each time a factor moves away from the large tensor, so this ends."""
        changed = False
        while rewrite(graph, _Reassociation(graph).of):
            changed = True
        return changed


class _Reassociation:
    """Of the products of a graph, as it is."""

    def __init__(self, graph: Graph) -> None:
        self._uses = graph.uses()
        self._pinned = pinned(graph)
        self._regions: dict[Node, Region] = dict(graph.body.placed())

    def of(self, b: Builder, node: Node) -> Sequence[Value] | None:
        """The product with its small factors first, if it has two."""
        if node.op.name != "mul" or not is_float(node.result.dtype) or self._pinned & {*node.operands, node.result}:
            return None
        for product, second in (node.operands, reversed(node.operands)):
            inner = product.node
            if inner is None or inner.op.name != "mul" or not self._belongs_to(inner, node):
                continue
            for large, first in (inner.operands, reversed(inner.operands)):
                if _is_smaller({*first.dims, *second.dims}, large) and {*node.result.dims} == {*large.dims}:
                    return [b.mul(large, b.mul(first, second))]
        return None

    def _belongs_to(self, inner: Node, node: Node) -> bool:
        """Whether the inner product is the node's alone, in the same step of the same loop."""
        alone = self._uses.only_user(inner.result) is node
        return alone and self._regions.get(inner) is self._regions.get(node)


def _is_smaller(dims: set[Dim], large: Value) -> bool:
    return dims < {*large.dims}
