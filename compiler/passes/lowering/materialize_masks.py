"""NAMED to MASKED: what a masked op means over ragged dims becomes explicit ``where(mask(dim), x, neutral)`` nodes.

Afterwards no op with ``Trait.MASKED`` has ``mask=True``, so that no backend has an opinion about padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from compiler.analysis.attention import AttentionParts
from compiler.analysis.bounds import Bounds
from compiler.analysis.tails import has_common_length, zero_behind_the_end
from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import rewrite
from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node, Value
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.op import Tail, Trait, length_dims
from returnn_ir.ir.uses import Uses

__all__ = ["MaterializeMasks"]

#: What a masked op whose result has the masked axis leaves behind the end; a neutral logarithm is that of zero.
_LEFT_BEHIND = {Tail.ZERO: 0.0, Tail.NEUTRAL: -np.inf}
#: The energy of a key that is none, below that of one which a mask forbids.
_FORBIDDEN = float(np.finfo(np.float32).min)


@dataclass(frozen=True)
class MaterializeMasks(Pass):
    """Masked ops over ragged dims get their neutral element put behind each sequence's end.

    Attributes:
        fixed: axes have one size in every run. So those that have one length for the whole batch may be longer, too,
            whether an op leaves masks away or not.
    """

    name: ClassVar[str] = "materialize_masks"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)
    ensures: ClassVar[Stage | None] = Stage.MASKED
    fixed: bool = False

    def run(self, graph: Graph, context: Context) -> bool:
        """Masks that repeat are left to common subexpression elimination."""
        bounds = Bounds(graph, 1, 1)

        def written(b: Builder, node: Node) -> Sequence[Value] | None:
            if node.op.name == "attention":
                return _forbid_keys(b, node, bounds) if self.fixed else None
            return _materialize(b, node, fixed=self.fixed)

        changed = rewrite(graph, written)
        uses = graph.uses()
        return rewrite(graph, lambda b, node: _left_to_products(node, uses)) or changed


def _materialize(b: Builder, node: Node, *, fixed: bool) -> Sequence[Value] | None:
    if not node.op.has(Trait.MASKED):
        return None
    over = node.addressed_dims()
    ragged = [d for d in over if (node.attrs["mask"] and b.needs_mask(d)) or (fixed and has_common_length(b.region, d))]
    if not node.attrs["mask"] and not ragged:
        return None
    unmasked = {**node.attrs, "mask": False}
    if not ragged:
        return b.emit(node.op, node.operands, unmasked)
    operands = [_put_neutral(b, node, x, ragged) for x in node.operands]
    if unmasked.get("kind") == "mean":  # the one reduction whose meaning counts frames
        total = b.emit(node.op, operands, {**unmasked, "kind": "sum"})[0]
        count = b.maximum(
            _count(b, node.attrs["dims"], fixed=fixed), 1
        )  # the mean of no frame is zero, as RETURNN has it
        return [b.div(total, b.cast(count, total.dtype))]
    results = b.emit(node.op, operands, unmasked)
    left_behind = _LEFT_BEHIND.get(node.op.tail)
    if left_behind is not None:
        # a kernel that sees nothing but neutral elements, in a sequence without frames, does not leave this by itself
        results = [_fill(b, y, [d for d in ragged if d in y.dims], left_behind) for y in results]
    return results


def _forbid_keys(b: Builder, node: Node, bounds: Bounds) -> Sequence[Value] | None:
    """An attention whose keys have one length for the whole batch, as the steps of a loop so far have, gets their mask.

    Lengths of each sequence's own it knows by itself, for any size of the axis.
    """
    keys = node.attrs["keys"]
    if not has_common_length(b.region, keys):
        return None
    query, key, value, *further = node.operands
    draw = [further.pop()] if AttentionParts.of(node).draw is not None else []
    length = b.lookup(keys)
    if length is None or bounds.interval(length).low < 1:
        value = _fill(b, value, [keys], 0)  # without any key the result is 0, and not the mean of what is forbidden
    attrs = {**node.attrs, "fills": (*node.attrs["fills"], _FORBIDDEN)}
    return b.emit(node.op, [query, key, value, *further, b.mask(keys), *draw], attrs)


def _left_to_products(node: Node, uses: Uses) -> Sequence[Value] | None:
    """The weights of a softmax as they are, if only products read them whose other operand is zero behind the ends.

    The softmax leaves zeros there by itself, and finite numbers in a sequence without frames.
    """
    made = _softmax_in(node)
    if made is None or node.result in uses.kept:
        return None
    over = [d for d in made.attrs["dims"] if zero_behind_the_end(node.result, d)]
    read = all(_reads_zeros(user, node.result, over) for user in uses.of_value(node.result))
    return [made.result] if over and read else None


def _softmax_in(node: Node | None) -> Node | None:
    """The softmax whose weights are chosen on some frames."""
    made = node.operand("x").node if node is not None and node.op.name == "where" else None
    return made if made is not None and made.op.name == "softmax" else None


def _reads_zeros(node: Node, weights: Value, over: Sequence[Dim]) -> bool:
    """Whether a node is a product that multiplies what is behind the ends with zeros."""
    if node.op.name != "dot" or node.operands.count(weights) != 1:
        return False
    (other,) = (v for v in node.operands if v is not weights)
    if _softmax_in(other.node) is not None:  # whose zeros may go in the same way
        return False
    return any(d in node.attrs["reduce"] and zero_behind_the_end(other, d) for d in over)


def _put_neutral(b: Builder, node: Node, x: Value, ragged: Sequence[Dim]) -> Value:
    if node.op.neutral is None:
        raise IRError(f"masked op {node.op.name!r} declares no neutral element")
    neutral = node.op.neutral(x.dtype, node.attrs)
    dims = [d for d in ragged if d in x.dims and not (neutral == 0 and zero_behind_the_end(x, d))]
    return _fill(b, x, dims, neutral)


def _fill(b: Builder, x: Value, dims: Sequence[Dim], value: float | bool) -> Value:
    for dim in dims:
        x = b.op("where", b.mask(dim), x, b.const(value, x.dtype))
    return x


def _count(b: Builder, dims: Sequence[Dim], *, fixed: bool) -> Value:
    """How many valid frames ``dims`` have together, int64: sums of lengths from the innermost dim outwards."""
    remaining = list(dims)
    total: Value | None = None
    while remaining:
        inner = [d for d in remaining if not any(d in length_dims(b, [o]) for o in remaining)]
        dim = inner[0]
        remaining.remove(dim)
        if total is not None and dim in total.dims:
            needed = b.needs_mask(dim) or (fixed and has_common_length(b.region, dim))
            masked = _fill(b, total, [dim] if needed else [], 0)
            total = b.reduce("sum", masked, dim, mask=False)
        else:
            own = b.length(dim) if dim.is_dynamic else _size(b, dim)
            total = own if total is None else b.mul(total, own)
    return total if total is not None else b.const(1)


def _size(b: Builder, dim: Dim) -> Value:
    return b.const(dim.size) if dim.size is not None else b.extent(dim)
