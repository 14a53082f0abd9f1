"""Whether a value has a type and is in its range; marker types are applied to what fits.

Marker types (subclasses of ``str`` or ``dict``) say what a value refers to; a value that fits becomes one.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np

from returnn_ir.options.types import Range

__all__ = ["convert", "fits", "is_marker", "members", "only_floats"]

#: What a plain ``int`` may be.
_INT64 = Range(-(2**63), 2**63 - 1)


def fits(value: object, hint: Any) -> bool:
    """Whether a value has a type and is in its range."""
    return convert(value, hint)[0]


def convert(value: object, hint: Any, *, ranges: bool = True) -> tuple[bool, Any]:
    """Whether the value has the type (and, with ``ranges``, is in its range), and the value with markers applied."""
    if hint is Any or hint is object:
        return True, value
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _convert_union(value, get_args(hint), ranges=ranges)
    if origin is Annotated:
        kind, *marks = get_args(hint)
        if kind not in (bool, int, float):
            return convert(value, kind, ranges=ranges)
        limit = next((m for m in marks if isinstance(m, Range)), None)
        return _convert_number(value, kind, limit, ranges=ranges)
    if origin is Literal:
        return _convert_literal(value, get_args(hint), ranges=ranges)
    if hint is None or hint is type(None):
        return value is None, value
    if hint in (bool, int, float):
        return _convert_number(value, hint, None, ranges=ranges)
    if origin is not None:
        return _convert_container(value, origin, get_args(hint), ranges=ranges)
    if is_marker(hint):
        return (True, hint(value)) if isinstance(value, hint.__mro__[1]) else (False, value)
    return isinstance(value, hint), value


def members(hint: Any) -> Iterator[Any]:
    """The types of a union, annotations of the whole taken off; of another type that itself."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        for part in get_args(hint):
            yield from members(part)
    elif origin is Annotated and get_origin(get_args(hint)[0]) in (Union, types.UnionType):
        yield from members(get_args(hint)[0])
    else:
        yield hint


def only_floats(value: Any, hint: Any) -> Any:
    """The value with whole numbers as floats, where the type knows no whole numbers."""
    kinds = [get_args(part)[0] if get_origin(part) is Annotated else part for part in members(hint)]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if float in kinds and int not in kinds else value
    if isinstance(value, dict):
        inner = next((get_args(kind)[1] for kind in kinds if get_origin(kind) in (dict, Mapping)), Any)
        return {key: only_floats(part, inner) for key, part in value.items()}
    return value


def is_marker(hint: Any) -> bool:
    """Whether a type only says what a text or a dict means."""
    return isinstance(hint, type) and issubclass(hint, (str, dict)) and hint not in (str, dict)


def _convert_literal(value: object, allowed: tuple[Any, ...], *, ranges: bool) -> tuple[bool, Any]:
    plain = value.item() if isinstance(value, np.generic) else value
    return any(type(plain) is type(one) and (plain == one or not ranges) for one in allowed), plain


def _convert_union(value: object, options: tuple[Any, ...], *, ranges: bool) -> tuple[bool, Any]:
    exact = sorted(options, key=is_marker)  # a plain str, where allowed, is no reference
    for option in exact:
        ok, converted = convert(value, option, ranges=ranges)
        if ok:
            return True, converted
    return False, value


def _convert_number(value: object, kind: Any, limit: Range | None, *, ranges: bool) -> tuple[bool, Any]:
    if kind is bool:
        flag = isinstance(value, (bool, np.bool_)) or (isinstance(value, int) and value in (0, 1))
        return (True, bool(value)) if flag else (False, value)
    if isinstance(value, (bool, np.bool_)):  # False is 0.0, such as a dropout that is off; True is no amount
        allowed = kind is float and not value
        return (True, kind(value)) if allowed else (False, value)
    if not isinstance(value, (int, np.integer) if kind is int else (int, float, np.integer, np.floating)):
        return False, value
    number = value.item() if isinstance(value, np.generic) else value
    if not ranges:
        return True, number
    return _in_range(number, kind, limit), number


def _in_range(number: Any, kind: type, limit: Range | None) -> bool:
    if kind is int:
        return number in (limit or _INT64)
    try:
        return float(number) in (limit or Range())
    except OverflowError:  # a whole number that no float holds
        return False


def _convert_container(value: object, origin: Any, args: tuple[Any, ...], *, ranges: bool) -> tuple[bool, Any]:
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            return False, value
        keys = [convert(k, args[0], ranges=ranges) for k in value]
        items = [convert(v, args[1], ranges=ranges) for v in value.values()]
        ok = all(fits for fits, _ in (*keys, *items))
        return ok, dict(zip(value, (v for _, v in items), strict=True))
    if origin in (list, tuple, set, frozenset, Sequence):
        wanted = (list, tuple) if origin is Sequence else (origin,)
        if not isinstance(value, wanted) or isinstance(value, str):
            return False, value
        item = args[0] if args else Any
        if origin is tuple and Ellipsis not in args:
            if len(args) != len(value):
                return False, value
            converted = [convert(v, a, ranges=ranges) for v, a in zip(value, args, strict=True)]
        else:
            converted = [convert(v, item, ranges=ranges) for v in value]
        make = type(value) if type(value) in (list, tuple, set, frozenset) else list
        return all(ok for ok, _ in converted), make(v for _, v in converted)
    return isinstance(value, origin), value
