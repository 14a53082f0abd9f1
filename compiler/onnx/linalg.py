"""Products: dot. Windows of products are in ``conv`` and ``pool``."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from compiler.analysis.extents import has_frames
from compiler.onnx.dtypes import carrier
from compiler.onnx.elementwise import needs
from compiler.onnx.emitter import JOINED_ROWS, Longer
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
    rows = _rows(e, node) if plain else None
    if rows is not None:
        return [
            e.cut_from(node.result, Longer(e.op("MatMul", rows, right), partial(_with_axes, e, node.result), rows=True))
        ]
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
    # where a frame less to sum over is an entry less to give, as in attention over the same frames, nothing is left
    summed = [d for d in reduced if not e.empty_with(d, node.result.dims)]
    return [e.cast(_zero_of_nothing(e, summed, y, wide), wide, a.dtype)]


def _rows(e: Emitter, node: Node) -> str | None:
    """The first operand as a matrix, for two layers in a row: onnxruntime makes one node of a product of matrices, its
    bias and a function of the entries, but not of a product of matrices and an array with more axes.
    """
    if not _is_layer(node):
        return None
    x = node.operands[0]
    rows = e.rows_of(x)
    if rows is None and _is_followed(e, node):
        return e.op("Reshape", e[x], e.ints(-1, x.dims[-1].size or 0), allowzero=1)
    return rows


def _is_layer(node: Node) -> bool:
    """Whether a node is the product of an array with more axes and a matrix."""
    if node.op.name != "dot" or node.result.dtype != "float32":
        return False
    x, matrix = node.operands
    (*front, last), dims = x.dims, matrix.dims
    return (
        len(front) > 1 and len(dims) == 2 and all(d.size for d in dims) and (last,) == node.attrs["reduce"] == dims[:1]
    )


def _is_followed(e: Emitter, node: Node) -> bool:
    """Whether its bias, a function of the entries and another such product are all that comes behind it."""
    bias = e.used.only_user(node.result)
    function = e.used.only_user(bias.result) if bias is not None and bias.op.name == "add" else None
    if bias is None or function is None or bias.operands[1].dims != node.result.dims[-1:]:
        return False
    after = e.used.only_user(function.result) if function.op.name in JOINED_ROWS else None
    return after is not None and _is_layer(after) and after.operands[0] is function.result


def _with_axes(e: Emitter, value: Value, matrix: str) -> str:
    return e.reshape(matrix, value.dims)


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
