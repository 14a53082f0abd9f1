"""Tokens of the printed IR, with their places for messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from returnn_ir.errors import UserError

__all__ = ["ParseError", "Token", "tokenize"]

_PATTERN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<layer>\#\ layer\ '[^\n]*'(?=[ \t\r]*(?:\n|$)))
    |(?P<comment>\#[^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*")
    |(?P<quoted>'(?:[^'\\\n]|\\.)*')
    |(?P<value>%[0-9]+)
    |(?P<number>-?(?:inf(?![A-Za-z0-9_.:/])|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?))
    |(?P<name>[A-Za-z_][A-Za-z0-9_.:/]*)
    |(?P<define>:=)
    |(?P<punctuation>[][(){}<>,:=*+!~])""",
    re.VERBOSE,
)


class ParseError(UserError):
    """Text that is not IR: the message shows the line with a caret under the place."""


@dataclass(frozen=True)
class Token:
    """One token: its kind (a group name of the pattern, or ``end``), its text, and where it starts in the source."""

    kind: str
    text: str
    source: str
    start: int

    def error(self, what: str, *, expected: object = None) -> ParseError:
        """An error that points at this token, which is not what was expected."""
        error = self.problem(what)
        error.expected = expected
        error.received = repr(self.text) if self.text else "the end of the text"
        return error

    def problem(self, what: str) -> ParseError:
        """An error that points at this token, which stands for what is wrong."""
        before = self.source[: self.start]
        line = before.count("\n") + 1
        column = self.start - (before.rfind("\n") + 1)
        shown = (self.source.split("\n") or [""])[line - 1]
        caret = " " * column + "^" * max(1, len(self.text))
        return ParseError(f"{what}\n  {shown}\n  {caret}", where=f"line {line}, column {column + 1}")


def tokenize(source: str) -> Iterator[Token]:
    """All tokens without spaces and comments (but with the ones that name layers), then one of kind ``end``."""
    position = 0
    while position < len(source):
        match = _PATTERN.match(source, position)
        if match is None:
            raise Token("unknown", source[position], source, position).error("this character means nothing in IR text")
        kind = match.lastgroup or ""
        if kind not in ("space", "comment"):
            yield Token(kind, match.group(), source, position)
        position = match.end()
    yield Token("end", "", source, position)
