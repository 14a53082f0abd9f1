"""Axes: renamed, repeated, joined, cut, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from compiler.onnx.indexing import take
from compiler.onnx.registry import emits
from returnn_ir.dims import Dim
from returnn_ir.graph import Node, Value

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []

_END = np.iinfo(np.int64).max
_BEGIN = np.iinfo(np.int64).min


@emits("rename")
def _rename(e: Emitter, node: Node) -> list[str]:
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
    dims, out = node.attrs["dims"], node.attrs["out"]
    product = {out: e.product([e.extent(d) for d in dims])} if out.size is None else {}
    return [e.reshape(e[node.operands[0]], node.result.dims, product)]


@emits("split")
def _split(e: Emitter, node: Node) -> list[str]:
    x, outs = node.operands[0], node.attrs["outs"]
    unknown = [d for d in outs if d.size is None]
    extents: dict[Dim, str] = {}
    if len(unknown) == 1:
        known = int(np.prod([d.size for d in outs if d.size is not None]))
        extent = e.axis_extent(e[x], x.type.axis(node.attrs["dim"]))
        extents[unknown[0]] = e.op("Div", extent, e.ints(max(known, 1)))
    return [e.reshape(e[x], node.result.dims, extents)]


# -------------------------------------------------------------------- joining


@emits("concat")
def _concat(e: Emitter, node: Node) -> list[str]:
    if node.attrs["ragged"]:
        return [_concat_ragged(e, node)]
    return [e.op("Concat", *e.operands(node), axis=node.result.type.axis(node.attrs["out"]))]


def _concat_ragged(e: Emitter, node: Node) -> str:
    """Each operand's valid frames directly behind the previous operand's; zeros behind the last."""
    dims, out, result = node.attrs["dims"], node.attrs["out"], node.result
    offset, offset_dims = e.constant(0, "int64"), tuple[Dim, ...]()
    steps = e.range(e.extent(out))
    total: str | None = None
    for x, dim in zip(node.operands, dims, strict=True):
        length, length_dims = e.length(dim)
        varying = tuple(dict.fromkeys((*offset_dims, *length_dims)))
        at = (*varying, out)
        position = e.op("Sub", steps, e.align(offset, offset_dims, at)) if not offset_dims else _minus(e, steps, out, (offset, offset_dims), at)
        inside = e.op("And", _at_least_zero(e, position), e.op("Less", position, e.align(length, length_dims, at)))
        shape = e.shape(at)
        position, inside = e.op("Expand", position, shape), e.op("Expand", inside, shape)
        renamed = tuple(out if d is dim else d for d in x.dims)
        part, part_dims = take(e, e[x], x.dims, dim, position, at)
        part = e.align(part, part_dims, [d for d in result.dims if d in part_dims or d in renamed])
        zero = e.constant(0, x.dtype) if x.dtype != "bool" else e.constant(False, "bool")
        present = [d for d in result.dims if d in part_dims]
        base = total if total is not None else zero
        total = e.where(e.align(inside, at, present), part, base, x.dtype)
        offset, offset_dims = _plus(e, (offset, offset_dims), (length, length_dims))
    return total or ""
