"""Transcripts of what is refused: a command, the lines it gets, and the whole message.

An entry is ``$ COMMAND``, lines ``> ...``, and the message up to the next entry. ``{optimizers}`` in it stands for the
names of all optimizers, ``{datasets}`` for those of all dataset classes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from runtime.datasets.registry import dataset_names
from runtime.optimizers.registry import optimizer_names

__all__ = ["Entry", "read"]

FOLDER = Path(__file__).parent
_ENTRY = re.compile(r"^\$ (.*)\n((?:> .*\n)*)((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """One thing that is refused."""

    command: str
    lines: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        return f"{self.command}: {'; '.join(self.lines)}"[:150]


def read(name: str) -> list[Entry]:
    """The entries of one transcript."""
    text = (FOLDER / name).read_text(encoding="utf-8").replace("{optimizers}", ", ".join(optimizer_names()))
    text = text.replace("{datasets}", ", ".join(dataset_names()))
    return [
        Entry(command, tuple(line.removeprefix("> ") for line in lines.splitlines()), message.strip())
        for command, lines, message in _ENTRY.findall(text)
    ]
