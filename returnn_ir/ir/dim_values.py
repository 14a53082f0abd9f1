"""What a dim comes to: its entries, computed from those of the dims that it is derived from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from returnn_ir.ir.dims import Dim, Division, Polynomial, rebuild

__all__ = ["DimAlgebra", "evaluate", "settled", "summands"]

T = TypeVar("T")


@dataclass(frozen=True)
class DimAlgebra(Generic[T]):
    """The arithmetic that :func:`evaluate` computes with: Python ints, NumPy arrays or IR values."""

    constant: Callable[[int], T]
    add: Callable[[T, T], T]
    mul: Callable[[T, T], T]
    floordiv: Callable[[T, int], T]
    clip_at_zero: Callable[[T], T]


def summands(dim: Dim) -> tuple[int, ...]:
    """The sizes that a static dim is the sum of, in order: of ``a * b``, a times that of b; itself if it is no sum.

    >>> a, b = Dim("a", 2), Dim("b", 5)
    >>> summands(a + b), summands(b + 3 * a + 1), summands(a * b), summands(b - 1), summands(b)
    ((2, 5), (5, 2, 2, 2, 1), (5, 5), (4,), (5,))
    """
    size = dim.require_size(None)
    if not isinstance(dim.expr, Polynomial) or any(coefficient < 0 for _, coefficient in dim.expr.terms):
        return (size,)
    found: list[int] = []
    for monomial, coefficient in dim.expr.terms:
        sizes = [coefficient, *(factor.require_size(None) for factor in monomial)]
        found.extend([sizes[-1]] * math.prod(sizes[:-1]))
    return tuple(found)


def evaluate(dim: Dim, algebra: DimAlgebra[T], leaf: Callable[[Dim], T]) -> T:
    """The value of ``dim`` from those of its operands; ``leaf`` gives the value of a dim without expression.

    A difference is clipped at zero, because a sequence has no negative length.

    >>> from operator import add, floordiv, mul
    >>> integers = DimAlgebra[int](int, add, mul, floordiv, lambda n: max(n, 0))
    >>> time = Dim("T")
    >>> [evaluate((time - 2).ceildiv(3), integers, {time: length}.__getitem__) for length in (9, 6, 1)]
    [3, 2, 0]
    """
    if dim.size is not None:
        return algebra.constant(dim.size)
    if dim.expr is None:
        return leaf(dim)
    if isinstance(dim.expr, Division):
        base = evaluate(dim.expr.base, algebra, leaf)
        if dim.expr.round_up:
            base = algebra.add(base, algebra.constant(dim.expr.divisor - 1))
        return algebra.floordiv(base, dim.expr.divisor)
    total: T | None = None
    for monomial, coefficient in dim.expr.terms:
        term = algebra.constant(coefficient) if coefficient != 1 or not monomial else None
        for factor in monomial:
            value = evaluate(factor, algebra, leaf)
            term = value if term is None else algebra.mul(value, term)
        summand = term if term is not None else algebra.constant(coefficient)
        total = summand if total is None else algebra.add(total, summand)
    result = total if total is not None else algebra.constant(0)
    return algebra.clip_at_zero(result) if any(c < 0 for _, c in dim.expr.terms) else result


def settled(dim: Dim, known: Mapping[Dim, Dim]) -> Dim:
    """The dim that ``dim`` means, which may be computed from others that mean something else."""

    def leaf(own: Dim) -> Dim:
        while (other := own.same or known.get(own)) is not None:
            own = other
        return own if own.expr is None else rebuild(own, leaf)

    return rebuild(dim, leaf)
