"""A product with rows of a small table, read by positions: the products with all rows are taken, then read.

Attention by relative positions multiplies each query with a vector of its distance to each key: [queries, keys, n].
There are as many vectors as distances that are told apart. Products with these, [..., queries, distances], of which
each query reads those of its keys, are the same numbers without that array, the square of the length times n.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import pinned, rewrite
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node, Value
from returnn_ir.ir.mode import Mode, Stage

__all__ = ["GatherBehindDot"]


@dataclass(frozen=True)
class GatherBehindDot(Pass):
    """Move a gather behind the product that reads it.

    Not in training: what is gathered there is scattered in the backward pass, entry by entry.

    Attributes:
        max_rows: no table with more rows than this, as all of them are multiplied.
    """

    name: ClassVar[str] = "gather_behind_dot"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.MASKED,)
    max_rows: int = 256

    def run(self, graph: Graph, context: Context) -> bool:
        """What nobody reads any more is left to dead code elimination."""
        if graph.mode == Mode.TRAIN:
            return False
        kept = pinned(graph)

        def moved(b: Builder, node: Node) -> Sequence[Value] | None:
            if node.op.name != "dot" or kept & {*node.operands, *node.results}:
                return None
            for at in range(2):
                other, read = node.operands[1 - at], _Read.found(node.operands[at])
                if read is not None and self._pays(read, other, node.attrs["reduce"]):
                    return [_products(b, read, other, node)]
            return None

        return rewrite(graph, moved)

    def _pays(self, read: _Read, other: Value, reduced: Sequence[Dim]) -> bool:
        """Whether there are fewer rows than positions for each product, for all that can be known here."""
        new = [d for d in read.positions if d not in other.dims]
        return (
            read.dim.size is not None
            and read.dim.size <= self.max_rows
            and any(d.is_dynamic for d in new)
            and set(reduced) <= set(read.own)
            and not set(read.own) & set(read.positions)
            and read.dim not in other.dims
        )


@dataclass(frozen=True)
class _Read:
    """Rows of a table, with the names that their axes have where they are used.

    Attributes:
        names: new names by the gather's own.
    """

    gather: Node
    names: Mapping[Dim, Dim]

    @classmethod
    def found(cls, x: Value) -> _Read | None:
        """What gives ``x``, if that is a gather under other names."""
        renames: list[dict[Dim, Dim]] = []
        node = x.node
        while node is not None and node.op.name == "rename":
            renames.insert(0, dict(node.attrs["dims"]))
            node = node.operands[0].node
        if node is None or node.op.name != "gather":
            return None
        names = {}
        for dim in node.result.dims:
            names[dim] = dim
            for mapping in renames:
                names[dim] = mapping.get(names[dim], names[dim])
        return cls(node, names)

    @property
    def dim(self) -> Dim:
        """The axis of the rows."""
        return self.gather.attrs["dim"]  # type: ignore[no-any-return]  # see the op's signature

    @property
    def own(self) -> tuple[Dim, ...]:
        """The other axes of the table."""
        return tuple(self.names[d] for d in self.gather.operands[0].dims if d is not self.dim)

    @property
    def positions(self) -> tuple[Dim, ...]:
        """The axes of the positions."""
        return tuple(self.names[d] for d in self.gather.operands[1].dims)

    def renamed(self, b: Builder, x: Value) -> Value:
        """The table or the positions under the new names."""
        pairs = [(d, self.names[d]) for d in x.dims if d is not self.dim and self.names[d] is not d]
        return b.rename(x, *pairs) if pairs else x


def _products(b: Builder, read: _Read, other: Value, node: Node) -> Value:
    """Products with all rows, of which those at the positions are read."""
    table, positions = (read.renamed(b, x) for x in read.gather.operands)
    return b.op("gather", b.op("dot", other, table, **node.attrs), positions, dim=read.dim)
