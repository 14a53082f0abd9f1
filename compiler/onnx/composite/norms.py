"""Norms with an operator of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.onnx.registry import emits
from returnn_ir.ir.graph import Node, Region

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []


def _kernel(node: Node, region: Region, opset: int) -> str | None:
    dtype = node.operands[0].dtype
    if opset < 17:
        return "LayerNormalization exists from opset 17 on"
    return None if dtype in ("float32", "float64", "float16") else f"LayerNormalization of {dtype}"


@emits("layer_norm", check=_kernel, kernel="LayerNormalization")
def _layer_norm(e: Emitter, node: Node) -> list[str]:
    """The normalized axis is the last one."""
    return [e.op("LayerNormalization", *e.operands(node), axis=-1, epsilon=node.attrs["epsilon"])]
