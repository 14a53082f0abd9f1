"""What the options of a config may be: a frozen dataclass per kind of dict, read with every problem reported at once.

A field's type says what its value must be, ``Annotated[int, Range(1)]`` also in which range. Marker types (subclasses
of ``str`` or ``dict``) say what a value refers to; a value that fits becomes one.
"""

from __future__ import annotations

import functools
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import numpy as np

from returnn_ir.errors import ConfigError, Origin, UserError, did_you_mean

__all__ = [
    "MAX_AXES",
    "MAX_SIZE",
    "UNSET",
    "Count",
    "DType",
    "Finite",
    "NonNegative",
    "Place",
    "Positive",
    "Probability",
    "Range",
    "Share",
    "Size",
    "Unset",
    "describe",
    "fits",
    "option_hints",
    "read_options",
    "read_values",
    "shown",
]

#: More axes than a tensor of any target has.
MAX_AXES = 32
#: The largest number of entries on one axis: TensorFlow's shapes, and RETURNN's lengths, are int32.
MAX_SIZE = 2**31 - 1


@dataclass(frozen=True)
class Range:
    """The numbers that mean something; a bound of None is none.

    Attributes:
        above: the lower bound is not in the range itself.
        below: the upper bound is not in the range itself.
    """

    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False

    def __contains__(self, value: float) -> bool:
        low, high = self.low, self.high
        return not (
            math.isnan(value)
            or (low is not None and (value <= low if self.above else value < low))
            or (high is not None and (value >= high if self.below else value > high))
        )

    def __str__(self) -> str:
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        known = [bound for bound in bounds if math.isfinite(bound)]
        if bounds and not known:
            return "that is finite"
        if len(known) == 2 and not self.above and not self.below:
            return f"from {known[0]} to {known[1]}"
        low = f"{'>' if self.above else '>='} {self.low}" if self.low in known else ""
        high = f"{'<' if self.below else '<='} {self.high}" if self.high in known else ""
        return " and ".join(part for part in (low, high) if part)


#: Entries on an axis, at least one.
Size = Annotated[int, Range(1, MAX_SIZE)]
#: Entries, steps or frames; there may be none.
Count = Annotated[int, Range(0, MAX_SIZE)]
#: A share of entries that is dropped: the others are scaled up by ``1 / (1 - share)``.
Share = Annotated[float, Range(0, 1, below=True)]
Probability = Annotated[float, Range(0, 1)]
Finite = Annotated[float, Range(-math.inf, math.inf, above=True, below=True)]
NonNegative = Annotated[float, Range(0, math.inf, below=True)]
Positive = Annotated[float, Range(0, math.inf, above=True, below=True)]


#: The name of an element type.
DType = Literal[
    "bool", "int8", "uint8", "int16", "uint16", "int32", "int64", "float16", "float32", "float64", "complex64"
]


class Unset(Enum):
    """The value of an option that was not given, where None means something else."""

    UNSET = "unset"


UNSET = Unset.UNSET

#: What a plain ``int`` may be.
_INT64 = Range(-(2**63), 2**63 - 1)

Options = TypeVar("Options")
#: Where an option stands, or with None the dict that has it.
Place = Callable[[str | None], Origin]


def read_options(
    cls: type[Options],
    raw: Mapping[Any, object],
    place: Place,
    *,
    common: frozenset[str] = frozenset(),
    owner: str = "",
) -> tuple[Options | None, list[UserError]]:
    """Typed options of a dict, and everything that is wrong with it. Keys that begin with ``#`` are comments.

    Args:
        cls: a dataclass, whose fields are the options.
        place: where an option stands (None: the dict), for messages.
        common: options that many kinds of dicts have, which a message does not list.
        owner: what has these options (``loss 'ce'``), where the place does not tell.
    """
    values, problems = read_values(option_hints(cls), raw, place, common=common, owner=owner)
    for f in fields(cls):  # type: ignore[arg-type]  # every caller's class is a dataclass
        if f.default is MISSING and f.default_factory is MISSING and f.name not in raw:
            problems.append(ConfigError(f"option {f.name!r} is missing", where=place(None)))
    return (None, problems) if problems else (cls(**values), [])


def read_values(
    hints: Mapping[str, Any],
    raw: Mapping[Any, object],
    place: Place,
    *,
    common: frozenset[str] = frozenset(),
    owner: str = "",
) -> tuple[dict[str, Any], list[UserError]]:
    """The values of a dict by the types that ``hints`` has for its keys; see :func:`read_options`."""
    problems: list[UserError] = []
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if not isinstance(key, str):
            problems.append(_no_name(key, place, owner))
        elif key not in hints:
            if not key.startswith("#"):
                problems.append(_unknown(key, hints, place, common, owner))
        else:
            ok, values[key] = _convert(value, hints[key])
            if not ok:
                problems.append(_wrong(key, value, hints[key], place, owner))
    return values, problems


def option_hints(cls: type[Any]) -> Mapping[str, Any]:
    """The types of a dataclass's fields."""
    return _hints(cls)  # type: ignore[arg-type]  # mypy does not see that classes hash


@functools.cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    found = typing.get_type_hints(cls, include_extras=True)
    return {k: v for k, v in found.items() if not k.startswith("_")}


def _no_name(key: object, place: Place, owner: str) -> UserError:
    whose = f" of {owner}" if owner else ""
    return ConfigError(f"the name of an option{whose} must be a text", where=place(None), received=shown(key))


