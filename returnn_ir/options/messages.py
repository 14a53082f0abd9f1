"""What is said about an option that is wrong: what, where, expected, received and what to try."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np

from returnn_ir.errors import ConfigError, Origin, UserError, did_you_mean
from returnn_ir.options.convert import convert, members
from returnn_ir.options.types import Described, Range, Unset

__all__ = ["described", "missing_option", "shown", "wrong_value"]

_HINT_NAMES = {
    "bool": "True or False",
    "NoneType": "None",
    "LayerRef": "a layer name",
    "NetDict": "a network dict",
    "LayerDict": "a layer dict",
}


def wrong_value(key: str, value: object, hint: Any, where: Origin | str | None, owner: str = "") -> UserError:
    """That the value of an option does not fit its type.

    Args:
        owner: what has the option (``loss 'ce'``), where the place does not tell.
    """
    if isinstance(value, (float, np.floating)) and math.isnan(value):
        what = "is not a number"
    else:
        other = "has an unknown value" if isinstance(value, str) else "is out of range"
        what = other if convert(value, hint, ranges=False)[0] else "has the wrong type"
    return ConfigError(
        f"{owner}: option {key!r} {what}" if owner else f"option {key!r} {what}",
        where=where,
        expected=described(hint),
        received=shown(value),
        hint=_hint(value, hint),
    )


def missing_option(key: str, hint: Any, where: Origin | str | None, owner: str = "") -> UserError:
    """That an option without a default is not given."""
    what = f"option {key!r} is missing"
    expected = None if hint is Any else described(hint)
    return ConfigError(f"{owner}: {what}" if owner else what, where=where, expected=expected)


def _hint(value: object, hint: Any) -> str | None:
    if isinstance(value, str):
        if not any(part is str for part in members(hint)) and convert([value], hint)[0]:
            return f"[{value!r}]"
        return did_you_mean(value, _words(hint))
    if isinstance(value, tuple) and len(value) == 1 and convert(value[0], hint)[0]:
        return "a comma behind the value makes a tuple of it"
    return None


def _words(hint: Any) -> list[str]:
    """The texts that a type allows by name."""
    if get_origin(hint) is Literal:
        return [word for word in get_args(hint) if isinstance(word, str)]
    parts = get_args(hint)[:1] if get_origin(hint) is Annotated else get_args(hint)
    return [word for part in parts for word in _words(part)]


def shown(value: object) -> str:
    """A value for a message, shortened where it is long."""
    try:
        text = repr(value)
    except Exception as error:  # a class of the config, or a dict that is nested too deeply
        text = f"a value that cannot be shown ({type(error).__name__})"
    if len(text) > 200:
        text = f"{text[:200]} ..."
    return f"{text} ({type(value).__name__})"


def described(hint: Any) -> str:
    """What a type allows, in words."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return " | ".join(described(a) for a in get_args(hint) if a is not Unset)
    if origin is Annotated:
        kind, *marks = get_args(hint)
        words = next((mark.text for mark in marks if isinstance(mark, Described)), None)
        ranges = (str(mark) for mark in marks if isinstance(mark, Range))
        return words or " ".join(part for part in (described(kind), *ranges) if part)
    if origin is Literal:
        return " | ".join(map(repr, get_args(hint)))
    if origin in (list, tuple, set, frozenset, Sequence, dict, Mapping):
        name = {Sequence: "list or tuple", Mapping: "dict"}.get(origin, origin.__name__)
        parts = [_item(a) for a in get_args(hint) if a is not Ellipsis]
        return f"{name} of {' to '.join(parts) if origin in (dict, Mapping) else ', '.join(parts)}"
    if isinstance(hint, type):
        return _HINT_NAMES.get(hint.__name__, hint.__name__)
    return "a function" if origin is not None and origin.__name__ == "Callable" else str(hint).replace("typing.", "")


def _item(hint: Any) -> str:
    """The type of a container's items, in parentheses where it is one of several."""
    text = described(hint)
    return f"({text})" if " | " in text else text
