"""Texts of ``key value`` configs and of overrides, read as what an option's type says."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

from returnn_ir.options.convert import convert, members

__all__ = ["from_text"]

_TRUE = ("true", "yes", "on")
_FALSE = ("false", "no", "off")
_CONTAINERS = (list, tuple, set, frozenset, Sequence, dict, Mapping)


def from_text(text: str, hint: Any) -> Any:
    """What a text stands for by the type; the text itself where it stands for nothing of that type.

    Words (``true``, ``none``, ``inf``) count in any case, a list is a Python literal or has commas; a type that allows
    texts gets one only where nothing else fits. A number out of its range is given, for the message.
    """
    readings = list(_readings(text.strip(), hint))
    for ranges in (True, False):
        for value in readings:
            if convert(value, hint, ranges=ranges)[0]:
                return value
    return text


def _readings(text: str, hint: Any) -> Iterator[object]:
    kinds = [get_args(part)[0] if get_origin(part) is Annotated else part for part in members(hint)]
    for kind in sorted(kinds, key=_rank):
        if kind is None or kind is type(None):
            yield from [None] if text.lower() == "none" else []
        elif kind is bool:
            yield from _parsed(text, _flag)
        elif kind in (int, float):
            yield from _parsed(text, kind)
        elif get_origin(kind) is Literal:
            yield from (one for one in get_args(kind) if str(one) == text)
        elif get_origin(kind) in _CONTAINERS:
            yield from _lists(text, kind, alone=len(kinds) == 1)


def _rank(kind: Any) -> int:
    """Whole numbers are tried before others, numbers before truth values, single values before lists."""
    return 3 if get_origin(kind) in _CONTAINERS else {float: 1, bool: 2}.get(kind, 0)


def _flag(text: str) -> bool:
    word = text.lower()
    return word in _TRUE if word in (*_TRUE, *_FALSE) else bool(int(word))


def _parsed(text: str, parse: Callable[[str], object]) -> Iterator[object]:
    try:
        yield parse(text)
    except ValueError:
        return


def _lists(text: str, kind: Any, *, alone: bool) -> Iterator[object]:
    origin = get_origin(kind)
    make = origin if origin in (tuple, set, frozenset) else list
    if text[:1] in ("[", "(", "{"):
        try:
            given = ast.literal_eval(text)
            reading = make(given) if isinstance(given, (list, tuple)) else given
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return
        yield reading
    elif origin not in (dict, Mapping) and ("," in text or alone):
        item = get_args(kind)[0]
        yield make(from_text(part, item) for part in text.split(","))
