"""Where values come from: inputs, parameters, constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from compiler.onnx.registry import emits, refuses
from returnn_ir.errors import TargetError
from returnn_ir.graph import Node

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []


@emits("input")
def _input(e: Emitter, node: Node) -> list[str]:
    return [e.entry(node)]


@emits("param")
def _param(e: Emitter, node: Node) -> list[str]:
    name, attrs = node.attrs["name"], node.attrs
    if name not in e.params:
        raise TargetError(f"parameter {name!r} has no value", where=node.origin, hint="--params or --checkpoint")
    value = np.asarray(e.params[name], dtype=attrs["dtype"])
    sizes = tuple(d.size for d in attrs["dims"])
    if value.shape != sizes:
        raise TargetError(
            f"parameter {name!r} has another shape", where=node.origin, expected=list(sizes), received=list(value.shape)
        )
    full = f"state/{name}" if name in e.graph.state_updates else name
    e.initializers[full] = value
    return [full]


@emits("const")
def _const(e: Emitter, node: Node) -> list[str]:
    return [e.constant(node.attrs["value"], node.attrs["dtype"])]


refuses("random", "an ONNX model draws no random numbers: export with --mode forward or eval")
refuses("opaque", "a Python function cannot be put into an ONNX model")
refuses("gradient", "ONNX has no gradients")
