"""Whether the networks of two epochs are the same: dims and functions may have been made anew for each."""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from functools import partial

import numpy as np

from returnn_ir.ir.dims import Dim

__all__ = ["network_difference", "network_key", "same_network"]

_SHOWN = 5
_PLAIN = frozenset({bool, int, float, str, type(None)})
_FUNCTIONS = (types.FunctionType, types.MethodType, partial)
_LOOKED_INTO = (Mapping, list, tuple, set, frozenset, *_FUNCTIONS)


def same_network(first: object, second: object) -> bool:
    """Whether two network dicts, or parts of them, mean the same.

    A dim may stand for another one of the same kind and size, everywhere for the same one. Functions are the same if
    their code is, their defaults, and what they see of the functions around them.
    """
    try:
        return _Comparison().same(first, second)
    except RecursionError:  # nested more deeply than a network may be
        return False


def network_difference(first: Mapping[str, object], second: Mapping[str, object]) -> str:
    """``in LAYER, ...``: the layers that are not the same."""
    compare = _Comparison()
    names = [n for n in {**first, **second} if not compare.same(first.get(n), second.get(n))]
    return f"in {', '.join(names[:_SHOWN])}{' ...' if len(names) > _SHOWN else ''}"


def network_key(value: object, *, details: bool = True) -> int:
    """A number that is equal for what is the same; what differs may have the same one, too.

    Args:
        details: whether floats count with their value, or only as zero or not zero, and whether names of files count:
            neither decides whether a network can be built.
    """
    try:
        return _Key(details=details).of(value)
    except RecursionError:
        return 0


class _Key:
    def __init__(self, *, details: bool) -> None:
        self._details = details
        self._under_way: set[int] = set()

    def of(self, value: object) -> int:
        kind = type(value)
        if kind in _PLAIN:
            return hash((kind, value if self._details or kind is not float else value == 0))
        if isinstance(value, Dim):
            return hash(_kind_of(value))
        if isinstance(value, types.FunctionType):
            return hash(value.__code__)
        if not isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return hash(kind)
        if id(value) in self._under_way:
            return 0
        self._under_way.add(id(value))
        key = self._of_container(value)
        self._under_way.discard(id(value))
        return key

    def _of_container(self, value: Mapping[object, object] | Collection[object]) -> int:
        if isinstance(value, Mapping):
            counted = {k: v for k, v in value.items() if self._details or k != "filename"}
            return hash(frozenset((self.of(key), self.of(entry)) for key, entry in counted.items()))
        entries = map(self.of, value)
        return hash(frozenset(entries) if isinstance(value, (set, frozenset)) else tuple(entries))


class _Comparison:
    """One comparison: knows which dims stand for each other, and what it is comparing already."""

    def __init__(self) -> None:
        self._forward: dict[Dim, Dim] = {}
        self._backward: dict[Dim, Dim] = {}
        self._under_way: set[tuple[int, int]] = set()

    def same(self, first: object, second: object) -> bool:
        """Whether two values mean the same; a pair that is found inside of itself again is no difference."""
        if type(first) in _PLAIN:
            return type(first) is type(second) and first == second
        if isinstance(first, Dim):
            return isinstance(second, Dim) and self._same_dim(first, second)
        if type(first) is not type(second):
            return isinstance(first, Mapping) and isinstance(second, Mapping) and self._same_mapping(first, second)
        if not isinstance(first, _LOOKED_INTO) and not is_dataclass(first):
            return first is second or _equal(first, second)
        pair = id(first), id(second)
        if pair in self._under_way:
            return True
        self._under_way.add(pair)
        try:
            return self._same_parts(first, second)
        finally:
            self._under_way.discard(pair)

    def _same_parts(self, first: object, second: object) -> bool:
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            return self._same_mapping(first, second)
        if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
            return len(first) == len(second) and all(map(self.same, first, second))
        if isinstance(first, (set, frozenset)) and isinstance(second, (set, frozenset)):
            return self._matched(first, second) is not None
        if isinstance(first, _FUNCTIONS):
            return first is second or all(map(self.same, _parts(first), _parts(second)))
        return all(self.same(getattr(first, f.name), getattr(second, f.name)) for f in fields(first))  # type: ignore[arg-type]  # a dataclass

    def _same_mapping(self, first: Mapping[object, object], second: Mapping[object, object]) -> bool:
        keys = self._matched(first.keys(), second.keys())
        return keys is not None and all(self.same(first[key], second[keys[key]]) for key in first)

    def _matched(self, first: Collection[object], second: Collection[object]) -> dict[object, object] | None:
        """Each entry of a set to that of the other one that it is the same as; None if one is left over."""
        if len(first) != len(second):
            return None
        if not any(isinstance(key, Dim) or is_dataclass(key) for key in first):
            return {key: key for key in first} if all(key in second for key in first) else None
        pairs = dict(zip(sorted(first, key=_order), sorted(second, key=_order), strict=True))
        return pairs if all(map(self.same, pairs.keys(), pairs.values())) else None

    def _same_dim(self, first: Dim, second: Dim) -> bool:
        if first in self._forward or second in self._backward:
            return self._forward.get(first) is second
        if first is not second:
            if _kind_of(first) != _kind_of(second):
                return False
            if not self.same(first.expr, second.expr):
                return False
        self._forward[first], self._backward[second] = second, first
        return True


def _kind_of(dim: Dim) -> tuple[str, int | None, bool, int]:
    """What dims that stand for each other have in common."""
    return dim.axis_kind.value, dim.size, dim.feature, dim.match_priority


def _equal(first: object, second: object) -> bool:
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return first.dtype == second.dtype and np.array_equal(first, second)
    return bool(first == second)


def _parts(function: object) -> list[object]:
    """What makes a function: its code, its defaults and what it sees of the functions around it."""
    if isinstance(function, partial):
        return [function.func, function.args, function.keywords]
    if isinstance(function, types.MethodType):
        return [function.__func__, function.__self__]
    if not isinstance(function, types.FunctionType):
        return [function]
    seen = [_content(cell) for cell in function.__closure__ or ()]
    return [function.__code__, function.__defaults__, function.__kwdefaults__, seen]


def _content(cell: types.CellType) -> object:
    """What a cell holds; a variable that has no value yet is no difference."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _order(key: object) -> str:
    return f"{type(key).__name__} {key!r}"
