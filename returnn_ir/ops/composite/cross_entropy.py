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


def _rest(types: Types, attrs: Attrs) -> tuple[Dim, ...]:
    logits, labels = types
    return tuple(dict.fromkeys((*(d for d in logits.dims if d is not attrs["dim"]), *labels.dims)))


def _infer(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    logits, labels = types
    if attrs["dim"] not in logits.dims or attrs["dim"] in labels.dims or not is_integer(labels.dtype):
        raise IRError(f"cross entropy of {logits} over {attrs['dim']} and {labels}")
    return [TensorType(logits.dtype, _rest(types, attrs))]


def _order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Logits [rest, dim], labels [rest]."""
    rest = _rest(types, attrs)
    return [(*rest, attrs["dim"]), rest]


def _cross_entropy(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """``-log_softmax(logits)[labels]``; a label outside of the classes counts as the nearest one.

    Operands: logits [..., dim], labels [...].
    """
    logits, labels = operands
    log_probs = b.op("log_softmax", logits, dims=(attrs["dim"],))
    return [b.unary("neg", b.op("gather", log_probs, labels, dim=attrs["dim"]))]


composite("softmax_cross_entropy", 2, {"dim": ...}, _cross_entropy, infer=_infer, order=_order)
