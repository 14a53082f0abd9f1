"""Cross entropy of labels, from logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.builder import Builder
from returnn_ir.dims import Dim
from returnn_ir.errors import IRError
from returnn_ir.graph import Value
from returnn_ir.ops.composite.spec import composite
from returnn_ir.ops.spec import Scope
from returnn_ir.types import TensorType, is_integer

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _infer(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    logits, labels = types
    if attrs["dim"] not in logits.dims or attrs["dim"] in labels.dims or not is_integer(labels.dtype):
        raise IRError(f"cross entropy of {logits} over {attrs['dim']} and {labels}")
    rest = [d for d in logits.dims if d is not attrs["dim"]]
    shared = [d for d in rest if d in labels.dims]
    new = [d for d in labels.dims if d not in rest]
    return [TensorType(logits.dtype, tuple(dict.fromkeys((*shared, *new, *rest))))]


def _order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Logits [shared, own, dim], labels [shared, new]."""
    logits, labels = (t.dims for t in types)
    shared = tuple(d for d in logits if d in labels)
    own = tuple(d for d in logits if d not in labels and d is not attrs["dim"])
    return [(*shared, *own, attrs["dim"]), (*shared, *(d for d in labels if d not in shared))]


def _cross_entropy(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """``-log_softmax(logits)[labels]``; a label outside of the classes counts as the nearest one.

    Operands: logits [..., dim], labels [...].
    """
    logits, labels = operands
    log_probs = b.op("log_softmax", logits, dims=(attrs["dim"],))
    return [b.unary("neg", b.op("gather", log_probs, labels, dim=attrs["dim"]))]


composite("softmax_cross_entropy", 2, {"dim": ...}, _cross_entropy, infer=_infer, order=_order)
