"""Cross entropy of labels and of distributions, from logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Scope
from returnn_ir.ir.signature import DIM
from returnn_ir.ir.types import TensorType, is_integer
from returnn_ir.ops.composite.spec import composite

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


def _infer_soft(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    if any(attrs["dim"] not in t.dims for t in types):
        raise IRError(f"cross entropy of {types[0]} and {types[1]} over {attrs['dim']}")
    return [TensorType(types[0].dtype, _soft_rest(types, attrs))]


def _soft_rest(types: Types, attrs: Attrs) -> tuple[Dim, ...]:
    return tuple(dict.fromkeys(d for t in types for d in t.dims if d is not attrs["dim"]))


def _soft_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Both [rest, dim]."""
    dims = (*_soft_rest(types, attrs), attrs["dim"])
    return [dims, dims]


def _soft_cross_entropy(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """``-sum(targets * log_softmax(logits))``; the gradient is softmax(logits) - targets, for any sum of the targets.

    Operands: logits and targets [..., dim].
    """
    logits, targets = operands
    dim: Dim = attrs["dim"]
    log_probs = b.op("log_softmax", logits, dims=(dim,))
    value = b.unary("neg", b.reduce("sum", b.mul(targets, log_probs), dim))
    # softmax(logits) has the weight of the targets' sum here, and 1 in the kernels that everyone trains with
    lacking = b.op("stop_gradient", b.sub(1.0, b.reduce("sum", targets, dim)))
    signal = b.mul(lacking, b.reduce("logsumexp", logits, dim))
    return [b.add(value, b.sub(signal, b.op("stop_gradient", signal)))]


composite("softmax_cross_entropy", ("logits", "labels"), {"dim": DIM}, _cross_entropy, infer=_infer, order=_order)
composite(
    "soft_cross_entropy",
    ("logits", "targets"),
    {"dim": DIM},
    _soft_cross_entropy,
    infer=_infer_soft,
    order=_soft_order,
)
