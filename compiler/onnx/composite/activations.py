"""Activation functions with an operator of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.onnx.elementwise import needs
from compiler.onnx.profile import Format, Profile
from compiler.onnx.registry import Emit, emits
from returnn_ir.ir.graph import Node, Region

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []


def _named(op_type: str) -> Emit:
    def emit(e: Emitter, node: Node) -> list[str]:
        return [e.op(op_type, *e.operands(node))]

    return emit


for _name, _type in (("relu", "Relu"), ("elu", "Elu"), ("selu", "Selu"), ("softsign", "Softsign")):
    emits(_name, check=needs(_type), kernel=_type)(_named(_type))


def _has_gelu(node: Node, region: Region, format_: Format) -> str | None:
    return None if format_.opset >= 20 else "ONNX has Gelu from opset 20 on"


@emits("gelu", check=_has_gelu, kernel="Gelu")
def _gelu(e: Emitter, node: Node) -> list[str]:
    return [e.op("Gelu", *e.operands(node))]


def _needs_gelu(node: Node, region: Region, format_: Format) -> str | None:
    if format_.opset >= 20:
        return "ONNX has it itself from opset 20 on"
    dtype = node.result.dtype
    return None if dtype in ("float32", "float16") else f"onnxruntime has none for {dtype}"


@emits("gelu", check=_needs_gelu, kernel="Gelu of onnxruntime", profile=Profile.ONNXRUNTIME)
def _gelu_of_onnxruntime(e: Emitter, node: Node) -> list[str]:
    y = node.result
    return e.contrib("Gelu", e.operands(node), [(y.dtype, [e.memory.size(d) for d in y.dims])])


@emits("silu", kernel="Sigmoid, Mul")
def _silu(e: Emitter, node: Node) -> list[str]:
    (x,) = e.operands(node)
    return [e.op("Mul", x, e.op("Sigmoid", x))]
