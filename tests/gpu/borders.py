"""Our count of the borders between host and device beside what onnxruntime's CUDA provider did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from compiler.onnx.placement import Placement, count_borders
from tests.gpu.assigned import Assigned, assigned

__all__ = ["border_differences", "differences"]


def border_differences(model: Any) -> tuple[str, ...]:
    """Count the borders of an ``onnx.ModelProto``, make a session of it, and say what is not the same."""
    return tuple(differences(count_borders(model), assigned(model.SerializeToString())))


def differences(counted: Placement, real: Assigned) -> Iterator[str]:
    """Nodes on the CPU and Memcpy nodes that only one of them has."""
    nodes = [(node.body, node.op, node.name) for node in counted.on_host]
    copies = [(copy.body, copy.to_host, copy.value) for copy in counted.copies]
    for found, other, side in _both(nodes, real.on_cpu):
        yield f"{found[2] or found[1]} on the CPU {side}{_more(other)}"
    for found, other, side in _both(copies, [(copy.body, copy.to_host, copy.value) for copy in real.copies]):
        yield f"Memcpy {'to' if found[1] else 'from'} the CPU of {found[2]} {side}{_more(other)}"


def _both(counted: Iterable[Any], real: Iterable[Any]) -> Iterator[tuple[Any, int, str]]:
    """What only one side has: the first of it, how much more there is, and which side."""
    ours, theirs = Counter[Any](counted), Counter[Any](real)
    for only, side in ((ours - theirs, "only as counted"), (theirs - ours, "only in the session")):
        if only:
            yield min(only), only.total() - 1, side


def _more(count: int) -> str:
    return f" and {count} more" if count else ""
