"""Activation functions that runtimes have fused kernels for, or whose derivative matters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Precision, Scope, Trait
from returnn_ir.ir.types import TensorType, is_float
from returnn_ir.ops.composite.spec import composite

__all__: list[str] = []


def _same(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    return [TensorType(types[0].dtype, types[0].dims)]


def _activation(name: str, body: Callable[[Builder, Value], Value]) -> None:
    composite(
        name,
        ("x",),
        {},
        lambda b, v, attrs: [body(b, v[0])],
        infer=_same,
        traits=frozenset({Trait.ELEMENTWISE}),
        precision=Precision.FOLLOW,
    )


def _gelu(b: Builder, x: Value) -> Value:
    """The exact form by erf (Hendrycks & Gimpel, arXiv:1606.08415), which is what RETURNN's name ``gelu`` computes."""
    half = b.mul(x, 0.5)
    return b.mul(half, b.add(b.unary("erf", b.mul(x, 0.7071067811865476)), 1.0))


def _elu(b: Builder, x: Value) -> Value:
    negative = b.unary("expm1", b.minimum(x, 0.0))
    return b.where(b.binary("greater", x, 0.0), x, negative)


def _selu(b: Builder, x: Value) -> Value:
    negative = b.mul(b.unary("expm1", b.minimum(x, 0.0)), 1.6732632423543772)
    return b.mul(b.where(b.binary("greater", x, 0.0), x, negative), 1.0507009873554805)


def _relu(b: Builder, x: Value) -> Value:
    return b.maximum(x, 0.0 if is_float(x.type.dtype) else 0)


_activation("relu", _relu)
_activation("silu", lambda b, x: b.mul(x, b.unary("sigmoid", x)))
_activation("gelu", _gelu)
_activation("elu", _elu)
_activation("selu", _selu)
_activation("log_sigmoid", lambda b, x: b.unary("neg", b.unary("softplus", b.unary("neg", x))))
_activation("softsign", lambda b, x: b.div(x, b.add(b.unary("abs", x), 1.0)))
