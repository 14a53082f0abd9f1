"""Dimension tags: the axes of every tensor, told apart by identity and never by size or name.

A :class:`Dim` is static (fixed ``size``), the batch (an extent, no lengths), or dynamic (its lengths are an IR value,
kept in ``Region.dim_defs``). Derived dims (``t.ceildiv(2)``, ``a + b``, ``a * b``, ``t - 1 + 1``) are canonical
expressions and interned, so that two equal derivations are the same object:

* sums keep the order of their symbolic terms (``a + b`` is not ``b + a``: the frames come in another order), constants
  and repeated terms are collected (``t - 1 + 1 is t``, ``a + a is 2 * a``);
* products keep their order (merging ``a, b`` is not merging ``b, a``) and distribute over sums;
* ``ceildiv`` and ``floordiv`` fold where the division is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, TypeVar
from weakref import WeakValueDictionary

from returnn_ir.errors import DimError, Origin

__all__ = [
    "BATCH",
    "COMPLEX_PARTS",
    "UNIT",
    "Dim",
    "DimAlgebra",
    "Division",
    "Kind",
    "Polynomial",
    "evaluate",
    "factors",
    "leaves",
    "product",
    "rebuild",
    "summands",
]

T = TypeVar("T")
Monomial = tuple["Dim", ...]


class Kind(Enum):
    """What an axis is to the frames on it."""

    STATIC = "static"
    BATCH = "batch"
    DYNAMIC = "dynamic"


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


class Dim:
    """One axis identity; it does not change after it was made.

    >>> time, feature = Dim("T"), Dim("F", 3)
    >>> Dim("F", 3) == feature, time - 1 + 1 is time, time.ceildiv(2) is time.ceildiv(2)
    (False, True, True)
    >>> time.ceildiv(2), time + 1, feature * 2, Dim("N", 2) * feature
    (T/^2(dynamic), T+1(dynamic), 2*F(6), N*F(6))
    >>> feature + time is time + feature  # the frames come in another order
    False

    Args:
        name: for messages and the printed IR only; never compared.
        description: RETURNN's longer name, which ``stag:NAME`` looks into; by default the name.
        size: the fixed size, or None.
        kind: derived from ``size`` unless given (``Kind.BATCH``).
        feature: a feature-like axis in RETURNN's sense (``FeatureDim``); only the front end asks.
        declared: made by the user as a Dim object; such dims are never matched by size.
    """

    __slots__ = ("__weakref__", "declared", "description", "expr", "feature", "kind", "name", "size")

    def __init__(
        self,
        name: str,
        size: int | None = None,
        *,
        kind: Kind | None = None,
        feature: bool = False,
        declared: bool = False,
        description: str | None = None,
        expr: Polynomial | Division | None = None,
    ) -> None:
        self.name: Final = name
        self.description: Final = description or name
        self.size: Final = size
        self.kind: Final = kind or (Kind.DYNAMIC if size is None else Kind.STATIC)
        self.feature: Final = feature
        self.declared: Final = declared
        self.expr: Final = expr

    def __repr__(self) -> str:
        return f"{self.name}({self.size if self.size is not None else self.kind.value})"

    @property
    def is_static(self) -> bool:
        """Has a size known at compile time."""
        return self.size is not None

    def require_size(self, where: Origin | str | None) -> int:
        """The size, for what cannot do without.

        Args:
            where: what needs it, for the message.

        Raises:
            DimError: the size is not fixed.
        """
        if self.size is None:
            raise DimError(
                f"the size of the axis {self.name!r} must be fixed",
                where=where,
                expected="a number that the config gives",
                received=f"{self.name}, whose size is known with the data only",
            )
        return self.size

    @property
    def is_dynamic(self) -> bool:
        """Has lengths that are an IR value."""
        return self.kind is Kind.DYNAMIC

    @property
    def is_batch(self) -> bool:
        """Is the batch axis, or a product with it: it has an extent and no lengths."""
        return self.kind is Kind.BATCH

    def __add__(self, other: Dim | int) -> Dim:
        return _from_terms([*_terms(self), *_terms(other)])

    def __radd__(self, other: int) -> Dim:
        return _from_terms([*_terms(other), *_terms(self)])

    def __sub__(self, other: Dim | int) -> Dim:
        return _from_terms([*_terms(self), *((m, -c) for m, c in _terms(other))])

    def __mul__(self, other: Dim | int) -> Dim:
        return _from_terms([(a + b, ca * cb) for a, ca in _terms(self) for b, cb in _terms(other)])

    def __rmul__(self, other: int) -> Dim:
        return self * other

    def __floordiv__(self, other: Dim | int) -> Dim:
        return self._divide(other, round_up=False)

    def ceildiv(self, other: Dim | int) -> Dim:
        """This dim divided by ``other``, rounded up."""
        return self._divide(other, round_up=True)

    def ceildiv_right(self, other: Dim | int) -> Dim:
        """RETURNN's name for :meth:`ceildiv`."""
        return self.ceildiv(other)

    def _divide(self, other: Dim | int, *, round_up: bool) -> Dim:
        terms = _terms(self)
        if isinstance(other, Dim):
            if all(m and m[-1] is other for m, _ in terms):
                return _from_terms([(m[:-1], c) for m, c in terms])
            if other.size is None:
                raise ValueError(f"cannot divide {self} by {other}, which is neither a factor of it nor static")
            other = other.size
        if other == 1:
            return self
        if all(c % other == 0 for _, c in terms):
            return _from_terms([(m, c // other) for m, c in terms])
        if self.size is not None:
            size = -(-self.size // other) if round_up else self.size // other
            return _intern((self, other, round_up), Division(self, other, round_up), size)
        return _intern((self, other, round_up), Division(self, other, round_up), None)


#: An inserted axis of size one. Only the TARGET stage has it, and a type may contain it more than once.
UNIT = Dim("1", 1)

#: The batch axis. There is one, because every input is of the same batch.
BATCH = Dim("B", kind=Kind.BATCH)

#: Real and imaginary part, for targets without complex numbers.
COMPLEX_PARTS = Dim("re/im", 2)

_INTERNED: WeakValueDictionary[object, Dim] = WeakValueDictionary()


def _terms(dim: Dim | int) -> list[tuple[Monomial, int]]:
    if isinstance(dim, int):
        return [((), dim)] if dim else []
    return list(dim.expr.terms) if isinstance(dim.expr, Polynomial) else [((dim,), 1)]


def _from_terms(terms: list[tuple[Monomial, int]]) -> Dim:
    collected: dict[Monomial, int] = {}
    for monomial, coefficient in terms:
        collected[monomial] = collected.get(monomial, 0) + coefficient
    constant = collected.pop((), 0)
    kept = [(m, c) for m, c in collected.items() if c]
    if len(kept) == 1 and not constant and kept[0][1] == 1 and len(kept[0][0]) == 1:
        return kept[0][0][0]
    if constant or not kept:
        kept.append(((), constant))
    expr = Polynomial(tuple(kept))
    sizes = [_static_term(m, c) for m, c in kept]
    known = [s for s in sizes if s is not None]
    return _intern(expr.terms, expr, max(0, sum(known)) if len(known) == len(sizes) else None)


def _static_term(monomial: Monomial, coefficient: int) -> int | None:
    for dim in monomial:
        if dim.size is None:
            return None
        coefficient *= dim.size
    return coefficient


def _intern(key: object, expr: Polynomial | Division, size: int | None) -> Dim:
    dim = _INTERNED.get(key)
    if dim is None:
        name, description = _name(expr, lambda d: d.name), _name(expr, lambda d: d.description)
        kind = _kind(expr, size)
        dim = Dim(name, size, kind=kind, feature=_is_feature(expr), description=description, expr=expr)
        _INTERNED[key] = dim
    return dim


def _operands(expr: Polynomial | Division) -> list[Dim]:
    return [expr.base] if isinstance(expr, Division) else [d for m, _ in expr.terms for d in m]


def _kind(expr: Polynomial | Division, size: int | None) -> Kind:
    if any(d.is_batch for d in _operands(expr)):
        return Kind.BATCH
    return Kind.DYNAMIC if size is None else Kind.STATIC


def _is_feature(expr: Polynomial | Division) -> bool:
    operands = _operands(expr)
    return any(d.feature for d in operands) and not any(d.is_batch for d in operands)


def _name(expr: Polynomial | Division, label: Callable[[Dim], str]) -> str:
    if isinstance(expr, Division):
        return f"{_atom(expr.base, label)}{'/^' if expr.round_up else '//'}{expr.divisor}"
    parts: list[str] = []
    for monomial, coefficient in expr.terms:
        factors = [_atom(d, label) for d in monomial]
        if abs(coefficient) != 1 or not factors:
            factors.insert(0, str(abs(coefficient)))
        parts.append(("-" if coefficient < 0 else "+") + "*".join(factors))
    return "".join(parts).removeprefix("+")


def _atom(dim: Dim, label: Callable[[Dim], str]) -> str:
    return f"({label(dim)})" if dim.expr is not None else label(dim)


@dataclass(frozen=True)
class DimAlgebra(Generic[T]):
    """The arithmetic that :func:`evaluate` computes with: Python ints, NumPy arrays or IR values."""

    constant: Callable[[int], T]
    add: Callable[[T, T], T]
    mul: Callable[[T, T], T]
    floordiv: Callable[[T, int], T]
    clip_at_zero: Callable[[T], T]


def leaves(dim: Dim) -> list[Dim]:
    """The underived dims that ``dim`` is computed from, itself if it is one.

    >>> leaves(Dim("T").ceildiv(2) + Dim("S") - 1)
    [T(dynamic), S(dynamic)]
    """
    if dim.expr is None:
        return [dim]
    return list(dict.fromkeys(leaf for d in _operands(dim.expr) for leaf in leaves(d)))


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


def product(dims: Sequence[Dim]) -> Dim:
    """Several axes merged into one, the last fastest.

    >>> product([Dim("H", 4), Dim("F", 16)])
    H*F(64)
    """
    result = dims[0]
    for dim in dims[1:]:
        result = result * dim
    return result


def factors(dim: Dim) -> list[Dim]:
    """The axes that ``dim`` was merged from, itself if it was not.

    >>> factors(Dim("H", 4) * Dim("F", 16)), factors(Dim("T") + 1)
    ([H(4), F(16)], [T+1(dynamic)])
    """
    if not isinstance(dim.expr, Polynomial) or len(dim.expr.terms) != 1:
        return [dim]
    ((monomial, coefficient),) = dim.expr.terms
    return list(monomial) if coefficient == 1 else [dim]


def rebuild(dim: Dim, leaf: Callable[[Dim], Dim]) -> Dim:
    """The same expression over other leaves."""
    if dim.expr is None:
        return leaf(dim)
    if isinstance(dim.expr, Division):
        base = rebuild(dim.expr.base, leaf)
        return base.ceildiv(dim.expr.divisor) if dim.expr.round_up else base // dim.expr.divisor
    terms: list[tuple[Monomial, int]] = []
    for monomial, coefficient in dim.expr.terms:
        product: list[tuple[Monomial, int]] = [((), coefficient)]
        for factor in monomial:
            product = [(a + b, ca * cb) for a, ca in product for b, cb in _terms(rebuild(factor, leaf))]
        terms.extend(product)
    return _from_terms(terms)


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
