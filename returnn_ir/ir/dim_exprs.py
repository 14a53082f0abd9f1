"""How a derived dim is computed, and what it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from returnn_ir.ir.dims import Dim

__all__ = ["Division", "Monomial", "Polynomial", "description_of", "name_of", "operands"]

Monomial: TypeAlias = "tuple[Dim, ...]"


@dataclass(frozen=True)
class Polynomial:
    """``sum(coefficient * product(dims))``; the constant is the term with the empty product and comes last."""

    terms: tuple[tuple[Monomial, int], ...]


@dataclass(frozen=True)
class Division:
    """``base`` divided by a positive integer, rounded up or down."""

    base: Dim
    divisor: int
    round_up: bool


def operands(expr: Polynomial | Division) -> list[Dim]:
    """The dims that it names, as often as it does."""
    return [expr.base] if isinstance(expr, Division) else [d for m, _ in expr.terms for d in m]


def name_of(expr: Polynomial | Division, label: Callable[[Dim], str]) -> str:
    """A text of it; ``label`` names its operands."""
    if isinstance(expr, Division):
        return f"{_atom(expr.base, label)}{'/^' if expr.round_up else '//'}{expr.divisor}"
    parts: list[str] = []
    for monomial, coefficient in expr.terms:
        factors = [_atom(d, label) for d in monomial]
        if abs(coefficient) != 1 or not factors:
            factors.insert(0, str(abs(coefficient)))
        parts.append(("-" if coefficient < 0 else "+") + "*".join(factors))
    return "".join(parts).removeprefix("+")


def description_of(expr: Polynomial | Division) -> str:
    """RETURNN's name of a derived dim, as far as the order of its making is not lost."""

    def atom(dim: Dim) -> str:
        return f"({dim.description})" if dim.is_derived or " " in dim.description else dim.description

    if isinstance(expr, Division):
        base = atom(expr.base)
        return f"\N{LEFT CEILING}{base}/{expr.divisor}\N{RIGHT CEILING}" if expr.round_up else f"{base}//{expr.divisor}"
    return "+".join("*".join([str(c)] * (c != 1 or not m) + [atom(d) for d in m]) for m, c in expr.terms)


def _atom(dim: Dim, label: Callable[[Dim], str]) -> str:
    return f"({label(dim)})" if dim.expr is not None else label(dim)
