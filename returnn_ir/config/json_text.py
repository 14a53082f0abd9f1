"""JSON with ``//`` and ``/* */`` comments, as RETURNN accepts it."""

from __future__ import annotations

import json
import re
from typing import Any

from returnn_ir.errors import ConfigError, Origin

__all__ = ["TOKEN", "blank_comments", "is_json", "parse_json"]

#: Strings, comments and structure; everything between them is numbers, words and space.
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/|[{}\[\]:,]', re.DOTALL)


def parse_json(text: str, file: str) -> dict[str, Any]:
    """The object that the text holds.

    Raises:
        ConfigError: not JSON (with the line), or something else than an object.
    """
    try:
        value = json.loads(blank_comments(text))
    except json.JSONDecodeError as error:
        raise ConfigError(f"not valid JSON: {error.msg}", where=Origin(file=file, line=error.lineno)) from error
    except RecursionError as error:
        raise ConfigError("the JSON is nested too deeply", where=file) from error
    except ValueError as error:  # a number of too many digits
        raise ConfigError(f"cannot read the JSON: {error}", where=file) from error
    if not isinstance(value, dict):
        raise ConfigError("a JSON config must hold an object", where=file, received=type(value).__name__)
    return value


def is_json(text: str) -> bool:
    """Whether the text is JSON, of whatever kind."""
    try:
        json.loads(blank_comments(text))
    except (ValueError, RecursionError):
        return False
    return True


def blank_comments(text: str) -> str:
    """The text with comments replaced by spaces, so that lines and columns stay."""
    return TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[0].startswith("/") else m[0], text)
