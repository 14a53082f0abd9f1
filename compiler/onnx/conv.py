"""Convolution and pooling: channels last in the IR, channels first in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from compiler.onnx.elementwise import needs
from compiler.onnx.indexing import one_frame
from compiler.onnx.profile import Format
from compiler.onnx.registry import Check, emits
from compiler.onnx.windows import Axis, Placed, place, trim
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []


def _at_most_three(op_type: str) -> Check:
    check = needs(op_type)

    def both(node: Node, region: Region, format_: Format) -> str | None:
        if len(node.attrs["dims"]) > 3:
            return f"{op_type} over {len(node.attrs['dims'])} axes"
        return check(node, region, format_)

    return both


def _flat(e: Emitter, name: str, rest: Sequence[Dim], others: Sequence[Dim]) -> str:
    """All axes in front of ``others`` as one."""
    if len(rest) == 1:
        return name
    return e.op("Reshape", name, e.concat([e.product([e.extent(d) for d in rest]), e.shape(others)], 0), allowzero=1)


def _unflat(e: Emitter, y: str, rest: Sequence[Dim]) -> str:
    """The first axis apart again; the others keep the extents that they have."""
    if len(rest) == 1:
        return y
    behind = e.op("Shape", y, start=1)
    front = [e.extent(d) for d in rest]
    return e.op("Reshape", y, e.concat([*front, behind], 0), allowzero=1)


def _channels_first(e: Emitter, node: Node) -> tuple[str, list[Dim]]:
    """The operand [N, in_dim, *dims], and the axes that N stands for."""
    x, dims = node.operands[0], node.attrs["dims"]
    rank = len(dims)
    rest = list(x.dims[: len(x.dims) - rank - 1])
    flat = _flat(e, e[x], rest, x.dims[len(rest) :])
    return e.transpose(flat, [0, rank + 1, *range(1, rank + 1)]), rest


def _channels_last(e: Emitter, y: str, rest: Sequence[Dim], rank: int) -> str:
    return _unflat(e, e.transpose(y, [0, *range(2, rank + 2), 1]), rest)


def _axes(node: Node, sizes: Sequence[int]) -> list[Axis]:
    attrs = node.attrs
    rows = zip(attrs["dims"], sizes, attrs["strides"], attrs["dilations"], strict=True)
    return [Axis(dim, i + 2, k, s, d, attrs["padding"] == "same") for i, (dim, k, s, d) in enumerate(rows)]


@emits("conv", check=_at_most_three("Conv"))
def _conv(e: Emitter, node: Node) -> list[str]:
    attrs, dtype, rank = node.attrs, node.result.dtype, len(node.attrs["dims"])
    x, rest = _channels_first(e, node)
    weight = e.transpose(e[node.operand("filter")], [rank + 1, rank, *range(rank)])
    placed = place(e, x, _axes(node, [d.size for d in attrs["filter_dims"]]), 0.0, dtype)
    y = e.op(
        "Conv",
        placed.name,
        weight,
        pads=placed.pads,
        strides=list(attrs["strides"]),
        dilations=list(attrs["dilations"]),
        group=attrs["groups"],
    )
    return [_channels_last(e, trim(e, y, placed), rest, rank)]


@emits("conv_transpose", check=_at_most_three("ConvTranspose"))
def _conv_transpose(e: Emitter, node: Node) -> list[str]:
    attrs, rank = node.attrs, len(node.attrs["dims"])
    x, rest = _channels_first(e, node)
    weight = e.transpose(e[node.operand("filter")], [rank + 1, rank, *range(rank)])
    held = x
    for axis, dim in enumerate(attrs["dims"], 2):
        held = held if dim.size else one_frame(e, held, node.result.dtype, rank + 2, axis)
    y = e.op("ConvTranspose", held, weight, strides=list(attrs["strides"]), dilations=list(attrs["dilations"]))
    for i, (stride, crop, extra) in enumerate(zip(attrs["strides"], attrs["crop"], attrs["extra"], strict=True)):
        axis = i + 2
        extent = e.axis_extent(x, axis)
        wanted = e.op("Max", e.op("Add", e.op("Mul", extent, e.ints(stride)), e.ints(extra)), e.ints(0))
        # a negative number of added frames cuts
        missing = e.op("Sub", wanted, e.op("Sub", e.axis_extent(y, axis), e.ints(crop)))
        y = e.pad(y, node.result.dtype, rank + 2, axis, e.ints(-crop), missing)
    return [_channels_last(e, y, rest, rank)]


# -------------------------------------------------------------------- pooling


def _pool_check(node: Node, region: Region, format_: Format) -> str | None:
    average = node.attrs["kind"] == "avg"
    if average and format_.opset < 19 and any(d != 1 for d in node.attrs["dilations"]):
        return "AveragePool has dilations from opset 19 on"
    return _at_most_three("AveragePool" if average else "MaxPool")(node, region, format_)


@emits("pool", check=_pool_check)
def _pool(e: Emitter, node: Node) -> list[str]:
    """All axes that are not pooled are batch, with one channel."""
    x, attrs, rank = node.operands[0], node.attrs, len(node.attrs["dims"])
    rest = list(x.dims[: len(x.dims) - rank])
    flat = e.unsqueeze(_flat(e, e[x], rest, attrs["dims"]), [1])
    axes = _axes(node, attrs["sizes"])
    average = attrs["kind"] == "avg"
    placed = place(e, flat, axes, 0.0 if average else -np.inf, x.dtype)
    y = _pooled(e, node, placed)
    if average and attrs["padding"] == "same" and placed.counts:
        y = e.op("Div", y, _share_inside(e, node, flat, axes))
    y = e.squeeze(trim(e, y, placed), [1])
    return [_unflat(e, y, rest)]


def _pooled(e: Emitter, node: Node, placed: Placed) -> str:
    attrs = node.attrs
    average = attrs["kind"] == "avg"
    options: dict[str, Any] = {"count_include_pad": int(bool(placed.counts))} if average else {}
    if any(d != 1 for d in attrs["dilations"]):
        options["dilations"] = list(attrs["dilations"])
    return e.op(
        "AveragePool" if average else "MaxPool",
        placed.name,
        kernel_shape=list(attrs["sizes"]),
        strides=list(attrs["strides"]),
        pads=placed.pads,
        **options,
    )


def _share_inside(e: Emitter, node: Node, flat: str, axes: Sequence[Axis]) -> str:
    """The part of each window that is on the axis: the mean divides by those entries only."""
    dtype = node.result.dtype
    spatial = e.op("Shape", flat, start=2, end=2 + len(axes))
    ones = e.op("Expand", e.constant(1, dtype), e.concat([e.ints(1, 1), spatial], 0))
    return _pooled(e, node, place(e, ones, axes, 0.0, dtype))
