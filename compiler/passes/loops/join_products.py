"""``dot(x, w_x) + dot(h, w_h)`` to ``dot(concat(x, h), concat(w_x, w_h))`` in the steps of a search.

The inverse of ``split_concat_dot``, for what is left in such a loop: one product with one larger matrix, as the cell
was written, is fewer kernels in each step. The joined matrix does not depend on the step, so it leaves the loop.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import pinned, rewrite
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.loop import LoopOptions
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.types import TensorType
from returnn_ir.ir.uses import Uses

__all__ = ["JoinProducts"]


@dataclass(frozen=True)
class JoinProducts(Pass):
    """Join products of a sum that nobody else needs and whose matrices come from around the loop."""

    name: ClassVar[str] = "join_products"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED, Stage.MASKED)

    def run(self, graph: Graph, context: Context) -> bool:
        """Only in loops that search: out of others the input's part has moved, or gradients are taken through them."""
        bodies = {n.regions[0] for n in graph.nodes("loop") if LoopOptions.of(n.attrs).searches}
        if not bodies:
            return False
        used, kept = graph.uses(), pinned(graph)

        def joined(b: Builder, node: Node) -> Sequence[Value] | None:
            if node.op.name != "add" or b.region not in bodies or kept & {*node.operands, *node.results}:
                return None
            if _made_by(used.only_user(node.result), "add"):
                return None  # a part of a larger sum
            sum_ = _Sum(b.region, used)
            sum_.add(node)
            return sum_.joined(b, node.result)

        return rewrite(graph, joined)


def _made_by(node: Node | None, name: str) -> bool:
    return node is not None and node.op.name == name


class _Sum:
    """The terms of a sum: products that can be joined, and the rest."""

    def __init__(self, body: Region, used: Uses) -> None:
        self._used = used
        self._inside = {v for n in body.nodes for v in n.results} | set(body.params)
        self._products: list[tuple[Value, Value, Dim]] = []
        self._rest: list[Value] = []

    def add(self, node: Node) -> None:
        """The terms of a node, those of sums that only it needs among them."""
        for value in node.operands:
            made = value.node
            alone = made is not None and value in self._inside and self._used.only_user(value) is node
            product = self._product(made) if made is not None and alone and made.op.name == "dot" else None
            if product is not None:
                self._products.append(product)
            elif made is not None and alone and made.op.name == "add":
                self.add(made)
            else:
                self._rest.append(value)

    def _product(self, node: Node) -> tuple[Value, Value, Dim] | None:
        """What is multiplied, the matrix from outside, and the dim that both have."""
        for x, matrix in (node.operands, node.operands[::-1]):
            if len(node.attrs["reduce"]) == 1 and len(matrix.dims) == 2 and matrix not in self._inside:
                (dim,) = node.attrs["reduce"]
                if all(d.is_static for d in matrix.dims) and not {*x.dims} & {*matrix.dims} - {dim}:
                    return x, matrix, dim
        return None

    def joined(self, b: Builder, total: Value) -> Sequence[Value] | None:
        """One product and the other terms, or None where there are not two products with the axes of the sum."""
        rows = {frozenset((*x.without([dim]).dims, *m.without([dim]).dims)) for x, m, dim in self._typed()}
        if len(self._products) < 2 or rows != {frozenset(total.dims)}:
            return None
        parts = [part for x, _, dim in self._products for part in self._parts(x, dim)]
        out = Dim("+".join(d.name for _, d in parts), sum(map(b.size, (d for _, d in parts))), feature=True)
        x = b.op("concat", *(v for v, _ in parts), dims=tuple(d for _, d in parts), out=out)
        dims = tuple(dim for _, _, dim in self._products)
        matrix = b.op("concat", *(m for _, m, _ in self._products), dims=dims, out=out)
        return [functools.reduce(b.add, self._rest, b.dot(x, matrix, out))]

    def _typed(self) -> list[tuple[TensorType, TensorType, Dim]]:
        return [(x.type, matrix.type, dim) for x, matrix, dim in self._products]

    def _parts(self, x: Value, dim: Dim) -> list[tuple[Value, Dim]]:
        """What ``x`` was joined of, if only the product needs it."""
        node = x.node
        if node is None or node.op.name != "concat" or node.attrs["out"] is not dim or node.attrs["ragged"]:
            return [(x, dim)]
        if x not in self._inside or self._used.only_user(x) is None:
            return [(x, dim)]
        return list(zip(node.operands, node.attrs["dims"], strict=True))
