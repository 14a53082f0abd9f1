"""Reductions, sums so far, and order. Masks were materialized before; every frame counts here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.onnx.dtypes import carrier
from compiler.onnx.registry import emits
from returnn_ir.graph import Node, Value
from returnn_ir.types import is_float

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


def _kind(node: Node, opset: int) -> str | None:
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
    return [e.cast(reduced, wide, node.result.dtype)]


def _positions(e: Emitter, node: Node, op_type: str) -> list[str]:
    x = node.operands[0]
    wide = "int32" if x.dtype == "bool" else carrier(op_type, x.dtype) or x.dtype
    axis = x.type.axis(node.attrs["dim"])
    return [e.op(op_type, e.cast(e[x], x.dtype, wide), axis=axis, keepdims=0)]


@emits("argmax")
def _argmax(e: Emitter, node: Node) -> list[str]:
    return _positions(e, node, "ArgMax")


@emits("argmin")
def _argmin(e: Emitter, node: Node) -> list[str]:
    return _positions(e, node, "ArgMin")


@emits("cumsum")
def _cumsum(e: Emitter, node: Node) -> list[str]:
    x, attrs = node.operands[0], node.attrs
    axis = e.constant(x.type.axis(attrs["dim"]), "int64")
    wide = carrier("CumSum", x.dtype) or x.dtype
    flags = {"reverse": int(attrs["reverse"]), "exclusive": int(attrs["exclusive"])}
    return [e.cast(e.op("CumSum", e.cast(e[x], x.dtype, wide), axis, **flags), wide, x.dtype)]


def _top(e: Emitter, x: Value, count: str, axis: int, *, largest: bool) -> tuple[str, str]:
    """The first entries in order, and their positions; of equal ones the lower position first."""
    wide = carrier("TopK", x.dtype) or x.dtype
    held = e.cast(e[x], x.dtype, wide)
    values, positions = e.multi("TopK", [held, count], 2, axis=axis, largest=int(largest), sorted=1)
    return e.cast(values, wide, x.dtype), positions


@emits("top_k")
def _top_k(e: Emitter, node: Node) -> list[str]:
    x, attrs = node.operands[0], node.attrs
    return list(_top(e, x, e.extent(attrs["k"]), x.type.axis(attrs["dim"]), largest=True))


@emits("argsort")
def _argsort(e: Emitter, node: Node) -> list[str]:
    x, attrs = node.operands[0], node.attrs
    axis = x.type.axis(attrs["dim"])
    return [_top(e, x, e.axis_extent(e[x], axis), axis, largest=attrs["descending"])[1]]
