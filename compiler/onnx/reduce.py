"""Reductions, sums so far, and order. Masks were materialized before; every frame counts here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from compiler.onnx.dtypes import carrier
from compiler.onnx.indexing import never_empty
from compiler.onnx.profile import Format, Provider
from compiler.onnx.registry import emits
from returnn_ir.ir.graph import Node, Region
from returnn_ir.ir.types import is_float

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []

_KINDS = {
    "sum": "ReduceSum",
    "mean": "ReduceMean",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "prod": "ReduceProd",
    "logsumexp": "ReduceLogSumExp",
    # bools have no sum, and their maximum no kernel on CUDA
    "any": "ReduceMax",
    "all": "ReduceMin",
}


def _kind(node: Node, region: Region, format_: Format) -> str | None:
    kind, dtype = node.attrs["kind"], node.operands[0].dtype
    if kind in ("logsumexp", "mean") and not is_float(dtype):
        return f"{kind} of {dtype}"
    return None if carrier(_KINDS[kind], dtype) else f"onnxruntime has no {_KINDS[kind]} kernel for {dtype}"


@emits("reduce", check=_kind)
def _reduce(e: Emitter, node: Node) -> list[str]:
    x = node.operands[0]
    axes = [x.type.axis(d) for d in node.attrs["dims"]]
    if not axes:
        return [e[x]]
    op_type = _KINDS[node.attrs["kind"]]
    wide = "int32" if x.dtype == "bool" else carrier(op_type, x.dtype) or x.dtype
    reduced = e.reduce(op_type, e.cast(e[x], x.dtype, wide), sorted(axes))
    if node.attrs["kind"] == "any":
        return [e.op("Greater", reduced, e.constant(0, wide))]  # of nothing it is the lowest number: not True
    if node.attrs["kind"] in ("max", "min") and is_float(wide):
        reduced = _finite_of_nothing(e, node, reduced, wide)
    return [e.cast(reduced, wide, node.result.dtype)]


def _finite_of_nothing(e: Emitter, node: Node, reduced: str, dtype: str) -> str:
    """An extreme of no entries is the finite neutral element, where onnxruntime gives an infinite one."""
    dynamic = [d for d in node.attrs["dims"] if d.size is None]
    if not dynamic or node.op.neutral is None:
        return reduced
    empty = e.op("Equal", e.product([e.extent(d) for d in dynamic]), e.constant(0, "int64"))
    return e.op("Where", e.scalar(empty), e.constant(node.op.neutral(dtype, node.attrs), dtype), reduced)


def _positions(e: Emitter, node: Node, op_type: str, *, largest: bool) -> list[str]:
    x, dim = node.operands[0], node.attrs["dim"]
    wide = "int32" if x.dtype == "bool" else carrier(op_type, x.dtype) or x.dtype
    axis, integers = x.type.axis(dim), not is_float(wide)
    # of equal ones the first is taken: what is behind integers only where there is nothing else
    last = _extreme(wide, largest=not largest) if integers else 0
    held = never_empty(e, e.cast(e[x], x.dtype, wide), replace(x.type, dtype=wide), dim, last)
    if integers and e.format.provider is Provider.CUDA:  # which has no kernel for them
        return [e.squeeze(_top(e, (held, wide), e.ints(1), axis, largest=largest)[1], [axis])]
    return [e.op(op_type, held, axis=axis, keepdims=0)]


def _extreme(dtype: str, *, largest: bool) -> int:
    """The last number of integers at one end."""
    limits = np.iinfo(dtype)
    return int(limits.max if largest else limits.min)


@emits("argmax")
def _argmax(e: Emitter, node: Node) -> list[str]:
    return _positions(e, node, "ArgMax", largest=True)


@emits("argmin")
def _argmin(e: Emitter, node: Node) -> list[str]:
    return _positions(e, node, "ArgMin", largest=False)


@emits("cumsum")
def _cumsum(e: Emitter, node: Node) -> list[str]:
    x, attrs = node.operands[0], node.attrs
    axis = e.constant(x.type.axis(attrs["dim"]), "int64")
    wide = carrier("CumSum", x.dtype) or x.dtype
    flags = {"reverse": int(attrs["reverse"]), "exclusive": int(attrs["exclusive"])}
    return [e.cast(e.op("CumSum", e.cast(e[x], x.dtype, wide), axis, **flags), wide, x.dtype)]


def _top(e: Emitter, x: tuple[str, str], count: str, axis: int, *, largest: bool) -> tuple[str, str]:
    """The first entries in order, and their positions; of equal ones the lower position first."""
    held, dtype = x
    wide = carrier("TopK", dtype) or dtype
    values, positions = e.multi(
        "TopK", [e.cast(held, dtype, wide), count], 2, axis=axis, largest=int(largest), sorted=1
    )
    return e.cast(values, wide, dtype), positions


@emits("top_k")
def _top_k(e: Emitter, node: Node) -> list[str]:
    x, attrs = node.operands[0], node.attrs
    return list(_top(e, (e[x], x.dtype), e.extent(attrs["k"]), x.type.axis(attrs["dim"]), largest=True))


@emits("argsort")
def _argsort(e: Emitter, node: Node) -> list[str]:
    x, attrs = node.operands[0], node.attrs
    axis = x.type.axis(attrs["dim"])
    extent = e.axis_extent(e[x], axis)
    order = _top(e, (e[x], x.dtype), extent, axis, largest=attrs["descending"])[1]
    if not attrs["ragged"] or not e.is_padded(attrs["dim"]):
        return [order]
    # the positions behind a sequence's end go to the end, in the same order
    mask, dims = e.mask(attrs["dim"])
    behind = e.op("Expand", e.align(e.op("Not", mask), dims, x.dims), e.op("Shape", e[x]))
    keys = e.op("GatherElements", e.cast(behind, "bool", "int32"), order, axis=axis)
    again = e.multi("TopK", [keys, extent], 2, axis=axis, largest=0, sorted=1)[1]
    return [e.op("GatherElements", order, again, axis=axis)]
