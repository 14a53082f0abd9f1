"""Softmax and its logarithm over one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.onnx.profile import Format
from compiler.onnx.registry import Emit, emits
from returnn_ir.ir.graph import Node, Region

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []


def _one_axis(node: Node, region: Region, format_: Format) -> str | None:
    count = len(node.attrs["dims"])
    return None if count == 1 else f"ONNX has a softmax over one axis, not over {count}"


def _over(op_type: str) -> Emit:
    def emit(e: Emitter, node: Node) -> list[str]:
        x = node.operands[0]
        return [e.op(op_type, e[x], axis=x.type.axis(node.attrs["dims"][0]))]

    return emit


emits("softmax", check=_one_axis, kernel="Softmax")(_over("Softmax"))
emits("log_softmax", check=_one_axis, kernel="LogSoftmax")(_over("LogSoftmax"))
