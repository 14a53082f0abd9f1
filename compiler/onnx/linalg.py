"""Products: dot. Windows of products are in ``conv`` and ``pool``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from compiler.analysis.extents import has_frames
from compiler.onnx.dtypes import carrier
from compiler.onnx.elementwise import needs
from compiler.onnx.registry import emits
from returnn_ir.ir.dims import UNIT, Dim
from returnn_ir.ir.graph import Node, Value

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
    few = len(only_a) == 1 or (not shared and (len(only_a) == 2 or (only_a and not _is_transposed(e, a))))
    plain = few and len(reduced) == 1 and len(only_b) == 1
    if plain:
        y = e.op("MatMul", left, right)
    elif len(reduced) == 1 and len(only_a) <= 1 and len(only_b) <= 1:
        row, column = len(shared), len(shared) + 1
        left = left if only_a else e.unsqueeze(left, [row])
        right = right if only_b else e.unsqueeze(right, [column])
        y = e.op("MatMul", left, right)
        y = e.squeeze(y, [axis for axis, own in ((row, only_a), (column, only_b)) if not own])
    else:
        left = _grouped(e, left, shared, only_a, reduced)
        right = _grouped(e, right, shared, reduced, only_b)
        y = e.reshape(e.op("MatMul", left, right), [*shared, *only_a, *only_b])
    return [e.cast(_zero_of_nothing(e, reduced, y, wide), wide, a.dtype)]


def _is_transposed(e: Emitter, value: Value) -> bool:
    """Whether a transposition stands before it in this graph, or may get there: those move over other nodes."""
    seen: set[Value] = set()
    waiting = [value]
    while waiting:
        value = waiting.pop()
        node = value.node
        if value in seen or node is None or not e.is_made_here(value) or node.op.name == "dot":
            continue
        seen.add(value)
        if node.op.name == "transpose":
            before, after = ([d for d in v.dims if d is not UNIT] for v in (node.operands[0], value))
            if before != after:
                return True
        waiting.extend(node.operands)
    return False


def _zero_of_nothing(e: Emitter, reduced: list[Dim], y: str, dtype: str) -> str:
    """Sums of no products: onnxruntime's ``MatMul`` of several matrices leaves the result uninitialised there."""
    dynamic = [d for d in reduced if d.size is None and not has_frames(d, e.region)]
    if not dynamic:
        return y
    some = e.op("Greater", e.product([e.extent(d) for d in dynamic]), e.constant(0, "int64"))
    return e.op("Where", e.scalar(some), y, e.constant(0, dtype))


def _grouped(e: Emitter, name: str, shared: list[Dim], *groups: list[Dim]) -> str:
    """The axes of each group merged, an axis of size one for an empty group."""
    if all(len(group) == 1 for group in groups):
        return name
    sizes = [_merged_extent(e, group) for group in groups]
    return e.op("Reshape", name, e.concat([*(e.extent(d) for d in shared), *sizes], 0), allowzero=1)


def _merged_extent(e: Emitter, dims: list[Dim]) -> str:
    known = [d.size for d in dims if d.size is not None]
    return e.ints(math.prod(known)) if len(known) == len(dims) else e.product([e.extent(d) for d in dims])
