"""Attention as one of onnxruntime's own ops: com.microsoft.MultiHeadAttention.

It takes [batch, length, heads * features], a number of valid keys per sequence, and a bias that is added to the
energies. It adds its mask, too, and gives a sequence without any key the mean of what lies there. So behind the ends
there have to be zeros: no sum then has what is no number, and the result of such a sequence is zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from compiler.analysis.attention import AttentionAxes, AttentionParts
from compiler.onnx.profile import Format, Profile
from compiler.onnx.registry import emits
from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Node, Region, Value

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter, Lengths

__all__: list[str] = []

_LOWEST = float(np.finfo("float32").min)
#: The energy of a key that a mask forbids, where the weights of a query without keys do not matter.
_LOW = -1e30


def _why_not(node: Node, region: Region, format_: Format) -> str | None:
    dtypes = {v.dtype for v in node.operands} - {"bool"}
    if dtypes != {"float32"}:
        return f"onnxruntime has no MultiHeadAttention for {', '.join(sorted(dtypes))} on a CPU"
    if node.attrs["dropout"]:
        return "MultiHeadAttention drops no weights"
    if node.attrs["scale"] == 0:
        return "MultiHeadAttention takes a scale of 0 for none given"
    axes = AttentionAxes.of(node, region)
    if isinstance(axes, str):
        return axes
    if region.parent is not None and any(d in region.dim_defs for d in leaves(axes.keys)):
        return "MultiHeadAttention over keys that grow needs their sizes in each step"
    varying = [d for d in (*axes.features, *axes.values) if not d.size]
    return f"MultiHeadAttention needs features of fixed size, not {varying[0].name}" if varying else None


@emits("attention", check=_why_not, kernel="MultiHeadAttention", profile=Profile.ONNXRUNTIME)
def _attention(e: Emitter, node: Node) -> list[str]:
    axes = AttentionAxes.of(node, e.region)
    if isinstance(axes, str):
        raise IRError(f"onnx: attention was accepted, and cannot be written: {axes}")
    return [_MultiHead(e, node, axes, AttentionParts.of(node)).write()]


@dataclass(frozen=True)
class _MultiHead:
    """One node being written."""

    e: Emitter
    node: Node
    axes: AttentionAxes
    parts: AttentionParts

    @property
    def heads(self) -> tuple[Dim, ...]:
        """Shared axes behind that of the keys in memory; moving one that is in front (of hypotheses) costs more."""
        dims = self.parts.key.dims
        return tuple(d for d in self.axes.heads if dims.index(d) > dims.index(self.axes.keys))

    @property
    def batch(self) -> tuple[Dim, ...]:
        """The other shared axes."""
        return tuple(d for d in self.axes.shared if d not in self.heads)

    def write(self) -> str:
        """The name of the result."""
        e, axes, attrs = self.e, self.axes, self.node.attrs
        query = self._operand(self.parts.query, axes.rows, axes.features)
        key = self._operand(self.parts.key, (axes.keys,), axes.features)
        value = self._operand(self.parts.value, (axes.keys,), axes.values)
        width = _size((*self.heads, *axes.values))
        inputs = [query, key, value, "", self._valid_count(), self._bias()]
        while not inputs[-1]:
            inputs.pop()
        options = {"num_heads": _size(self.heads), "scale": attrs["scale"], "mask_filter_value": _LOWEST}
        made = [self._known(self.batch), self._known(axes.rows), width]
        (y,) = e.contrib("MultiHeadAttention", inputs, [("float32", made)], **options)
        order = (*self.batch, *axes.rows, *self.heads, *axes.values)
        y = self._apart(self._of_some_key(y), order)
        return e.permute(y, order, self.node.result.dims)

    # ---------------------------------------------------------------- axes

    def _operand(self, value: Value, rows: Sequence[Dim], columns: Sequence[Dim]) -> str:
        """An operand as [batch, rows, heads * columns], made where the operand is made."""
        e = self.e
        order = (*self.batch, *rows, *self.heads, *columns)
        keyed = self.axes.keys in rows and self._lengths_of_batch() is not None
        lengths = [e.region.lookup(d) for d in leaves(self.axes.keys)] if keyed else []
        with e.inside(e.home(value, *(v for v in lengths if v is not None))):
            x = e.permute(e[value], value.dims, order)
            if keyed:
                allowed = e.align(*e.mask(self.axes.keys), order)
                x = e.op("Where", allowed, x, e.constant(0, "float32"))
            return self._merged(x, self.batch, rows, (*self.heads, *columns))

    def _merged(self, x: str, *groups: Sequence[Dim]) -> str:
        """Each group of axes as one."""
        if all(len(group) == 1 for group in groups):
            return x
        sizes: list[int] = []
        for at, group in enumerate(groups):
            static = _size(group) if all(d.size is not None for d in group) else 0
            if not static and (len(group) != 1 or any(len(g) != 1 for g in groups[:at])):
                return self.e.op("Reshape", x, self.e.concat([self._extent(g) for g in groups], 0), allowzero=1)
            sizes.append(static)  # 0: as it is
        return self.e.op("Reshape", x, self.e.ints(*sizes))

    def _extent(self, dims: Sequence[Dim]) -> str:
        known = [d.size for d in dims if d.size is not None]
        if len(known) == len(dims):
            return self.e.ints(math.prod(known))
        return self.e.product([self.e.extent(d) for d in dims])

    def _known(self, dims: Sequence[Dim]) -> int | None:
        """The size in memory of several axes as one; None where it is known in a run only."""
        sizes = [self.e.memory.size(d) for d in dims]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def _apart(self, y: str, order: Sequence[Dim]) -> str:
        """The result with all its axes."""
        if len(self.batch) != 1 or len(self.axes.rows) != 1:
            return self.e.reshape(y, order)
        return y if len(order) == 3 else self.e.op("Reshape", y, self.e.ints(*(d.size or 0 for d in order)))

    # ---------------------------------------------------------------- masks

    def _lengths_of_batch(self) -> tuple[Dim, ...] | None:
        """What the number of valid keys varies over, if it is the same for all queries and heads."""
        lengths = self.axes.lengths
        return lengths if lengths is not None and all(d in self.batch for d in lengths) else None

    def _valid_count(self) -> str:
        """Valid keys per sequence, int32 [batch]."""
        if self._lengths_of_batch() is None:
            return ""
        e = self.e
        length, dims = e.length(self.axes.keys)
        count = e.align(length, dims, self.batch)
        if len(dims) != len(self.batch):
            count = e.op("Expand", count, e.shape(self.batch))
        count = e.op("Reshape", count, e.ints(-1)) if len(self.batch) != 1 else count
        return e.cast(count, "int64", "int32")

    def _bias(self) -> str:
        """What is added to the energies: [batch or 1, heads or 1, rows, keys]."""
        total: Lengths | None = None
        for term in self.parts.terms:
            total = self._together("Add", total, (self.e[term], term.dims))
        for allowed, fill in self._masks():
            total = self._filled(allowed, total, fill)
        if total is None:
            return ""
        name, own = total
        e, rows, keys = self.e, self.axes.rows, self.axes.keys
        front = [group if any(d in own for d in group) else () for group in (self.batch, self.heads)]
        wanted = [d for group in (*front, rows, (keys,)) for d in group]
        name = e.align(name, own, wanted)
        if any(d not in own for d in wanted):
            name = e.op("Expand", name, e.shape(wanted))
        sizes = [self._extent(group) for group in (*front, rows, (keys,))]
        if all(len(group) == 1 for group in (*front, rows)):
            return name
        return e.op("Reshape", name, e.concat(sizes, 0), allowzero=1)

    def _masks(self) -> list[tuple[Lengths, float]]:
        """What keys are allowed, and the energy of the others; the last one wins."""
        low = _LOW if self.node.attrs["zeroed"] else None
        masks = [((self.e[m], m.dims), fill if low is None else low) for m, fill in self.parts.masks]
        if self.axes.lengths is not None and self._lengths_of_batch() is None:
            masks.append((self.e.mask(self.axes.keys), _LOWEST))
        return masks

    def _together(self, op_type: str, total: Lengths | None, x: Lengths) -> Lengths:
        if total is None:
            return x
        dims = self._ordered(total[1], x[1])
        return self.e.op(op_type, self.e.align(*total, dims), self.e.align(*x, dims)), dims

    def _filled(self, allowed: Lengths, total: Lengths | None, fill: float) -> Lengths:
        name, own = total if total is not None else (self.e.constant(0, "float32"), ())
        dims = self._ordered(allowed[1], own)
        condition, x = self.e.align(*allowed, dims), self.e.align(name, own, dims)
        return self.e.op("Where", condition, x, self.e.constant(fill, "float32")), dims

    def _ordered(self, *parts: Sequence[Dim]) -> tuple[Dim, ...]:
        return tuple(
            d for d in (*self.batch, *self.heads, *self.axes.rows, self.axes.keys) if any(d in p for p in parts)
        )

    def _of_some_key(self, y: str) -> str:
        """Zero for queries that lengths of their own, or masks that make weights zero, leave no key."""
        e, keys = self.e, self.axes.keys
        order = (*self.batch, *self.axes.rows, *self.heads)
        some: list[Lengths] = []
        if self.axes.lengths is not None and self._lengths_of_batch() is None:
            length, dims = e.length(keys)
            some.append((e.op("Greater", length, e.constant(0, "int64")), dims))
        if self.node.attrs["zeroed"]:
            allowed = [(e[mask], mask.dims) for mask, _ in self.parts.masks]
            if self.axes.lengths is not None:
                allowed.append(e.mask(keys))
            every: Lengths | None = None
            for mask in allowed:
                every = self._together("And", every, mask)
            if every is not None:
                dims = tuple(d for d in every[1] if d is not keys)
                counted = e.cast(every[0], "bool", "int32")
                most = e.reduce("ReduceMax", counted, [every[1].index(keys)])
                some.append((e.op("Greater", most, e.constant(0, "int32")), dims))
        for name, dims in some:
            y = self._where(name, dims, order, y)
        return y

    def _where(self, name: str, dims: Sequence[Dim], order: Sequence[Dim], y: str) -> str:
        """Zero in the result of the op, [batch, rows, heads * values], where something over ``dims`` does not hold."""
        e = self.e
        if any(d in self.heads for d in dims):
            whole = (*order, *self.axes.values)
            apart = e.reshape(y, whole)
            kept = e.op("Where", e.align(name, dims, whole), apart, e.constant(0, "float32"))
            return self._merged(kept, self.batch, self.axes.rows, (*self.heads, *self.axes.values))
        x = e.align(name, dims, (*self.batch, *self.axes.rows))
        if len(self.batch) != 1 or len(self.axes.rows) != 1:
            x = e.op("Expand", x, e.shape((*self.batch, *self.axes.rows)))
            x = e.op("Reshape", x, e.concat([self._extent(self.batch), self._extent(self.axes.rows)], 0), allowzero=1)
        return e.op("Where", e.op("Unsqueeze", x, e.ints(-1)), y, e.constant(0, "float32"))


def _size(dims: Sequence[Dim]) -> int:
    return math.prod(d.size or 0 for d in dims)
