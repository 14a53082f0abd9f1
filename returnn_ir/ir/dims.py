"""Dimension tags: the axes of every tensor, told apart by identity and never by size or name.

A :class:`Dim` is static (fixed ``size``), the batch (an extent, no lengths), or dynamic (its lengths are an IR value,
kept in ``Region.dim_defs``). Derived dims (``t.ceildiv(2)``, ``a + b``, ``a * b``, ``t - 1 + 1``) are canonical
expressions and interned, so that two equal derivations are the same object:

* sums keep the order of their symbolic terms (``a + b`` is not ``b + a``: the frames come in another order), constants
  and repeated terms are collected (``t - 1 + 1 is t``, ``a + a is 2 * a``);
* products keep their order (merging ``a, b`` is not merging ``b, a``) and distribute over sums;
* ``ceildiv`` and ``floordiv`` fold where the division is exact, and one of another is one;
* a copy (``f.copy(match_priority=1)``) is the same axis once more, so that a tensor may have it twice: it computes as
  the dim that it is a copy of, and only who looks for axes (``Dim.base``) takes one for the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any, Final
from weakref import WeakValueDictionary

from returnn_ir.errors import ConfigError, DimError, Origin
from returnn_ir.ir.dim_exprs import Division, Monomial, Polynomial, description_of, name_of, operands
from returnn_ir.ir.dim_names import Answer, DimNames, DimOptions, Role

__all__ = [
    "BATCH",
    "COMPLEX_PARTS",
    "UNIT",
    "Dim",
    "Division",
    "Kind",
    "Polynomial",
    "leaves",
    "product",
    "rebuild",
]


class Kind(Enum):
    """What an axis is to the frames on it."""

    STATIC = "static"
    BATCH = "batch"
    DYNAMIC = "dynamic"


class Dim(DimNames):
    """One axis identity; it does not change after it was made, but for what ``declare_same_as`` says of it.

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
        options: what else the user said of it.
    """

    __slots__ = (
        "__weakref__",
        "axis_kind",
        "copy_of",
        "declared",
        "description",
        "expr",
        "feature",
        "name",
        "options",
        "same",
        "size",
    )

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
        copy_of: Dim | None = None,
        options: DimOptions | None = None,
    ) -> None:
        self.name: Final = name
        self.description: Final = description or name
        self.size: Final = size
        self.axis_kind: Final = kind or (Kind.DYNAMIC if size is None else Kind.STATIC)
        self.feature: Final = feature
        self.declared: Final = declared
        self.expr: Final = expr
        self.copy_of: Final = copy_of
        self.options: Final = options or _PLAIN
        #: what the user's ``declare_same_as`` made it; it is looked at where a network takes the dim
        self.same: Dim | None = None

    def __repr__(self) -> str:
        return f"{self.name}({self.size if self.size is not None else self.axis_kind.value})"

    @property
    def is_static(self) -> bool:
        """Has a size known at compile time."""
        answer: bool = _YES if self.size is not None else _NO
        return answer

    @property
    def is_derived(self) -> bool:
        """Is computed from other dims."""
        return self.expr is not None and self.copy_of is None

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
        answer: bool = _OF_KIND[self.axis_kind]
        return answer

    @property
    def is_batch(self) -> bool:
        """Is the batch axis, or a product with it: it has an extent and no lengths."""
        return self.axis_kind is Kind.BATCH

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

    def __truediv__(self, other: Dim | int) -> Dim:
        return self._divide(other, round_up=False)  # RETURNN's sizes are whole numbers here, too

    def __neg__(self) -> Dim:
        return self * -1

    def sub_right(self, other: Dim | int) -> Dim:
        """This dim less the last frames of it."""
        return self - other

    def sub_left(self, other: Dim | int) -> Dim:
        """This dim less the first frames of it: ``(s + t).sub_left(s) is t``."""
        return _from_terms([*((m, -c) for m, c in _terms(other)), *_terms(self)])

    def ceildiv(self, other: Dim | int) -> Dim:
        """This dim divided by ``other``, rounded up."""
        return self._divide(other, round_up=True)

    def ceildiv_right(self, other: Dim | int) -> Dim:
        """RETURNN's name for :meth:`ceildiv`."""
        return self.ceildiv(other)

    def div_right(self, other: Dim | int) -> Dim:
        """This dim divided by its last factor, or rounded down."""
        return self // other

    def div_left(self, other: Dim | int) -> Dim:
        """This dim divided by its first factor: ``(h * f).div_left(h) is f``."""
        return self._divide(other, round_up=False, first=True)

    def ceildiv_left(self, other: Dim | int) -> Dim:
        """As :meth:`div_left`, rounded up."""
        return self._divide(other, round_up=True, first=True)

    def _divide(self, other: Dim | int, *, round_up: bool, first: bool = False) -> Dim:
        base, terms = self.base, _terms(self)
        if isinstance(other, Dim):
            other = other.base
            end = 0 if first else -1
            if all(m and m[end] is other for m, _ in terms):
                return _from_terms([(m[1:] if first else m[:-1], c) for m, c in terms])
            if other.size is None:
                raise DimError(
                    f"a dim divided by one of varying length that is not its {'first' if first else 'last'} factor",
                    where=None,
                    expected="a number, a dim of fixed size, or a factor",
                    received=f"{self} and {other}",
                )
            other = other.size
        if other < 1:
            raise DimError("a dim is divided by a number above zero", where=None, received=f"{self} and {other}")
        if other == 1:
            return base
        if isinstance(base.expr, Division) and base.expr.round_up == round_up:
            return base.expr.base._divide(base.expr.divisor * other, round_up=round_up)
        if all(c % other == 0 for _, c in terms):
            return _from_terms([(m, c // other) for m, c in terms])
        if base.size is not None:
            size = -(-base.size // other) if round_up else base.size // other
            return _intern((base, other, round_up), Division(base, other, round_up), size)
        return _intern((base, other, round_up), Division(base, other, round_up), None)

    # ---------------------------------------------------------------- one axis under several names

    @property
    def base(self) -> Dim:
        """What this is a copy of, itself if it is none."""
        return self if self.copy_of is None else self.copy_of

    def get_same_base(self) -> Dim:
        """RETURNN's name for :attr:`base`."""
        return self.base

    def get_same_derived_base(self, *, same_dim: bool = False) -> Dim:
        """The first dim that this is derived from; with ``same_dim`` none of another size."""
        return self.base if same_dim else leaves(self)[0]

    @property
    def derived_from_tag(self) -> Dim | None:
        """The first dim that this is derived from."""
        return leaves(self)[0] if self.is_derived else None

    @property
    def lengths(self) -> tuple[Dim, ...] | None:
        """What the lengths are over, as far as the user said it; None where it is not known yet."""
        if not self.is_derived:
            return self.options.lengths
        known = [leaf.lengths for leaf in leaves(self) if leaf.size is None]
        if any(lengths is None for lengths in known):
            return None
        return tuple(dict.fromkeys(d for lengths in known for d in lengths or ()))

    def axis_split_info(self) -> list[int | None]:
        """The sizes that this is the sum of."""
        if not self.is_derived or not isinstance(self.expr, Polynomial):
            return [self.size]
        return [_static_term(monomial, coefficient) for monomial, coefficient in self.expr.terms]

    def copy(
        self,
        same_as_self: bool = True,
        description: str | None = None,
        kind: Role | None = None,
        match_priority: int | None = None,
    ) -> Dim:
        """The same axis once more, with another priority or kind; or a new one of the same size.

        A copy that differs in nothing is the dim itself, and equal copies are one.
        """
        if self.special:
            raise ConfigError(f"{self.name!r} stands for something else than an axis, so there is no copy of it")
        if self.is_batch:
            return self
        role = kind if kind is not None else self.kind
        options = replace(self.options, role=role)
        if match_priority is not None:
            options = replace(options, match_priority=match_priority)
        feature = role is Role.feature
        if not same_as_self:
            if description is None:
                raise ConfigError("a copy of a Dim that is another dim needs a description", received=str(self))
            return Dim(description, self.size, feature=feature, declared=True, options=options)
        same = self if (self.kind, self.match_priority) == (role, options.match_priority) else self.base
        if (same.kind, same.match_priority) == (role, options.match_priority):
            return same
        return _copy(same, options, feature=feature)

    def declare_same_as(self, other: Dim) -> None:
        """Let this dim be the other one, wherever a network has it; of the two, one that is derived remains.

        Raises:
            ConfigError: they have different sizes, or both are derived, one maybe from the other; or one is no axis.
        """
        own, other = self.meant, other.meant
        if own is other:
            return
        if own.special or other.special:
            raise ConfigError(
                "a dim that stands for something else than an axis is the same as no other one",
                received=f"{own} and {other}",
            )
        if None not in (own.size, other.size) and own.size != other.size:
            raise ConfigError(
                "dims of different sizes are declared to be the same", expected=str(own), received=str(other)
            )
        # nothing is ever said of the batch, which is everybody's
        swapped = own.is_derived or own.is_batch
        swapped = swapped or (not other.is_derived and own.is_dim_known() and not other.is_dim_known())
        first, second = (other, own) if swapped else (own, other)
        if first.is_derived or first.is_batch or _is_of(second, first):
            raise ConfigError(
                "dims are declared to be the same, and each of them is derived from others",
                expected="one that is not derived, and is not in the other one",
                received=f"{own} and {other}",
            )
        first.same = second

    @property
    def meant(self) -> Dim:
        """What this was declared to be the same as, without copies; itself if it is nothing else."""
        dim = self.base
        while dim.same is not None:
            dim = dim.same.base
        return dim

    def is_equal(self, other: object, **options: object) -> bool:
        """Whether both are one axis.

        Raises:
            ConfigError: by other rules than identity, which are those of a layer's sources.
        """
        wrong = [key for key, value in options.items() if value]
        if wrong:
            raise ConfigError(
                "dims are compared by rules that only a layer's sources have",
                expected="Dim.is_equal without options",
                received=", ".join(wrong),
            )
        return isinstance(other, Dim) and self.base is other.base


# answers that are bools for everybody but a config, which calls them
_YES: Any = Answer(True)
_NO: Any = Answer(False)
_OF_KIND: dict[Kind, Any] = {Kind.STATIC: _NO, Kind.DYNAMIC: _YES, Kind.BATCH: Answer(False, called=True)}
_PLAIN = DimOptions(role=Role.spatial)

#: An inserted axis of size one. Only the TARGET stage has it, and a type may contain it more than once.
UNIT = Dim("1", 1)

#: The batch axis. There is one, because every input is of the same batch.
BATCH = Dim("B", kind=Kind.BATCH, description="global batch")

#: Real and imaginary part, for targets without complex numbers.
COMPLEX_PARTS = Dim("re/im", 2)

_INTERNED: WeakValueDictionary[object, Dim] = WeakValueDictionary()


def _terms(dim: Dim | int) -> list[tuple[Monomial, int]]:
    if isinstance(dim, int):
        return [((), dim)] if dim else []
    if not isinstance(dim, Dim):  # of a config
        raise DimError("a dim is computed from other dims and whole numbers", where=None, received=repr(dim))
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
        name, description = name_of(expr, lambda d: d.name), description_of(expr)
        kind = _kind(expr, size)
        dim = Dim(name, size, kind=kind, feature=_is_feature(expr), description=description, expr=expr)
        _INTERNED[key] = dim
    return dim


def _copy(base: Dim, options: DimOptions, *, feature: bool) -> Dim:
    """The same axis once more; it computes as its base does."""
    key = (base, options.role, options.match_priority)
    found = _INTERNED.get(key)
    if found is None:
        found = Dim(
            base.name,
            base.size,
            kind=base.axis_kind,
            feature=feature,
            declared=base.declared,
            description=base.description,
            expr=Polynomial((((base,), 1),)),
            copy_of=base,
            options=options,
        )
        _INTERNED[key] = found
    return found


def _kind(expr: Polynomial | Division, size: int | None) -> Kind:
    if any(d.is_batch for d in operands(expr)):
        return Kind.BATCH
    return Kind.DYNAMIC if size is None else Kind.STATIC


def _is_feature(expr: Polynomial | Division) -> bool:
    own = operands(expr)
    return any(d.feature for d in own) and not any(d.is_batch for d in own)


def _is_of(dim: Dim, other: Dim) -> bool:
    """Whether ``dim`` is derived from ``other``, by what is declared, too."""
    found = [leaf.meant for leaf in leaves(dim)]
    return any(leaf is other or (leaf.is_derived and _is_of(leaf, other)) for leaf in found)


def leaves(dim: Dim) -> list[Dim]:
    """The underived dims that ``dim`` is computed from, itself if it is one.

    >>> leaves(Dim("T").ceildiv(2) + Dim("S") - 1)
    [T(dynamic), S(dynamic)]
    """
    if dim.expr is None:
        return [dim]
    return list(dict.fromkeys(leaf for d in operands(dim.expr) for leaf in leaves(d)))


def product(dims: Sequence[Dim]) -> Dim:
    """Several axes merged into one, the last fastest.

    >>> product([Dim("H", 4), Dim("F", 16)])
    H*F(64)
    """
    result = dims[0]
    for dim in dims[1:]:
        result = result * dim
    return result


def rebuild(dim: Dim, leaf: Callable[[Dim], Dim]) -> Dim:
    """The same expression over other leaves."""
    if dim.expr is None:
        return leaf(dim)
    if dim.copy_of is not None:
        return rebuild(dim.copy_of, leaf).copy(kind=dim.kind, match_priority=dim.match_priority)
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
