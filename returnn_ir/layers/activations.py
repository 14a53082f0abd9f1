"""RETURNN's activation strings: a name, a chain ``"a|b"``, or an expression like ``"5.0*sigmoid"``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.graph import Value
from returnn_ir.layers.output import LayerOutput

if TYPE_CHECKING:
    from returnn_ir.layers.context import LayerBuilder

__all__ = ["activate"]

_ELEMENTWISE = {
    "relu": "relu",
    "elu": "elu",
    "selu": "selu",
    "gelu": "gelu",
    "swish": "silu",
    "silu": "silu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "exp": "exp",
    "log": "log",
    "log_sigmoid": "log_sigmoid",
    "softplus": "softplus",
    "softsign": "softsign",
    "abs": "abs",
    "sqrt": "sqrt",
    "sin": "sin",
    "cos": "cos",
    "sign": "sign",
}


def activate(b: LayerBuilder, name: str | None, x: LayerOutput, key: str = "activation") -> LayerOutput:
    """Apply an activation by name; the result remembers what went into it."""
    if name is None or name in ("identity", "none", "linear"):
        return x
    value = _apply(b, name, x, key)
    return LayerOutput(value, x.axes, x.time_dim, x.feature_dim, activation=(name, x))


def _apply(b: LayerBuilder, name: str, x: LayerOutput, key: str) -> Value:
    over_features: dict[str, Callable[[], Value]] = {
        kind: lambda kind=kind: b.op(kind, x.value, dims=(b.require_feature(x),))  # type: ignore[misc]
        for kind in ("softmax", "log_softmax")
    }
    if name in over_features:
        return over_features[name]()
    if name in _ELEMENTWISE:
        return b.unary(_ELEMENTWISE[name], x.value)
    known = [*_ELEMENTWISE, *over_features]
    raise ConfigError(f"unknown activation {name!r}", where=b.place(key), hint=did_you_mean(name, known))
