"""Values of a network dict: copies that share what is not a container, and values that depend on the epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from returnn_ir.config.returnn_names import WrapEpochValue
from returnn_ir.errors import ConfigError

__all__ = ["copied", "depends_on_epoch", "of_epoch", "same_content"]

_PLAIN = frozenset({bool, int, float, str, type(None)})


def copied(value: Any) -> Any:
    """New dicts, lists, tuples and sets all the way down; dims, functions and arrays are the same objects.

    A container that stands in several places, or inside of itself, does so in the copy.

    Raises:
        ConfigError: it is nested too deeply.
    """
    return _Copy(lambda leaf: leaf).whole(value)


def of_epoch(value: Any, epoch: int) -> Any:
    """A copy in which each ``WrapEpochValue`` is what it stands for in an epoch (counted from 1)."""
    return _Copy(lambda leaf: leaf.get_value(epoch) if isinstance(leaf, WrapEpochValue) else leaf).whole(value)


def depends_on_epoch(value: Any) -> bool:
    """Is there a ``WrapEpochValue`` somewhere inside?"""
    waiting, seen = [value], set[int]()
    while waiting:
        part = waiting.pop()
        if type(part) in _PLAIN:
            continue
        if isinstance(part, WrapEpochValue):
            return True
        if isinstance(part, (Mapping, list, tuple)) and id(part) not in seen:
            seen.add(id(part))
            waiting.extend(part.values() if isinstance(part, Mapping) else part)
    return False


def same_content(value: Any, copy: Any) -> bool:
    """Is a copy by :func:`copied` still what the value is: equal plain values of equal types, and the same objects?"""
    waiting, seen = [(value, copy)], set[int]()
    while waiting:
        a, b = waiting.pop()
        if type(a) in _PLAIN:
            if type(a) is not type(b) or a != b:
                return False
        elif isinstance(a, Mapping):
            if id(a) not in seen:
                if not isinstance(b, Mapping) or list(a) != list(b):
                    return False
                seen.add(id(a))
                waiting.extend(zip(a.values(), b.values(), strict=True))
        elif isinstance(a, (list, tuple)):
            if id(a) not in seen:
                if not isinstance(b, list if isinstance(a, list) else tuple) or len(a) != len(b):
                    return False
                seen.add(id(a))
                waiting.extend(zip(a, b, strict=True))
        elif a != b if isinstance(a, set) else a is not b:
            return False
    return True


class _Copy:
    """Copies containers, each once; ``leaf`` says what becomes of everything else."""

    def __init__(self, leaf: Callable[[Any], Any]) -> None:
        self._leaf = leaf
        self._made: dict[int, tuple[Any, Any]] = {}  # the original is kept, or its id may come again

    def whole(self, value: Any) -> Any:
        try:
            return self.of(value)
        except RecursionError:
            raise ConfigError("the network is nested too deeply") from None

    def of(self, value: Any) -> Any:
        if type(value) in _PLAIN:
            return value
        if id(value) in self._made:
            return self._made[id(value)][1]
        if isinstance(value, Mapping):
            made: Any = {}
            self._made[id(value)] = value, made
            made.update((key, self.of(entry)) for key, entry in value.items())
            return made
        if isinstance(value, list):
            made = []
            self._made[id(value)] = value, made
            made.extend(map(self.of, value))
            return made
        if isinstance(value, tuple):
            entries = map(self.of, value)
            return type(value)(*entries) if hasattr(value, "_fields") else tuple(entries)
        return set(value) if isinstance(value, set) else self._leaf(value)