def _unknown(key: str, hints: Mapping[str, Any], place: Place, common: frozenset[str], owner: str) -> UserError:
    own = f"one of {', '.join(names)}" if (names := sorted(k for k in hints if k not in common)) else ""
    expected = " or ".join(part for part in (own, "a common option" if common else "") if part)
    return ConfigError(
        f"{owner} has no option {key!r}" if owner else f"unknown option {key!r}",
        where=place(key),
        expected=expected or "no options",
        hint=did_you_mean(key, hints),
    )


def _wrong(key: str, value: object, hint: Any, place: Place, owner: str) -> UserError:
    if isinstance(value, (float, np.floating)) and math.isnan(value):
        what = "is not a number"
    else:
        other = "has an unknown value" if isinstance(value, str) else "is out of range"
        what = other if _convert(value, hint, ranges=False)[0] else "has the wrong type"
    return ConfigError(
        f"{owner}: option {key!r} {what}" if owner else f"option {key!r} {what}",
        where=place(key),
        expected=describe(hint),
        received=shown(value),
        hint=did_you_mean(value, _words(hint)) if isinstance(value, str) else None,
    )


def _words(hint: Any) -> list[str]:
    """The texts that a type allows by name."""
    if get_origin(hint) is Literal:
        return [word for word in get_args(hint) if isinstance(word, str)]
    return [word for part in get_args(hint) if get_origin(hint) is not Annotated for word in _words(part)]


def shown(value: object) -> str:
    """A value for a message, shortened where it is long."""
    try:
        text = repr(value)
    except Exception as error:  # a class of the config, or a dict that is nested too deeply
        text = f"a value that cannot be shown ({type(error).__name__})"
    if len(text) > 200:
        text = f"{text[:200]} ..."
    return f"{text} ({type(value).__name__})"


def fits(value: object, hint: Any) -> bool:
    """Whether a value has a type and is in its range."""
    return _convert(value, hint)[0]


def _convert(value: object, hint: Any, *, ranges: bool = True) -> tuple[bool, Any]:
    """Whether the value has the type (and, with ``ranges``, is in its range), and the value with markers applied."""
    if hint is Any or hint is object:
        return True, value
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _convert_union(value, get_args(hint), ranges=ranges)
    if origin is Annotated:
        kind, *marks = get_args(hint)
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
    if _is_marker(hint):
        return (True, hint(value)) if isinstance(value, hint.__mro__[1]) else (False, value)
    return isinstance(value, hint), value


def _convert_literal(value: object, allowed: tuple[Any, ...], *, ranges: bool) -> tuple[bool, Any]:
    plain = value.item() if isinstance(value, np.generic) else value
    return any(type(plain) is type(one) and (plain == one or not ranges) for one in allowed), plain


def _is_marker(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, (str, dict)) and hint not in (str, dict)


def _convert_union(value: object, options: tuple[Any, ...], *, ranges: bool) -> tuple[bool, Any]:
    exact = sorted(options, key=_is_marker)  # a plain str, where allowed, is no reference
    for option in exact:
        ok, converted = _convert(value, option, ranges=ranges)
        if ok:
            return True, converted
    return False, value


def _convert_number(value: object, kind: Any, limit: Range | None, *, ranges: bool) -> tuple[bool, Any]:
    if kind is bool:
        flag = isinstance(value, (bool, np.bool_)) or (isinstance(value, int) and value in (0, 1))
        return (True, bool(value)) if flag else (False, value)
    if isinstance(value, (bool, np.bool_)):  # False is 0.0, such as a dropout that is off; True is no amount
        allowed = (kind is float and not value) or (kind is int and limit is None)
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
        keys = [_convert(k, args[0], ranges=ranges) for k in value]
        items = [_convert(v, args[1], ranges=ranges) for v in value.values()]
        ok = all(fits for fits, _ in (*keys, *items))
        return ok, dict(zip(value, (v for _, v in items), strict=True))
    if origin in (list, tuple, set, Sequence):
        wanted = (list, tuple) if origin is Sequence else (origin,)
        if not isinstance(value, wanted) or isinstance(value, str):
            return False, value
        item = args[0] if args else Any
        if origin is tuple and Ellipsis not in args:
            if len(args) != len(value):
                return False, value
            converted = [_convert(v, a, ranges=ranges) for v, a in zip(value, args, strict=True)]
        else:
            converted = [_convert(v, item, ranges=ranges) for v in value]
        make = type(value) if type(value) in (list, tuple, set) else list
        return all(ok for ok, _ in converted), make(v for _, v in converted)
    return callable(value) if origin is Callable or origin.__name__ == "Callable" else True, value


_HINT_NAMES = {
    "NoneType": "None",
    "LayerRef": "a layer name",
    "NetDict": "a network dict",
    "LayerDict": "a layer dict",
}


def describe(hint: Any) -> str:
    """A type in words, for messages."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return " | ".join(describe(a) for a in get_args(hint) if a is not Unset)
    if origin is Annotated:
        kind, *marks = get_args(hint)
        return " ".join(part for part in (describe(kind), *map(str, marks)) if part)
    if origin is Literal:
        return " | ".join(map(repr, get_args(hint)))
    if origin in (list, tuple, set, Sequence, dict, Mapping):
        name = "list or tuple" if origin is Sequence else origin.__name__.lower()
        parts = [_item(a) for a in get_args(hint) if a is not Ellipsis]
        return f"{name} of {' to '.join(parts) if origin in (dict, Mapping) else ', '.join(parts)}"
    if isinstance(hint, type):
        return _HINT_NAMES.get(hint.__name__, hint.__name__)
    return "a function" if origin is not None and origin.__name__ == "Callable" else str(hint).replace("typing.", "")


def _item(hint: Any) -> str:
    """The type of a container's items, in parentheses where it is one of several."""
    text = describe(hint)
    return f"({text})" if " | " in text else text
