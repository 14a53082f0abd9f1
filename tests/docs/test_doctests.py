"""The examples in docstrings: every module that has some is found, and what they show is what comes."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = [
    _module(path)
    for package in ("returnn_ir", "compiler", "runtime")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "    >>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed


def test_what_everybody_meets_first_has_examples() -> None:
    assert {"returnn_ir", "returnn_ir.ir.dims", "returnn_ir.axes.grammar"} <= set(MODULES)
