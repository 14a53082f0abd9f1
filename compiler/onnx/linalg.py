"""Products: dot. Windows of products are in ``conv`` and ``pool``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from compiler.onnx.dtypes import carrier
from compiler.onnx.elementwise import needs
from compiler.onnx.registry import emits
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []


@emits("dot", check=needs("MatMul"))
def _dot(e: Emitter, node: Node) -> list[str]:
    """``MatMul`` of [shared, own, reduced] and [shared, reduced, own], each group merged into one axis."""
    a, b = node.operands
    reduced = list(node.attrs["reduce"])
    shared = [d for d in a.dims if d in b.dims and d not in reduced]
    only_a = [d for d in a.dims if d not in b.dims]
    only_b = [d for d in b.dims if d not in a.dims]
    wide = carrier("MatMul", a.dtype) or a.dtype
    left, right = e.cast(e[a], a.dtype, wide), e.cast(e[b], b.dtype, wide)
    # of more axes one may have no entries, which onnxruntime's product with a transposition before it refuses
    few = len(only_a) == 1 or (not shared and len(only_a) == 2)
    plain = few and len(reduced) == 1 and len(only_b) == 1
    if plain:
        y = e.op("MatMul", left, right)
    else:
        rows, columns = _Group.of(e, only_a), _Group.of(e, only_b)
        inner = _Group.of(e, reduced)
        left = _grouped(e, left, a.dims, shared, rows, inner)
        right = _grouped(e, right, b.dims, shared, inner, columns)
        y = e.op("MatMul", left, right)
        y = e.reshape(y, [*shared, rows.dim, columns.dim], [*shared, *only_a, *only_b])
    return [e.cast(_zero_of_nothing(e, reduced, node.result.dims, y, wide), wide, a.dtype)]


def _zero_of_nothing(e: Emitter, reduced: list[Dim], left: Sequence[Dim], y: str, dtype: str) -> str:
    """Sums of no products: onnxruntime's ``MatMul`` of several matrices leaves the result uninitialised there.

    Where the axis that has no entries is an axis of the result too, as in attention over the same frames, nothing is
    left to initialise.
    """
    dynamic = [d for d in reduced if d.size is None]
    if all(e.empty_with(d, left) for d in dynamic):
        return y
    some = e.op("Greater", e.product([e.extent(d) for d in dynamic]), e.constant(0, "int64"))
    return e.op("Where", e.scalar(some), y, e.constant(0, dtype))


@dataclass(frozen=True)
class _Group:
    """Axes that are one for the kernel; of no axes it is one of size one."""

    dims: tuple[Dim, ...]
    dim: Dim
    extent: str | None

    @classmethod
    def of(cls, e: Emitter, dims: Sequence[Dim]) -> _Group:
        if len(dims) == 1:
            return cls(tuple(dims), dims[0], None)
        sizes = [d.size for d in dims if d.size is not None]
        if len(sizes) == len(dims):
            return cls(tuple(dims), Dim("merged", math.prod(sizes)), None)
        return cls(tuple(dims), Dim("merged"), e.product([e.extent(d) for d in dims]))


def _grouped(e: Emitter, name: str, dims: Sequence[Dim], shared: list[Dim], *groups: _Group) -> str:
    """The axes of each group merged."""
    extents = {group.dim: group.extent for group in groups if group.extent is not None}
    return e.reshape(name, dims, [*shared, *(group.dim for group in groups)], extents)
