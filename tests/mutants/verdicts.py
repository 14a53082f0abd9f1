"""Changes that make no difference, with the reason of each: ``verdicts.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.mutants.mutant import Mutant

__all__ = ["equivalents", "verdict_of"]

FILE = Path(__file__).with_name("verdicts.toml")

#: (file, function, change) -> reason
Verdicts = Mapping[tuple[str, str, str], str]


def equivalents(text: str | None = None) -> Verdicts:
    """The judged changes; ``text`` in place of the file's."""
    rows = tomllib.loads(FILE.read_text(encoding="utf-8") if text is None else text).get("equivalent", [])
    return {(row["file"], row["function"], row["change"]): row["reason"] for row in rows}


def verdict_of(mutant: Mutant, verdicts: Verdicts) -> str | None:
    """Why ``mutant`` makes no difference, None if nobody judged so."""
    return verdicts.get((mutant.path, mutant.function, mutant.text))
