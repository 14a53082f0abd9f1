"""Softmax and its logarithm over one or more dims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Tail, Trait
from returnn_ir.ir.signature import DIMS, Attr
from returnn_ir.ops.composite.spec import composite

__all__: list[str] = []


def _shifted(b: Builder, x: Value, attrs: dict[str, Any]) -> Value:
    # the shift cancels in the result and in its derivative, which autodiff cannot know
    largest = b.op("stop_gradient", b.reduce("max", x, *attrs["dims"], mask=attrs["mask"]))
    return b.sub(x, largest)


def _softmax(b: Builder, operands: Sequence[Value], attrs: dict[str, Any]) -> list[Value]:
    """``exp(x) / sum(exp(x))`` over ``dims``."""
    numerator = b.unary("exp", _shifted(b, operands[0], attrs))
    total = b.reduce("sum", numerator, *attrs["dims"], mask=attrs["mask"])
    result = b.div(numerator, total)
    if attrs["mask"]:
        for dim in attrs["dims"]:
            if b.needs_mask(dim):
                result = b.where(b.mask(dim), result, 0.0)
    return [result]


def _log_softmax(b: Builder, operands: Sequence[Value], attrs: dict[str, Any]) -> list[Value]:
    """``x - log(sum(exp(x)))`` over ``dims``."""
    shifted = _shifted(b, operands[0], attrs)
    total = b.reduce("sum", b.unary("exp", shifted), *attrs["dims"], mask=attrs["mask"])
    result = b.sub(shifted, b.unary("log", total))
    if attrs["mask"]:
        for dim in attrs["dims"]:
            if b.needs_mask(dim):
                result = b.where(b.mask(dim), result, -np.inf)
    return [result]


_X = ("x",)
_ATTRS = {"dims": DIMS, "mask": Attr(bool, True)}
# a large finite number instead of -inf: a row without any valid frame stays finite
_MASKED = frozenset({Trait.MASKED})


def _neutral(dtype: str, attrs: dict[str, Any]) -> float:
    return float(np.finfo(dtype).min)


composite("softmax", _X, _ATTRS, _softmax, traits=_MASKED, tail=Tail.ZERO, neutral=_neutral)
composite("log_softmax", _X, _ATTRS, _log_softmax, traits=_MASKED, tail=Tail.NEUTRAL, neutral=_neutral)
