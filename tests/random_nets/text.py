"""Python text of a config: what a generated net looks like in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Code", "assignment"]


class Code(str):
    """A part of a config that is an expression (a Dim's variable, a function), not a string."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def assignment(name: str, layers: Mapping[str, Any]) -> str:
    """``name = {...}`` with one entry a line; nested networks stand on lines of their own."""
    return f"{name} = {_block(layers, 1)}\n"


def _block(entries: Mapping[str, Any], level: int) -> str:
    indent = "    " * level
    lines = [f"{indent}{key!r}: {_value(value, level)},\n" for key, value in entries.items()]
    return "{\n" + "".join(lines) + "    " * (level - 1) + "}"


def _value(value: Any, level: int) -> str:
    if not _holds_layers(value):
        return repr(value)
    items = [f"{k!r}: {_block(v, level + 1) if _is_network(v) else _value(v, level)}" for k, v in value.items()]
    return "{" + ", ".join(items) + "}"


def _is_network(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(v, Mapping) for v in value.values())


def _holds_layers(value: Any) -> bool:
    return isinstance(value, Mapping) and any(_is_network(v) or _holds_layers(v) for v in value.values())
