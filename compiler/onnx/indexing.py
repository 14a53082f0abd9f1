"""Reading and writing entries by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from compiler.onnx.dtypes import carrier
from compiler.onnx.padding import appended
from compiler.onnx.registry import emits
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node
from returnn_ir.ir.types import TensorType, is_integer

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__ = ["gather", "never_empty", "one_frame", "take"]

Dims = Sequence[Dim]


def clip(e: Emitter, positions: str, extent: str) -> str:
    """Positions moved onto an axis of that extent (a vector of one), to its beginning if there are none."""
    last = e.op("Sub", extent, e.ints(1))
    zero = e.constant(0, "int64")
    return e.op("Max", e.op("Min", positions, e.scalar(last)), zero)


def never_empty(e: Emitter, values: str, type_: TensorType, dim: Dim, last: int = 0) -> str:
    """A frame on an axis that would be empty: ``Gather`` and ``ArgMax`` cannot read from an empty one.

    Of integers there is one more in any case, behind the others, of the number ``last``; else it is of zeros.
    """
    if e.memory.size(dim):
        return values
    if is_integer(type_.dtype):
        return appended(e, (values, type_), dim, e.ints(1), last)
    return one_frame(e, values, type_.dtype, len(type_.dims), type_.axis(dim))


def one_frame(e: Emitter, values: str, dtype: str, rank: int, axis: int) -> str:
    """At least one frame on an axis."""
    missing = e.op("Sub", e.ints(1), e.op("Min", e.axis_extent(values, axis), e.ints(1)))
    return e.pad(values, dtype, rank, axis, e.ints(0), missing)


#: What ``GatherND`` is computed in: it has no kernel for int32 on CUDA.
_GATHERED = {**{t: t for t in ("float16", "float32", "float64", "int64", "bool")}, "int32": "int64"}


def gather(e: Emitter, x: tuple[str, TensorType], dim: Dim, index: tuple[str, Dims], *, inside: bool = False) -> str:
    """``x`` at ``index`` along ``dim``: x [shared, dim, rest], index [shared, new], result [shared, new, rest].

    Without ``shared`` axes ``dim`` may be anywhere, and the new ones take its place. ``inside``: all positions are
    known to be on the axis.
    """
    (values, type_), (positions, index_dims) = x, index
    shared = [d for d in type_.dims if d in index_dims]
    axis = type_.axis(dim)
    if not inside:
        positions = clip(e, positions, e.axis_extent(values, axis) if dim.size is None else e.ints(dim.size))
        values = never_empty(e, values, type_, dim)
    if not shared:
        return e.op("Gather", values, positions, axis=axis)
    wide = _GATHERED.get(type_.dtype)
    if wide is not None:
        values, tuples = e.cast(values, type_.dtype, wide), e.unsqueeze(positions, [len(index_dims)])
        return e.cast(e.op("GatherND", values, tuples, batch_dims=len(shared)), wide, type_.dtype)
    return _gather_rows(e, (values, type_), dim, (positions, index_dims))


def _gather_rows(e: Emitter, x: tuple[str, TensorType], dim: Dim, index: tuple[str, Dims]) -> str:
    """With ``shared`` axes: from one flat axis of all rows; row r, position p stands at r * extent + p."""
    (values, type_), (positions, index_dims) = x, index
    shared = [d for d in type_.dims if d in index_dims]
    rest = [d for d in type_.dims if d not in shared and d is not dim]
    extent = e.axis_extent(values, type_.axis(dim)) if dim.size is None else e.ints(max(dim.size, 1))
    rows = e.product([e.extent(d) for d in shared])
    flat = e.op("Reshape", values, e.concat([e.op("Mul", rows, extent), _extents(e, rest)], 0), allowzero=1)
    start = e.reshape(e.op("Mul", e.range(rows), extent), shared)
    new = [d for d in index_dims if d not in shared]
    flat_index = e.op("Add", positions, e.unsqueeze(start, range(len(shared), len(shared) + len(new))))
    return e.op("Gather", flat, flat_index, axis=0)


def _extents(e: Emitter, dims: Dims) -> str:
    return e.shape(dims) if dims else e.constant([], "int64")


def take(
    e: Emitter, x: tuple[str, TensorType], dim: Dim, index: tuple[str, Dims], target: Dims, *, inside: bool = False
) -> str:
    """``x`` at ``index`` along ``dim``, operands in any order of axes and the result with the axes ``target``."""
    (values, type_), (positions, index_dims) = x, index
    shared = [d for d in type_.dims if d in index_dims]
    new = [d for d in index_dims if d not in shared]
    held = list(type_.dims)
    if shared:
        held = [*shared, dim, *(d for d in type_.dims if d not in shared and d is not dim)]
        values = e.permute(values, type_.dims, held)
        positions = e.permute(positions, index_dims, [*shared, *new])
    taken = gather(e, (values, type_.with_dims(held)), dim, (positions, [*shared, *new]), inside=inside)
    at = held.index(dim)
    return e.permute(taken, [*held[:at], *new, *held[at + 1 :]], target)


@emits("gather")
def _gather(e: Emitter, node: Node) -> list[str]:
    values, index = node.operands
    dim, below = node.attrs["dim"], e.trace.sources(index).made
    inside = below is not None and dim.size is not None and below <= dim.size
    plain = inside and index.dtype == "int32" and not set(values.dims) & set(index.dims)
    positions = e[index] if plain else e.cast(e[index], index.dtype, "int64")
    return [take(e, (e[values], values.type), dim, (positions, index.dims), node.result.dims, inside=inside)]


# -------------------------------------------------------------------- writing and choosing


@emits("scatter_add")
def _scatter_add(e: Emitter, node: Node) -> list[str]:
    """Positions outside get an entry of their own behind the axis, which is cut off."""
    values, index = node.operands
    dims, out, result = node.attrs["dims"], node.attrs["out"], node.result
    kept = [d for d in index.dims if d not in dims]
    other = [d for d in values.dims if d not in dims and d not in kept]
    length, count = e.product([e.extent(d) for d in dims]), e.extent(out)
    positions = e.cast(e[index], index.dtype, "int64")
    outside = e.op("Or", e.op("Less", positions, e.constant(0, "int64")), e.op("GreaterOrEqual", positions, count))
    positions = e.op("Where", outside, count, positions)
    positions = e.op("Reshape", positions, e.concat([_extents(e, kept), length], 0), allowzero=1)
    positions = e.unsqueeze(positions, range(len(kept), len(kept) + len(other)))
    shape = e.concat([_extents(e, [*kept, *other]), length], 0)
    wide = carrier("ScatterElements", values.dtype) or values.dtype
    added = e.align(e.cast(e[values], values.dtype, wide), values.dims, [*kept, *other, *dims])
    if len(dims) != 1:
        own = [d for d in [*kept, *other] if d in values.dims]
        inner = e.op("Reshape", added, e.concat([_aligned_extents(e, own, [*kept, *other]), length], 0), allowzero=1)
        added = inner
    zeros = e.op(
        "Expand", e.constant(0, wide), e.concat([_extents(e, [*kept, *other]), e.op("Add", count, e.ints(1))], 0)
    )
    rank = len(kept) + len(other)
    summed = e.op(
        "ScatterElements",
        zeros,
        e.op("Expand", positions, shape),
        e.op("Expand", added, shape),
        axis=rank,
        reduction="add",
    )
    cut = e.op("Slice", summed, e.ints(0), count, e.ints(rank))
    return [e.permute(e.cast(cut, wide, values.dtype), [*kept, *other, out], result.dims)]


def _aligned_extents(e: Emitter, own: Dims, dims: Dims) -> str:
    parts = [e.extent(d) if d in own else e.ints(1) for d in dims]
    return e.concat(parts, 0) if parts else e.constant([], "int64")


@emits("masked_select")
def _masked_select(e: Emitter, node: Node) -> list[str]:
    values, mask = node.operands
    rest = values.dims[len(mask.dims) :]
    rows = e.product([e.extent(d) for d in mask.dims])
    flat = e.op("Reshape", e[values], e.concat([rows, _extents(e, rest)], 0), allowzero=1)
    return [e.op("Compress", flat, e.op("Reshape", e[mask], e.ints(-1)), axis=0)]


@emits("search_sorted")
def _search_sorted(e: Emitter, node: Node) -> list[str]:
    """The number of entries before the position: those that are smaller (``right``: or equal)."""
    ordered, values = node.operands
    shared = [d for d in values.dims if d in ordered.dims]
    new = [d for d in values.dims if d not in shared]
    rows = e.unsqueeze(e[ordered], range(len(shared), len(shared) + len(new)))
    wanted = e.unsqueeze(e[values], [len(values.dims)])
    op_type = "Less" if node.attrs["side"] == "left" else "LessOrEqual"
    before = e.typed(op_type, values.dtype, rows, wanted, result="bool")
    return [e.reduce("ReduceSum", e.cast(before, "bool", "int64"), [len(values.dims)])]
