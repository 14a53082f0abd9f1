"""What an op takes: its operands by name, and its attributes by name with type and default.

Every node is checked, so what a type asks of a value is worked out once per type (:func:`_test`). It is exact where
:func:`returnn_ir.options.fits` forgives what people write in configs: here True is no number and 1 no truth value,
since the printed text tells them apart.
"""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.options import DType, Range, described

__all__ = [
    "DIM",
    "DIMS",
    "REQUIRED",
    "AtLeast0",
    "AtLeast1",
    "Attr",
    "ElementType",
    "Required",
    "Signature",
    "type_text",
]

AtLeast0 = Annotated[int, Range(0)]
AtLeast1 = Annotated[int, Range(1)]
#: The name of an element type that networks may name, or of one that only passes make.
ElementType = DType | Literal["bfloat16"]

_Test = Callable[[object], bool]
#: The longest value that a message shows.
_SHOWN = 60


class Required(Enum):
    """The default of an attribute that has none."""

    REQUIRED = "required"


REQUIRED = Required.REQUIRED


def type_text(hint: Any) -> str:
    """The type of an attribute in words; IR has ``true`` and ``false`` for a bool, so that one has its own name."""
    return described(hint).replace("True or False", "bool")


@dataclass(frozen=True)
class Attr:
    """An attribute: a type as a field of a dataclass has it (``tuple[Dim, ...]``), a default, one line of explanation.

    A float may be written as an integer, and a tuple is no list.
    """

    type: Any
    default: object = REQUIRED
    doc: str = ""

    @property
    def required(self) -> bool:
        """Whether it has to be given."""
        return self.default is REQUIRED

    def fits(self, value: object) -> bool:
        """Whether a value has the type."""
        return _test(self.type)(value)


DIM = Attr(Dim)
DIMS = Attr(tuple[Dim, ...])


@dataclass(frozen=True, eq=False)
class Signature:
    """Operands and attributes of one op.

    Attributes:
        declared: names of operands. Behind the plain ones: ``"x?"`` may be left out, the last one may be ``"x*"`` (any
            number of operands) or ``"x+"`` (at least one).
        attrs: by name, in the order of printing.
    """

    declared: tuple[str, ...]
    attrs: Mapping[str, Attr]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of operands without marks."""
        return tuple(name.rstrip("?*+") for name in self.declared)

    @cached_property
    def _limits(self) -> tuple[int, int | None]:
        """The least and the largest number of operands; None: any."""
        least = sum(not name.endswith(("?", "*")) for name in self.declared)
        return least, None if self._repeats else len(self.declared)

    @property
    def _repeats(self) -> bool:
        return bool(self.declared) and self.declared[-1].endswith(("*", "+"))

    def operand_name(self, number: int) -> str:
        """What an operand is called in messages; of several with one name: ``values[2]``."""
        first = len(self.names) - 1
        if self._repeats and number >= first:
            return f"{self.names[first]}[{number - first}]"
        return self.names[number] if number <= first else f"[{number}]"

    def operand_number(self, name: str) -> int | None:
        """Where the operand of a name stands; None where there is no such name, or where it stands for several."""
        return self._numbers.get(name)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        single = self.names[:-1] if self._repeats else self.names
        return {name: number for number, name in enumerate(single)}

    def wrong_operands(self, count: int) -> str | None:
        """What is wrong with a number of operands, to stand behind the name of the op."""
        least, most = self._limits
        if least <= count and (most is None or count <= most):
            return None
        number = f"at least {least}" if most is None else str(least) if least == most else f"{least} to {most}"
        listed = f" ({', '.join(self.declared)})" if self.declared else ""
        plural = "" if (most or least) == 1 else "s"
        return f"takes {number} operand{plural}{listed}, received {count}"

    @cached_property
    def _defaults(self) -> dict[str, object]:
        return {name: attr.default for name, attr in self.attrs.items()}

    @cached_property
    def _tests(self) -> dict[str, _Test]:
        return {name: _test(attr.type) for name, attr in self.attrs.items()}

    def complete(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        """Attributes with defaults filled in, in the order of the declaration; required ones may be missing still."""
        return {**self._defaults, **attrs}

    def wrong_attributes(self, attrs: Mapping[str, Any]) -> str | None:
        """What is wrong with a node's attributes, all of which have to be there; to stand behind the name of the op."""
        if attrs.keys() != self.attrs.keys():
            unknown = [name for name in attrs if name not in self.attrs]
            missing = [name for name in self.attrs if name not in attrs]
            return self.wrong_value((unknown + missing)[0], REQUIRED)
        for name, test in self._tests.items():
            if not test(attrs[name]):
                return self.wrong_value(name, attrs[name])
        return None

    def wrong_value(self, name: str, value: object) -> str | None:
        """What is wrong with one attribute, to stand behind the name of the op."""
        if name not in self.attrs:
            return f"has no attribute {name!r}, it has {', '.join(self.attrs) or 'none'}"
        expected = type_text(self.attrs[name].type)
        if value is REQUIRED:
            return f"needs the attribute {name!r} ({expected})"
        if self._tests[name](value):
            return None
        return f"expects {expected} as attribute {name!r}, received {_shown(value)}"

    def wrong_declaration(self) -> str | None:
        """What is wrong with the declaration itself."""
        if len(set(self.names)) < len(self.names) or not all(name.isidentifier() for name in self.names):
            return f"operands are named {', '.join(self.declared)}"
        marks = "".join(name[len(plain) :] or "." for name, plain in zip(self.declared, self.names, strict=True))
        if not re.fullmatch(r"\.*\?*[*+]?", marks):
            return f"operands {', '.join(self.declared)}: first plain names, then 'x?', at last one 'x*' or 'x+'"
        for name, attr in self.attrs.items():
            if not attr.required and not attr.fits(attr.default):
                return f"the default of attribute {name!r} is {_shown(attr.default)}, expected {type_text(attr.type)}"
        return None


