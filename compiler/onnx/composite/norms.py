"""Norms with an operator of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.onnx.registry import emits
from returnn_ir.graph import Node

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []


@emits("layer_norm", kernel="LayerNormalization")
def _layer_norm(e: Emitter, node: Node) -> list[str]:
    """The normalized axis is the last one."""
    return [e.op("LayerNormalization", *e.operands(node), axis=-1, epsilon=node.attrs["epsilon"])]
