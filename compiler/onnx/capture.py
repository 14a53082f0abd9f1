"""What keeps a model from being captured as a CUDA graph (onnxruntime's ``enable_cuda_graph``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from compiler.onnx.placement import count_borders

__all__ = ["obstacles"]

#: Control flow, and what makes as many entries as it finds.
_NEVER = frozenset({"If", "Loop", "Scan", "Compress", "NonZero", "Unique"})
#: What gives numbers about arrays to the host.
_ON_HOST = frozenset({"Shape", "Size", "ConstantOfShape", "Range"})


def obstacles(model: Any) -> list[str]:
    """One line for each node that a CUDA graph cannot hold, and for each copy between host and device."""
    found = list(dict.fromkeys(_never_held(model.graph.node)))
    if found:
        return found
    placement = count_borders(model)
    on_host = [f"{node.op}{_of(node.layer)} on the CPU ({node.reason or node.why})" for node in placement.on_host]
    copies = [f"a copy of {copy.value}{_of(copy.layer)} ({copy.reason})" for copy in placement.copies]
    return list(dict.fromkeys([*on_host, *copies]))


def _never_held(nodes: Iterable[Any]) -> Iterable[str]:
    for node in nodes:
        if node.op_type in _NEVER | _ON_HOST:
            yield f"{node.op_type}{_of(node.name.rpartition('/')[0])}"


def _of(layer: str) -> str:
    return f" of {layer}" if layer else ""
