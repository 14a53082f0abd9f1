"""Norms with an operator of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.onnx.profile import Format, Profile, Provider
from compiler.onnx.registry import emits
from returnn_ir.ir.dims import UNIT, Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.mode import Stage

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []


def _kernel(node: Node, region: Region, format_: Format) -> str | None:
    dtype = node.operands[0].dtype
    if format_.opset < 17:
        return "LayerNormalization exists from opset 17 on"
    return None if dtype in ("float32", "float64", "float16") else f"LayerNormalization of {dtype}"


@emits("layer_norm", check=_kernel, kernel="LayerNormalization")
def _layer_norm(e: Emitter, node: Node) -> list[str]:
    """The normalized axis is the last one."""
    return [e.op("LayerNormalization", *e.operands(node), axis=-1, epsilon=node.attrs["epsilon"])]


def _skip(node: Node, region: Region, format_: Format) -> str | None:
    x = node.operand("x")
    if format_.provider is not Provider.CUDA:
        return "on a CPU its kernel takes several times as long as Add and LayerNormalization (--device cuda)"
    if len(x.dims) not in (2, 3):
        return f"SkipLayerNormalization takes arrays of 2 or 3 axes, not of {len(x.dims)}"
    return None if x.dtype in ("float32", "float16") else f"SkipLayerNormalization of {x.dtype}"


@emits("skip_layer_norm", check=_skip, kernel="SkipLayerNormalization", profile=Profile.ONNXRUNTIME)
def _skip_layer_norm(e: Emitter, node: Node) -> list[str]:
    """The normalized axis is the last one. The sum is the fourth output, behind statistics that training needs."""
    y, total = node.results
    made = (y.dtype, [e.memory.size(d) for d in y.dims])
    wanted = [made, None, None, made] if total in e.used else [made]
    names = e.contrib("SkipLayerNormalization", e.operands(node), wanted, epsilon=node.attrs["epsilon"])
    return [names[0], names[-1]]


def _statistics(node: Node, region: Region, format_: Format) -> str | None:
    """Asked in NAMED, and in TARGET, where the operands are aligned under x."""
    x, mean, *_ = node.operands
    dtypes = dict.fromkeys(v.dtype for v in node.operands)
    if list(dtypes) not in (["float32"], ["float64"]):
        return f"onnxruntime has no BatchNormalization for {', '.join(dtypes)}"
    axes = _statistics_axes(node)
    if len(axes) != 1 or axes[0] not in x.dims:
        return f"BatchNormalization has statistics per entry of one axis of its input, not of {len(axes)}"
    if len(x.dims) == 1:
        return "BatchNormalization needs an axis beside the one of the statistics"
    if region.program().stage == Stage.NAMED and _is_subtracted(region, x, mean):
        return "others need x - mean too, and going on from that difference is more exact"
    return None


def _statistics_axes(node: Node) -> list[Dim]:
    return list(dict.fromkeys(d for v in node.operands[1:] for d in v.dims if d is not UNIT))


def _is_subtracted(region: Region, x: Value, mean: Value) -> bool:
    """Whether somebody else computes ``x - mean``, as the variance of the same batch does.

    The operator takes the difference of products, ``x * a`` and ``mean * a``: of a feature that hardly varies in a
    batch, rounding is all that this leaves.
    """
    return any(n.op.name == "sub" and n.operands == [x, mean] for n in region.uses().of_value(mean))


@emits("batch_norm", check=_statistics, kernel="BatchNormalization")
def _batch_norm(e: Emitter, node: Node) -> list[str]:
    """The statistics' axis is the second one of the operator's input."""
    x, (axis,) = node.operands[0], _statistics_axes(node)
    mean, variance, scale, bias = (_vector(e, v, axis) for v in node.operands[1:])
    at, epsilon = x.type.axis(axis), node.attrs["epsilon"]
    y = e.op("BatchNormalization", _rows(e, x, at), scale, bias, mean, variance, epsilon=epsilon)
    return [y if at == 1 else e.reshape(y, x.dims)]


def _rows(e: Emitter, x: Value, at: int) -> str:
    """An array in which what is in front of an axis is one axis."""
    if at == 1:
        return e[x]
    rows = Dim("rows")
    return e.reshape(e[x], (rows, *x.dims[at:]), {rows: e.product([e.extent(d) for d in x.dims[:at]])})


def _vector(e: Emitter, value: Value, axis: Dim) -> str:
    """An operand with the statistics' axis only; a number is repeated along it."""
    if axis in value.dims:
        return e.positional(e[value], value.dims, (axis,))
    return e.op("Expand", e[value], e.extent(axis))
