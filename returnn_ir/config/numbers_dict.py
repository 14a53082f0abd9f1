"""RETURNN's numbers by data key, for functions of a config that compute with lengths of sequences."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["NumbersDict"]

Number = Any
Operation = Callable[[Number, Number], Number]


class NumbersDict:
    """Numbers by key, perhaps with one for all other keys; arithmetic is by key.

    Where only one side of an operation has a number for a key, the other one counts as 0 (as 1 in a product or a
    quotient), and is not looked at by ``min`` and ``max``.

    Attributes:
        dict: the numbers by key.
        value: that of all other keys; None: there is none.
    """

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __init__(
        self,
        auto_convert: NumbersDict | Mapping[str, Number] | Number | None = None,
        numbers_dict: Mapping[str, Number] | None = None,
        broadcast_value: Number | None = None,
    ) -> None:
        """From a number for all keys, a dict, another one (a copy), or the two parts by name."""
        if isinstance(auto_convert, NumbersDict):
            numbers_dict, broadcast_value = auto_convert.dict, auto_convert.value
        elif isinstance(auto_convert, Mapping):
            numbers_dict = auto_convert
        elif auto_convert is not None:
            broadcast_value = auto_convert
        self.dict: dict[str, Number] = dict(numbers_dict or {})
        self.value: Number | None = broadcast_value

    @classmethod
    def constant_like(cls, const_number: Number, numbers_dict: NumbersDict) -> NumbersDict:
        """The same number wherever another one has numbers."""
        value = None if numbers_dict.value is None else const_number
        return cls(numbers_dict=dict.fromkeys(numbers_dict.dict, const_number), broadcast_value=value)

    def copy(self) -> NumbersDict:
        """A copy."""
        return NumbersDict(self)

    def copy_like(self, numbers_dict: NumbersDict) -> NumbersDict:
        """With the keys of another one, as far as there are numbers for them."""
        value = None if numbers_dict.value is None else self.value
        return NumbersDict(
            numbers_dict={key: self[key] for key in numbers_dict.dict if self.has_value_for(key)}, broadcast_value=value
        )

    # ---------------------------------------------------------------- as a dict

    def __getitem__(self, key: str) -> Number:
        return self.dict[key] if self.value is None else self.dict.get(key, self.value)

    def __setitem__(self, key: str, number: Number) -> None:
        self.dict[key] = number

    def __delitem__(self, key: str) -> None:
        del self.dict[key]

    def __contains__(self, key: str) -> bool:
        return key in self.dict

    def get(self, key: str, default: Number | None = None) -> Number | None:
        """The number of a key, that of all keys, or ``default``."""
        return self.dict.get(key, default if self.value is None else self.value)

    def pop(self, key: str, *default: Number) -> Number:
        """Take a key out."""
        return self.dict.pop(key, *default)

    def keys(self) -> Iterable[str]:
        """The keys that have a number of their own."""
        return self.dict.keys()

    def items(self) -> Iterable[tuple[str, Number]]:
        """The numbers by key, without that of all other keys."""
        return self.dict.items()

    def values(self) -> list[Number]:
        """All numbers."""
        return [*self.dict.values(), *([] if self.value is None else [self.value])]

    def has_values(self) -> bool:
        """Whether there is any number."""
        return bool(self.values())

    def has_value_for(self, key: str) -> bool:
        """Whether there is a number for a key."""
        return self.value is not None or key in self.dict

    # ---------------------------------------------------------------- arithmetic

    def __add__(self, other: Any) -> NumbersDict:
        return _combine(self, other, operator.add, 0)

    __radd__ = __add__

    def __sub__(self, other: Any) -> NumbersDict:
        return _combine(self, other, operator.sub, 0)

    def __rsub__(self, other: Any) -> NumbersDict:
        return _combine(self, other, lambda a, b: b - a, 0)

    def __mul__(self, other: Any) -> NumbersDict:
        return _combine(self, other, operator.mul, 1)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> NumbersDict:
        return _combine(self, other, operator.truediv, 1)

    def __floordiv__(self, other: Any) -> NumbersDict:
        return _combine(self, other, operator.floordiv, 1)

    def __neg__(self) -> NumbersDict:
        return NumbersDict(
            numbers_dict={key: -number for key, number in self.dict.items()},
            broadcast_value=None if self.value is None else -self.value,
        )

    def __bool__(self) -> bool:
        return any(self.values())

    def __eq__(self, other: object) -> bool:
        """Equal for each key that any of the two has; if both have one for all other keys, that is equal, too."""
        other = _like(self, other)
        if self.value is not None and other.value is not None and self.value != other.value:
            return False
        keys = {**self.dict, **other.dict}
        return all(self.has_value_for(key) and other.has_value_for(key) and self[key] == other[key] for key in keys)

    def any_compare(self, other: NumbersDict, cmp: Callable[[Number, Number], bool]) -> bool:
        """Whether a comparison holds for any key of this one that the other has a number for."""
        if any(other.has_value_for(key) and cmp(number, other[key]) for key, number in self.dict.items()):
            return True
        return self.value is not None and other.value is not None and cmp(self.value, other.value)

    @classmethod
    def max(cls, items: Iterable[Any]) -> NumbersDict:
        """The largest number of each key."""
        return _extreme(items, max)

    @classmethod
    def min(cls, items: Iterable[Any]) -> NumbersDict:
        """The smallest number of each key."""
        return _extreme(items, min)

    def max_value(self) -> Number:
        """The largest of all numbers."""
        return max(self.values())

    def min_value(self) -> Number:
        """The smallest of all numbers."""
        return min(self.values())

    def __repr__(self) -> str:
        shown = self.dict if self.value is None else self.value if not self.dict else (self.dict, self.value)
        return f"NumbersDict({shown!r})"


def _like(numbers: NumbersDict, other: Any) -> NumbersDict:
    """A plain number as one for the same keys."""
    return other if isinstance(other, NumbersDict) else NumbersDict.constant_like(other, numbers)


def _combine(one: NumbersDict, other: Any, operation: Operation, neutral: Number | None) -> NumbersDict:
    """An operation on each key; ``neutral`` stands for what one side lacks, None: the other side is taken as it is."""
    other = _like(one, other)

    def combined(a: Number | None, b: Number | None) -> Number | None:
        if a is None or b is None:
            present = a if b is None else b
            if present is None or neutral is None:
                return present
            a, b = (neutral if a is None else a), (neutral if b is None else b)
        return operation(a, b)

    keys = {**one.dict, **other.dict}
    return NumbersDict(
        numbers_dict={key: combined(one.get(key), other.get(key)) for key in keys},
        broadcast_value=combined(one.value, other.value),
    )


def _extreme(items: Iterable[Any], choose: Operation) -> NumbersDict:
    first, *others = items
    found = NumbersDict(first)
    for other in others:
        found = _combine(found, other, choose, None)
    return found
