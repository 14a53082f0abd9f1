"""What keeps a model from being captured as a CUDA graph (onnxruntime's ``enable_cuda_graph``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["obstacles"]

#: Control flow, and what makes as many entries as it finds.
_NEVER = frozenset({"If", "Loop", "Scan", "Compress", "NonZero", "Unique"})
#: What gives numbers about arrays to the host.
_ON_HOST = frozenset({"Shape", "Size", "ConstantOfShape", "Range"})


def obstacles(model: Any) -> list[str]:
    """One line for each node that a CUDA graph cannot hold; those of a model with fixed sizes are its own."""
    return list(dict.fromkeys(_of(model.graph.node)))


def _of(nodes: Iterable[Any]) -> Iterable[str]:
    for node in nodes:
        if node.op_type in _NEVER | _ON_HOST:
            layer = node.name.rpartition("/")[0]
            yield f"{node.op_type}{f' of {layer}' if layer else ''}"
