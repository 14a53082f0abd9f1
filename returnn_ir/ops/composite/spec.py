"""Declaring a composite: its result types are those of its body."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Region, Value
from returnn_ir.ir.op import Body, Infer, OpSpec, Order, Precision, Scope, Tail, Trait, register
from returnn_ir.ir.signature import Attr
from returnn_ir.ir.types import TensorType

__all__ = ["composite"]


def composite(
    name: str,
    operands: tuple[str, ...],
    attrs: Mapping[str, Attr],
    body: Body,
    *,
    infer: Infer | None = None,
    traits: frozenset[Trait] = frozenset(),
    tail: Tail = Tail.COMPUTED,
    neutral: Callable[[str, dict[str, Any]], float | bool] | None = None,
    order: Order | None = None,
    precision: Precision = Precision.ISLAND,
    apart: tuple[str, ...] = (),
) -> OpSpec:
    """Register a composite. Without ``infer`` the body is built once on the side to see what it gives."""
    return register(
        OpSpec(
            name,
            operands,
            attrs,
            infer or _infer_by(body),
            traits | {Trait.COMPOSITE},
            tail=tail,
            neutral=neutral,
            body=body,
            order=order,
            precision=precision,
            apart=apart,
        )
    )


def _infer_by(body: Body) -> Infer:
    def infer(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
        scratch = _Scratch(scope)
        builder = Builder(scratch)
        return [v.type for v in body(builder, [Value(t) for t in types], attrs)]

    return infer


class _Scratch(Region):
    """A region for a trial run: sees the dims of the real one."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope

    def lookup(self, dim: Any) -> Value | None:
        """As the real region, plus what the body itself defined."""
        return self.dim_defs.get(dim) or self._scope.lookup(dim)
