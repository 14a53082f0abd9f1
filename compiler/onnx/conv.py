"""Convolution and pooling: all axes in front of the channels are one for the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from compiler.onnx.elementwise import needs
from compiler.onnx.emitter import Longer
from compiler.onnx.indexing import one_frame
from compiler.onnx.profile import Format
from compiler.onnx.registry import Check, emits
from compiler.onnx.windows import Axis, Placed, place, place_beside, trim
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region
from returnn_ir.ir.mode import Stage

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


def _in_order(op_type: str) -> Check:
    """The order of axes is asked for behind NAMED, where they have none yet."""
    check = _at_most_three(op_type)

    def both(node: Node, region: Region, format_: Format) -> str | None:
        if not node.attrs["channels_first"] and region.program().stage != Stage.NAMED:
            return f"{op_type} has the channels in front of the frames"
        return check(node, region, format_)

    return both


@dataclass(frozen=True)
class _Rows:
    """Axes in front that the kernel has as one, N.

    Attributes:
        dims: these axes.
        flat: the dim N.
    """

    dims: tuple[Dim, ...]
    flat: Dim

    @classmethod
    def of(cls, dims: Sequence[Dim]) -> _Rows:
        return cls(tuple(dims), dims[0] if len(dims) == 1 else Dim("rows"))

    def enter(self, e: Emitter, name: str, behind: Sequence[Dim]) -> str:
        """[*dims, *behind] as [N, *behind]."""
        if self.dims == (self.flat,):
            return name
        extent = e.product([e.extent(d) for d in self.dims])
        return e.reshape(name, [self.flat, *behind], {self.flat: extent}, old=[*self.dims, *behind])

    def leave(self, e: Emitter, name: str, behind: Sequence[Dim]) -> str:
        """[N, *behind] as [*dims, *behind]; what is behind has the extents that it has here."""
        if self.dims == (self.flat,):
            return name
        extents = {d: e.axis_extent(name, i) for i, d in enumerate(behind, 1) if d.size is None}
        return e.reshape(name, [*self.dims, *behind], extents, old=[self.flat, *behind])


def _axes(node: Node, sizes: Sequence[int]) -> list[Axis]:
    attrs = node.attrs
    rows = zip(attrs["dims"], sizes, attrs["strides"], attrs["dilations"], strict=True)
    return [Axis(dim, i + 2, k, s, d, attrs["padding"] == "same") for i, (dim, k, s, d) in enumerate(rows)]


@emits("conv", check=_in_order("Conv"))
def _conv(e: Emitter, node: Node) -> list[str]:
    x, attrs, rank = node.operands[0], node.attrs, len(node.attrs["dims"])
    front = len(x.dims) - rank - 1
    rows = _Rows.of(x.dims[:front])
    flat = rows.enter(e, e[x], x.dims[front:])
    weight = e.transpose(e[node.operand("filter")], [rank + 1, rank, *range(rank)])
    placed = place_beside(e, flat, _axes(node, [d.size for d in attrs["filter_dims"]]), node.result.dtype)
    y = e.op(
        "Conv",
        placed.name,
        weight,
        pads=placed.pads,
        strides=list(attrs["strides"]),
        dilations=list(attrs["dilations"]),
        group=attrs["groups"],
    )
    if len(rows.dims) == 1 and placed.counts:
        return [e.cut_from(node.result, Longer(y, lambda array: trim(e, array, placed)))]
    return [rows.leave(e, trim(e, y, placed), node.result.dims[front:])]


@emits("conv_transpose", check=_in_order("ConvTranspose"))
def _conv_transpose(e: Emitter, node: Node) -> list[str]:
    x, attrs, rank = node.operands[0], node.attrs, len(node.attrs["dims"])
    front = len(x.dims) - rank - 1
    rows = _Rows.of(x.dims[:front])
    flat = rows.enter(e, e[x], x.dims[front:])
    weight = e.transpose(e[node.operand("filter")], [rank + 1, rank, *range(rank)])
    held = flat
    for axis, dim in enumerate(attrs["dims"], 2):
        held = held if dim.size else one_frame(e, held, node.result.dtype, rank + 2, axis)
    y = e.op("ConvTranspose", held, weight, strides=list(attrs["strides"]), dilations=list(attrs["dilations"]))
    for i, (stride, crop, extra) in enumerate(zip(attrs["strides"], attrs["crop"], attrs["extra"], strict=True)):
        axis = i + 2
        extent = e.extent(attrs["dims"][i])
        wanted = e.op("Max", e.op("Add", e.op("Mul", extent, e.ints(stride)), e.ints(extra)), e.ints(0))
        # a negative number of added frames cuts
        missing = e.op("Sub", wanted, e.op("Sub", e.axis_extent(y, axis), e.ints(crop)))
        y = e.pad(y, node.result.dtype, rank + 2, axis, e.ints(-crop), missing)
    return [rows.leave(e, y, node.result.dims[front:])]


# -------------------------------------------------------------------- pooling


def _pool_check(node: Node, region: Region, format_: Format) -> str | None:
    average = node.attrs["kind"] == "avg"
    if average and format_.opset < 19 and any(d != 1 for d in node.attrs["dilations"]):
        return "AveragePool has dilations from opset 19 on"
    return _at_most_three("AveragePool" if average else "MaxPool")(node, region, format_)


@emits("pool", check=_pool_check)
def _pool(e: Emitter, node: Node) -> list[str]:
    """All axes that are not pooled are batch, the last of several the channels."""
    x, attrs, rank = node.operands[0], node.attrs, len(node.attrs["dims"])
    rest, behind = x.dims[: len(x.dims) - rank], x.dims[len(x.dims) - rank :]
    channels = rest[-1:] if len(rest) > 1 else ()
    rows = _Rows.of(rest[: len(rest) - len(channels)])
    flat = rows.enter(e, e[x], [*channels, *behind])
    flat = flat if channels else e.unsqueeze(flat, [1])
    axes = _axes(node, attrs["sizes"])
    average = attrs["kind"] == "avg"
    placed = place(e, flat, axes, 0.0 if average else -np.inf, x.dtype, rank + 2)
    y = _pooled(e, node, placed)
    if average and attrs["padding"] == "same" and placed.counts:
        y = e.op("Div", y, _share_inside(e, node, flat, axes))
    y = trim(e, y, placed)
    y = y if channels else e.squeeze(y, [1])
    return [rows.leave(e, y, [*channels, *attrs["outs"]])]


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
    return _pooled(e, node, place(e, ones, axes, 0.0, dtype, len(axes) + 2))
