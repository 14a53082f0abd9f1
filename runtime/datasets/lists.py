"""Files about sequences: lists of tags and tables of lengths, as text, JSON or pickle, packed or not."""

from __future__ import annotations

import ast
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from returnn_ir.config.restricted_pickle import load_pickle
from returnn_ir.errors import DataError

__all__ = ["read_json", "read_lines", "read_table", "read_tags"]


def read_lines(path: str, where: str) -> list[str]:
    """The lines of a text file, or the list that a ``.pkl`` file holds; both may be packed (``.gz``).

    Raises:
        DataError: the file cannot be read, or its pickle is no list of texts.
    """
    tags = read_tags(path, where)
    if not isinstance(tags, list):
        received = f"a dict of {', '.join(map(repr, list(tags)[:5]))}"
        raise DataError("not a list of sequence tags", where=path, expected="a list of str", received=received)
    return tags


def read_tags(path: str, where: str) -> list[str] | dict[str, list[str]]:
    """As ``read_lines``; a pickle may also hold a dict of such lists.

    Raises:
        DataError: the file cannot be read, or its pickle is something else.
    """
    raw = _read(path, where)
    if not _is_pickle(path):
        return _decoded(raw, path, where).splitlines()
    value = load_pickle(raw, path)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _texts(part, path) for key, part in value.items()}
    return _texts(value, path)


def read_table(path: str, where: str) -> dict[Any, Any]:
    """A Python dict, as text or as a pickle; both may be packed (``.gz``).

    Raises:
        DataError: the file cannot be read, or holds something else.
    """
    raw = _read(path, where)
    try:
        value = load_pickle(raw, path) if _is_pickle(path) else ast.literal_eval(_decoded(raw, path, where).strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise _no_table(path, str(error)) from error
    if not isinstance(value, dict):
        raise _no_table(path, type(value).__name__)
    return value


def read_json(path: str, where: str) -> dict[str, Any]:
    """A dict in a JSON file, which may be packed (``.gz``).

    Raises:
        DataError: the file cannot be read, or holds something else.
    """
    try:
        value = json.loads(_decoded(_read(path, where), path, where))
    except ValueError as error:
        raise DataError("not a JSON file", where=path, received=str(error)) from error
    if not isinstance(value, dict):
        raise DataError("not a dict", where=path, expected="a JSON object", received=type(value).__name__)
    return value


def _is_pickle(path: str) -> bool:
    return path.removesuffix(".gz").endswith(".pkl")


def _no_table(path: str, received: str) -> DataError:
    expected = "a Python dict from sequence tags to lengths"
    return DataError("the file cannot be understood", where=path, expected=expected, received=received)


def _texts(value: object, path: str) -> list[str]:
    texts = list(value) if isinstance(value, (list, tuple)) else None
    if texts is None or not all(isinstance(text, str) for text in texts):
        raise DataError(
            "not a list of sequence tags", where=path, expected="a list of str", received=type(value).__name__
        )
    return texts


def _read(path: str, where: str) -> bytes:
    try:
        raw = Path(path).read_bytes()
        return gzip.decompress(raw) if path.endswith(".gz") else raw
    except (OSError, EOFError) as error:
        raise _unreadable(path, where, error) from error


def _decoded(raw: bytes, path: str, where: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(path, where, error) from error


def _unreadable(path: str, where: str, error: Exception) -> DataError:
    return DataError(f"cannot read {path!r}", where=where, received=str(error))
