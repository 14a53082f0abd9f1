"""Parsing the parts of the IR's text below a statement: dims, types and attribute values."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NoReturn, TypeVar

import numpy as np

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import UNIT, Dim
from returnn_ir.ir.python_call import CallSource, PythonCall
from returnn_ir.ir.stored_init import StoredInit
from returnn_ir.ir.types import ELEMENT_TYPES, TensorType
from returnn_ir.text.tokens import Token, tokenize

__all__ = ["OBJECTS", "AttributeParser", "DimName", "missing_function"]

T = TypeVar("T")
#: The classes of attributes that have parts.
OBJECTS = (StoredInit, PythonCall, CallSource)


@dataclass(frozen=True)
class DimName:
    """A dim's name as written: the key that is unique in the text, and the name without suffix."""

    token: Token
    key: str
    plain: str


def missing_function(name: str) -> Callable[..., NoReturn]:
    """Stands for a Python function that the text only names."""

    def call(*args: object, **kwargs: object) -> NoReturn:
        raise IRError(f"the IR text names the Python function {name!r}; it does not hold its code")

    call.__qualname__ = name
    return call


class AttributeParser:
    """A token stream with the productions of values.

    Attributes:
        dims: by the name that is unique in the text.
    """

    def __init__(self, source: str) -> None:
        self._tokens = tokenize(source)
        self.peek = next(self._tokens)
        self.dims: dict[str, Dim] = {}
        self._layer: str | None = None

    # ---------------------------------------------------------------- tokens

    def advance(self) -> Token:
        """The next token, which is taken."""
        token = self.peek
        self._layer = None
        if token.kind != "end":
            self.peek = next(self._tokens)
        if self.peek.kind == "layer":
            self._layer = self.peek.text.removeprefix("# layer '").removesuffix("'")
            self.peek = next(self._tokens)
        return token

    def layer(self) -> str | None:
        """The layer that a comment right before the next token names."""
        return self._layer

    def accept(self, text: str) -> bool:
        """Take the next token if it is this symbol."""
        found = self.peek.kind in ("punctuation", "define") and self.peek.text == text
        if found:
            self.advance()
        return found

    def accept_word(self, text: str) -> bool:
        """Take the next token if it is this word."""
        found = self.peek.kind == "name" and self.peek.text == text
        if found:
            self.advance()
        return found

    def symbol(self, text: str) -> None:
        """The next token has to be this symbol."""
        if not self.accept(text):
            raise self.peek.error("unexpected text", expected=repr(text))

    def word(self, text: str) -> None:
        """The next token has to be this word."""
        if not self.accept_word(text):
            raise self.peek.error("unexpected text", expected=repr(text))

    def expect(self, kind: str) -> Token:
        """The next token has to be of this kind."""
        if self.peek.kind != kind:
            raise self.peek.error("unexpected text", expected=f"a {kind}")
        return self.advance()

    def until(self, closing: str, parse: Callable[[], T]) -> list[T]:
        """Comma-separated items up to the closing bracket."""
        found: list[T] = []
        while not self.accept(closing):
            if found:
                self.symbol(",")
            found.append(parse())
        return found

    def mapping(self, closing: str, key: Callable[[], str], separator: str) -> dict[str, Any]:
        """Comma-separated pairs up to the closing bracket."""

        def pair() -> tuple[str, Any]:
            name = key()
            self.symbol(separator)
            return name, self.attribute()

        return dict(self.until(closing, pair))

    # ---------------------------------------------------------------- scalars

    def string(self) -> str:
        """A string in double quotes."""
        token = self.expect("string")
        return _unescape(token, token.text[1:-1])

    def _unquoted(self) -> str:
        token = self.expect("quoted")
        return _unescape(token, token.text[1:-1])

    def number(self) -> int | float:
        """An integer or a float, told apart by how they are written."""
        if self.accept_word("nan"):
            return float("nan")
        text = self.expect("number").text
        return float(text) if any(c in text for c in ".einEI") else int(text)

    def integer(self) -> int:
        """An integer."""
        token, number = self.peek, self.number()
        if not isinstance(number, int):
            raise token.error("not an integer")
        return number

    # ---------------------------------------------------------------- dims and types

    def dim_name(self) -> DimName:
        """A dim's name with its suffix."""
        token = self.peek
        plain = self._unquoted() if token.kind == "quoted" else self.expect("name").text
        suffix = f"~{self.integer()}" if self.accept("~") else ""
        return DimName(token, token.text + suffix, plain)

    def dim(self) -> Dim:
        """A reference to a dim of the table, or ``_``."""
        if self.accept_word("_"):
            return UNIT
        name = self.dim_name()
        if name.key not in self.dims:
            raise name.token.error("no dim of this name is declared")
        return self.dims[name.key]

    def type(self) -> TensorType:
        """A tensor type."""
        dtype = self.expect("name")
        if dtype.text not in ELEMENT_TYPES:
            raise dtype.error("unknown element type", expected=f"one of {', '.join(ELEMENT_TYPES)}")
        self.symbol("[")
        dims = tuple(self.until("]", self.dim))
        return TensorType(dtype.text, dims, self.dim() if self.accept_word("sparse") else None)

    # ---------------------------------------------------------------- attributes

    def attribute(self) -> Any:
        """The value of an attribute."""
        token = self.peek
        if token.kind == "number":
            return self.number()
        if token.kind == "string":
            return self.string()
        if token.kind == "quoted":
            return self.dim()
        if token.kind == "name":
            return self._word()
        for opening, parse in (("[", self._tuple), ("{", self._dict), ("!", self._object), ("<", self._function)):
            if self.accept(opening):
                return parse()
        raise token.error("unexpected text", expected="the value of an attribute")

    def _word(self) -> Any:
        text = self.peek.text
        constants = {"none": None, "true": True, "false": False, "nan": float("nan")}
        if text in constants:
            self.advance()
            return constants[text]
        if text == "array":
            self.advance()
            return self._array()
        if text == "complex":
            self.advance()
            self.symbol("(")
            return complex(*self.until(")", self.number))
        return self.type() if text in ELEMENT_TYPES else self.dim()

    def _tuple(self) -> tuple[Any, ...]:
        return tuple(self.until("]", self.attribute))

    def _dict(self) -> dict[str, Any]:
        return self.mapping("}", self.string, ":")

    def _array(self) -> np.ndarray[Any, Any]:
        self.symbol("(")
        dtype = self.expect("name").text
        self.symbol(",")
        shape = self.attribute()
        self.symbol(",")
        entries = base64.b64decode(self.string()) if self.peek.kind == "string" else self.attribute()
        self.symbol(")")
        if isinstance(entries, bytes):
            return np.frombuffer(entries, dtype).reshape(shape).copy()
        return np.asarray(entries, dtype).reshape(shape)

    def _object(self) -> Any:
        """An attribute with parts, ``!Class(part=value, ...)``."""
        token = self.expect("name")
        found = next((c for c in OBJECTS if c.__name__ == token.text), None)
        if found is None:
            raise token.error("no attribute is of this class", expected=", ".join(c.__name__ for c in OBJECTS))
        self.symbol("(")
        parts = self.mapping(")", lambda: self.expect("name").text, "=")
        try:
            return found(**parts)
        except TypeError as error:
            raise token.error(
                "not the parts of this class", expected=", ".join(f.name for f in fields(found))
            ) from error

    def _function(self) -> Callable[..., NoReturn]:
        self.word("function")
        name = self.string()
        self.symbol(">")
        return missing_function(name)


def _unescape(token: Token, inner: str) -> str:
    try:
        return str(json.loads(f'"{inner}"'))
    except json.JSONDecodeError as error:
        raise token.error(f"a broken string: {error.msg}") from error
