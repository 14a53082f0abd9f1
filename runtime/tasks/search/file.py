"""The output file of a search, as RETURNN writes it and its tools read it."""

from __future__ import annotations

import gzip
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from compiler.target.protocol import Array

__all__ = ["Entry", "Scored", "Text", "write_search_file"]

_SHORT_DICT = 40  # characters that RETURNN writes on one line

Text = str | Array
Scored = Sequence[tuple[float, Text]]
#: A decided text, the scored texts of a beam, or these by layer.
Entry = Text | Scored | Mapping[str, Text | Scored]


def write_search_file(path: Path, file_format: str, entries: Iterable[tuple[str, Entry]]) -> None:
    """Write the results, in the order given; the file appears under its name when it is complete.

    Args:
        path: gzipped if it ends with ``.gz``.
        file_format: ``txt``, one line per sequence; ``py``, a Python dict from sequence tag to result.
        entries: (sequence tag, result).
    """
    with np.printoptions(threshold=sys.maxsize):
        if file_format == "txt":
            text = "".join(f"{entry}\n" for _, entry in entries)
        else:
            text = "{\n" + "".join(f"{tag!r}: {_literal(entry)},\n" for tag, entry in entries) + "}\n"
    raw = text.encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    part.replace(path)


def _literal(value: object) -> str:
    """Python text of a result: lists one entry per line, dicts sorted, infinite scores as calls of float."""
    if isinstance(value, list):
        return "[\n" + "".join(f"{_literal(v)},\n" for v in value) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_literal, value)) + ")"
    if isinstance(value, dict):
        items = [f"{_literal(k)}: {_literal(v)}" for k, v in sorted(value.items())]
        if sum(map(len, items)) >= _SHORT_DICT:
            return "{\n" + "".join(f"{item},\n" for item in items) + "}"
        return "{" + ", ".join(items) + "}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value!r}')"
    return repr(value)
