"""Axes: renamed, repeated, joined, cut, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from compiler.analysis.cuts import is_cut
from compiler.onnx.indexing import take
from compiler.onnx.padding import appended, padded
from compiler.onnx.registry import emits
from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Value
from returnn_ir.ir.types import is_integer

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter, Lengths

__all__: list[str] = []

_END = int(np.iinfo(np.int64).max)
_BEGIN = int(np.iinfo(np.int64).min)


@emits("rename")
def _rename(e: Emitter, node: Node) -> list[str]:
    for old, new in node.attrs["dims"]:
        e.rename(old, new)
    return e.operands(node)


@emits("transpose")
def _transpose(e: Emitter, node: Node) -> list[str]:
    x = node.operands[0]
    return [e.positional(e[x], x.dims, node.attrs["dims"])]


@emits("expand")
def _expand(e: Emitter, node: Node) -> list[str]:
    x = node.operands[0]
    new = [e.extent(d) for d in node.attrs["dims"]]
    return [e.op("Expand", e[x], e.concat([*new, e.ints(*[1] * len(x.dims))], 0))]


@emits("squeeze")
def _squeeze(e: Emitter, node: Node) -> list[str]:
    x, dim = node.operands[0], node.attrs["dim"]
    axis = x.type.axis(dim)
    if dim.size == 1:
        return [e.squeeze(e[x], [axis])]
    return [e.op("Gather", e[x], e.constant(0, "int64"), axis=axis)]


@emits("merge")
def _merge(e: Emitter, node: Node) -> list[str]:
    x, dims, out = node.operands[0], node.attrs["dims"], node.attrs["out"]
    product = {out: e.product([e.extent(d) for d in dims])} if out.size is None else {}
    for dim, extent in product.items():
        e.has_extent(dim, extent)
    return [e.reshape(e[x], node.result.dims, product, old=x.dims)]


@emits("split")
def _split(e: Emitter, node: Node) -> list[str]:
    x, outs = node.operands[0], node.attrs["outs"]
    others = [d for d in outs if d.size != 1]
    if len(others) == 1 and len(outs) > 1:
        axis = x.type.axis(node.attrs["dim"])
        return [e.unsqueeze(e[x], [axis + i for i, d in enumerate(outs) if d.size == 1])]
    unknown = [d for d in outs if d.size is None]
    extents: dict[Dim, str] = {}
    if len(unknown) == 1:
        known = int(np.prod([d.size for d in outs if d.size is not None]))
        extent = e.axis_extent(e[x], x.type.axis(node.attrs["dim"]))
        extents[unknown[0]] = e.op("Div", extent, e.ints(max(known, 1)))
    return [e.reshape(e[x], node.result.dims, extents, old=x.dims)]


# -------------------------------------------------------------------- joining


@emits("concat")
def _concat(e: Emitter, node: Node) -> list[str]:
    if node.attrs["ragged"]:
        return [_concat_ragged(e, node)]
    return [e.op("Concat", *e.operands(node), axis=node.result.type.axis(node.attrs["out"]))]


def _concat_ragged(e: Emitter, node: Node) -> str:
    """Each operand's valid frames directly behind the previous operand's; zeros behind the last."""
    dims, out, result = node.attrs["dims"], node.attrs["out"], node.result
    lengths = [e.length(d) for d in dims]
    at = (*dict.fromkeys(d for _, own in lengths for d in own), out)
    steps, shape = e.range(e.extent(out)), e.shape(at)
    offset: Lengths = (e.constant(0, "int64"), ())
    total = e.constant(0, result.dtype)
    for x, dim, length in zip(node.operands, dims, lengths, strict=True):
        position = e.op("Sub", steps, e.align(*offset, at))
        inside = e.op("And", _not_negative(e, position), e.op("Less", position, e.align(*length, at)))
        part = take(e, (e[x], x.type), dim, (e.op("Expand", position, shape), at), result.dims)
        total = e.where(e.align(e.op("Expand", inside, shape), at, result.dims), part, total, result.dtype)
        offset = e.add_lengths(offset, length)
    return total


def _not_negative(e: Emitter, position: str) -> str:
    return e.op("GreaterOrEqual", position, e.constant(0, "int64"))


# -------------------------------------------------------------------- padding and cutting


@emits("pad")
def _pad(e: Emitter, node: Node) -> list[str]:
    x, attrs = node.operands[0], node.attrs
    dim, axis = attrs["dim"], x.type.axis(attrs["dim"])
    left, right = e.ints(attrs["left"]), e.ints(attrs["right"])
    if attrs["mode"] == "constant":
        name = e[x]
        if attrs["ragged"]:
            # what stands behind a sequence's end, the added frames included, is the same value
            mask, dims = e.mask(dim)
            name = e.where(e.align(mask, dims, x.dims), name, e.constant(attrs["value"], x.dtype), x.dtype)
        return [padded(e, (name, x.type), dim, left, right, attrs["value"])]
    length: Lengths = e.length(dim) if attrs["ragged"] else (e.scalar(e.axis_extent(e[x], axis)), ())
    out = attrs["out"]
    extent = e.op("Add", e.axis_extent(e[x], axis), e.ints(attrs["left"] + attrs["right"]))
    at = (*length[1], out)
    position = e.op("Sub", e.range(extent), left)
    ends = e.align(*length, at)
    source = _mirrored(e, position, ends, attrs["mode"])
    y = take(e, (e[x], x.type), dim, (source, at), node.result.dims)
    if not attrs["ragged"]:
        return [y]
    counts = e.op("Less", position, e.op("Add", ends, e.constant(attrs["right"], "int64")))
    return [e.where(e.align(counts, at, node.result.dims), y, e.constant(0, x.dtype), x.dtype)]


def _mirrored(e: Emitter, position: str, length: str, mode: str) -> str:
    """Where a position outside of a sequence reads: at the frame on the other side of the edge, or at the edge."""
    zero, one = e.constant(0, "int64"), e.constant(1, "int64")
    last = e.op("Sub", length, one)
    if mode == "reflect":
        position = e.op("Sub", last, e.op("Abs", e.op("Sub", last, e.op("Abs", position))))
    elif mode == "symmetric":
        position = e.op("Where", e.op("Less", position, zero), e.op("Sub", e.op("Neg", position), one), position)
        behind = e.op("Sub", e.op("Sub", e.op("Add", length, length), one), position)
        position = e.op("Where", e.op("Less", position, length), position, behind)
    elif mode != "replicate":
        raise IRError(f"no padding mode {mode!r}")
    return e.op("Max", e.op("Min", position, last), zero)


@emits("slice")
def _slice(e: Emitter, node: Node) -> list[str]:
    x, attrs = node.operands[0], node.attrs
    step = attrs["step"]
    start, end = attrs["start"], attrs["end"]
    start = start if start is not None else (0 if step > 0 else _END)
    end = end if end is not None else (_END if step > 0 else _BEGIN)
    axis = e.ints(x.type.axis(attrs["dim"]))
    return [e.op("Slice", e[x], e.ints(start), e.ints(end), axis, e.ints(step))]


@emits("sections")
def _sections(e: Emitter, node: Node) -> list[str]:
    x, outs = node.operands[0], node.attrs["outs"]
    sizes = e.ints(*(out.size for out in outs))
    return e.multi("Split", [e[x], sizes], len(outs), axis=x.type.axis(node.attrs["dim"]))


@emits("resize_axis")
def _resize_axis(e: Emitter, node: Node) -> list[str]:
    x, out = node.operands[0], node.attrs["out"]
    axis = x.type.axis(node.attrs["dim"])
    extent = e.extent(out)
    if is_cut(node.attrs["dim"], out, e.region):
        return [e.op("Slice", e[x], e.ints(0), extent, e.ints(axis))]
    if is_integer(x.dtype):
        return [_resized_integers(e, x, node.attrs["dim"], extent)]
    # a negative number of added entries cuts
    missing = e.op("Sub", extent, e.axis_extent(e[x], axis))
    return [e.pad(e[x], x.dtype, len(x.dims), axis, e.ints(0), missing)]


def _resized_integers(e: Emitter, x: Value, dim: Dim, extent: str) -> str:
    """Cut, and zeros behind what is there."""
    axis = x.type.axis(dim)
    missing = e.op("Max", e.op("Sub", extent, e.axis_extent(e[x], axis)), e.ints(0))
    return appended(e, (e.op("Slice", e[x], e.ints(0), extent, e.ints(axis)), x.type), dim, missing)


@emits("reverse")
def _reverse(e: Emitter, node: Node) -> list[str]:
    x, dim = node.operands[0], node.attrs["dim"]
    axis = x.type.axis(dim)
    if not node.attrs["ragged"] or dim.is_static:
        return [e.op("Slice", e[x], e.ints(_END), e.ints(_BEGIN), e.ints(axis), e.ints(-1))]
    length, dims = e.length(dim)
    if len(dims) == 1 and dims[0] in x.dims and {axis, x.type.axis(dims[0])} == {0, 1}:
        return [e.op("ReverseSequence", e[x], length, time_axis=axis, batch_axis=1 - axis)]
    at = (*dims, dim)
    steps, ends = e.range(e.extent(dim)), e.align(length, dims, at)
    mirrored = e.op("Sub", e.op("Sub", ends, e.constant(1, "int64")), steps)
    source = e.op("Where", e.op("Less", steps, ends), mirrored, steps)
    # the frames that are read, under another tag than those that are written
    read = Dim(f"read {dim.name}")
    held = [read if d is dim else d for d in x.dims]
    return [take(e, (e[x], x.type.with_dims(held)), read, (source, at), node.result.dims)]


@emits("window")
def _window(e: Emitter, node: Node) -> list[str]:
    """Zeros around the axis so that every position is on it, then the frames by number."""
    x, attrs = node.operands[0], node.attrs
    axis, out, window = x.type.axis(attrs["dim"]), attrs["out"], attrs["window"]
    frames = e.op("Mul", e.range(e.extent(out)), e.constant(attrs["stride"], "int64"))
    offsets = e.op("Mul", e.range(e.extent(window)), e.constant(attrs["dilation"], "int64"))
    index = e.op("Add", e.unsqueeze(frames, [1]), offsets)
    ends = e.reduce(
        "ReduceMax", e.op("Concat", e.op("Reshape", index, e.ints(-1)), e.ints(0), axis=0), [0], keepdims=True
    )
    held = e.op("Add", e.axis_extent(e[x], axis), e.ints(attrs["left"]))
    right = e.op("Max", e.op("Sub", e.op("Add", ends, e.ints(1)), held), e.ints(0))
    y = padded(e, (e[x], x.type), attrs["dim"], e.ints(attrs["left"]), right)
    return [e.op("Gather", y, index, axis=axis)]


# -------------------------------------------------------------------- counting


@emits("iota")
def _iota(e: Emitter, node: Node) -> list[str]:
    return [e.cast(e.range(e.extent(node.attrs["dim"])), "int64", node.result.dtype)]


@emits("length")
def _length(e: Emitter, node: Node) -> list[str]:
    length, dims = e.length(node.attrs["dim"])
    return [e.permute(length, dims, node.result.dims)]


@emits("extent")
def _extent(e: Emitter, node: Node) -> list[str]:
    return [e.scalar(e.longest_extent(node.attrs["dim"]))]


@emits("mask")
def _mask(e: Emitter, node: Node) -> list[str]:
    mask, dims = e.mask(node.attrs["dim"])
    return [e.permute(mask, dims, node.result.dims)]


@emits("size_of")
def _size_of(e: Emitter, node: Node) -> list[str]:
    x, dim = node.operands[0], node.attrs["dim"]
    if dim in e.memory.sizes:
        return [e.scalar(e.longest_extent(dim))]
    return [e.scalar(e.axis_extent(e[x], x.type.axis(dim)))]
