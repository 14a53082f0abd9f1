"""Regions: the loop over a dim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.dims import Dim
from returnn_ir.ops.spec import OpSpec, Scope, register
from returnn_ir.types import TensorType

__all__: list[str] = []


def _loop(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """Steps ``i`` over the extent of ``dim``.

    Operands: ``carries`` initial values, then values that have ``dim`` and are scanned. The region's params are ``i``
    (int64 scalar), the carries, the slices; its results the next carries, then the values to stack.
    Results: the final carries, each sequence's value after its own last step (the initial one for an empty sequence),
    then the stacked values, ``dim`` in front. A stacked value's tail is what the body computes there.
    """
    n = attrs["carries"]
    stacked = [TensorType(t.dtype, (attrs["dim"], *t.dims), t.sparse_dim) for t in attrs["stacked"]]
    return [*types[:n], *stacked]


def _scanned_first(types: Sequence[TensorType], attrs: dict[str, Any]) -> list[tuple[Dim, ...] | None]:
    """Scanned operands with the loop's dim in front."""
    n, dim = attrs["carries"], attrs["dim"]
    scanned = [(dim, *(d for d in t.dims if d is not dim)) for t in types[n:]]
    return [*[None] * n, *scanned]


register(OpSpec("loop", None, {"dim": ..., "carries": ..., "stacked": ()}, _loop, order=_scanned_first))
