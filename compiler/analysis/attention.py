"""Which axis of an ``attention`` is what: kernels have batches, heads, rows, keys and features, a node has dims."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.op import length_dims

__all__ = ["AttentionAxes", "AttentionParts"]

#: An energy from here on downwards is that of a key which has no weight beside one of another key.
_NO_WEIGHT = -1e8


@dataclass(frozen=True)
class AttentionParts:
    """The operands of an attention, by what they are.

    Attributes:
        terms: what is added to the energies.
        masks: with the energies where they are False.
        draw: of dropout, where it is an operand.
    """

    query: Value
    key: Value
    value: Value
    terms: tuple[Value, ...]
    masks: tuple[tuple[Value, float], ...]
    draw: Value | None

    @staticmethod
    def of(node: Node) -> AttentionParts:
        """The parts of a node."""
        query, key, value, *further = node.operands
        given = node.attrs["dropout"] and node.attrs["path"] is None
        draw = further.pop() if given else None
        terms = tuple(v for v in further if v.dtype != "bool")
        masks = zip((v for v in further if v.dtype == "bool"), node.attrs["fills"], strict=True)
        return AttentionParts(query, key, value, terms, tuple(masks), draw)


@dataclass(frozen=True)
class AttentionAxes:
    """The axes of an attention, as kernels have them.

    Attributes:
        batch: axes of varying size that query, key and value share.
        heads: axes of fixed size that they share.
        rows: of the query alone.
        features: what products are summed over.
        values: of the value alone.
        lengths: what the number of valid keys varies over; None where all keys are valid.
    """

    batch: tuple[Dim, ...]
    heads: tuple[Dim, ...]
    rows: tuple[Dim, ...]
    keys: Dim
    features: tuple[Dim, ...]
    values: tuple[Dim, ...]
    lengths: tuple[Dim, ...] | None

    @staticmethod
    def of(node: Node, region: Region) -> AttentionAxes | str:
        """The axes, or why they are not those of a kernel."""
        parts = AttentionParts.of(node)
        query, key, value = parts.query, parts.key, parts.value
        keys, features = node.attrs["keys"], tuple(node.attrs["features"])
        shared = [d for d in query.dims if d in key.dims and d not in features]
        rows = tuple(d for d in query.dims if d not in key.dims)
        axes = AttentionAxes(
            tuple(d for d in shared if not d.is_static),
            tuple(d for d in shared if d.is_static),
            rows,
            keys,
            features,
            tuple(d for d in value.dims if d not in shared and d is not keys),
            _lengths(node, region),
        )
        further = [*parts.terms, *(mask for mask, _ in parts.masks)]
        return axes._irregular(key, value, further) or _irregular_masks(node) or axes

    @property
    def shared(self) -> tuple[Dim, ...]:
        """Axes of query, key and value."""
        return (*self.batch, *self.heads)

    @property
    def energies(self) -> tuple[Dim, ...]:
        """The axes of the weights, keys last."""
        return (*self.shared, *self.rows, self.keys)

    def _irregular(self, key: Value, value: Value, further: list[Value]) -> str | None:
        extra = [d for d in key.dims if d not in (*self.shared, self.keys, *self.features)]
        if extra:
            return f"the keys have the axis {extra[0].name}, which the query lacks"
        lacking = [d for d in self.shared if d not in value.dims]
        if lacking:
            return f"the values lack the axis {lacking[0].name} of query and keys"
        own = [d for d in self.values if d in self.rows]
        if own:
            return f"each entry of the query's axis {own[0].name} has values of its own"
        brought = [d for t in further for d in t.dims] + list(self.lengths or ())
        new = [d for d in brought if d not in self.energies]
        return f"the weights have the axis {new[0].name}, which neither query nor keys have" if new else None


def _lengths(node: Node, region: Region) -> tuple[Dim, ...] | None:
    keys = node.attrs["keys"]
    if not node.attrs["mask"] or not region.is_ragged(keys):
        return None
    return tuple(length_dims(Builder(region), [keys]))


def _irregular_masks(node: Node) -> str | None:
    """Kernels add all numbers first and then take the keys away that masks forbid."""
    parts = AttentionParts.of(node)
    first = node.operands[3 : 3 + len(parts.terms)]
    if list(first) != list(parts.terms):
        return "something is added to what a mask has put in the place of energies"
    high = [fill for fill in node.attrs["fills"] if not fill <= _NO_WEIGHT]
    return f"a mask puts {high[0]:g} in the place of energies, which is not low enough for no weight" if high else None