def _shown(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= _SHOWN else f'{text[:_SHOWN]} ...'}"


@functools.cache
def _test(hint: Any) -> _Test:
    """Whether a value has a type."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda value: value is not REQUIRED
    if hint in _NUMBERS:
        return _NUMBERS[hint]
    if hint is None or hint is type(None):
        return lambda value: value is None
    if origin in (Union, types.UnionType):
        return functools.reduce(_either, map(_test, args))
    if origin is Literal:
        return lambda value: isinstance(value, str) and value in args
    if origin is Annotated:
        return _ranged(_test(args[0]), args[1])
    if origin is tuple:
        return _tuple(args)
    if origin is not None and origin.__name__ == "Callable":
        return callable
    if isinstance(hint, type):
        return lambda value: isinstance(value, hint)
    raise IRError(f"no attribute can have the type {hint}")


def _is_int(value: object) -> bool:
    return type(value) is int or isinstance(value, np.integer)


def _is_float(value: object) -> bool:
    return isinstance(value, (float, np.floating)) or _is_int(value)


_NUMBERS: dict[Any, _Test] = {bool: lambda value: value is True or value is False, int: _is_int, float: _is_float}


def _either(first: _Test, second: _Test) -> _Test:
    return lambda value: first(value) or second(value)


def _ranged(test: _Test, limits: Range) -> _Test:
    return lambda value: test(value) and value in limits  # type: ignore[operator]  # a number, by the test


def _tuple(args: tuple[Any, ...]) -> _Test:
    if args[-1] is Ellipsis:
        item = _test(args[0])
        return lambda value: isinstance(value, tuple) and all(map(item, value))
    items = tuple(map(_test, args))
    return lambda value: (
        isinstance(value, tuple)
        and len(value) == len(items)
        and all(test(part) for test, part in zip(items, value, strict=True))
    )
