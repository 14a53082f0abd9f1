"""What the documentation shows of ``returnn-opt`` is what it prints.

A block that starts with ``$ returnn-opt`` has the command, run in the root of the repository, and its output; a line
``...`` stands for any lines, and may stand for none. ``writing_a_pass.md`` has a test of its own: it tells its readers
to write the file.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from compiler.cli.opt import main

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```\n\$ returnn-opt (.*)\n((?:.*\n)*?)```$", re.MULTILINE)


@dataclass(frozen=True)
class Shown:
    """A command and the lines that a document shows of its output."""

    document: str
    number: int
    command: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document}:{self.number}"


def _shown() -> Iterator[Shown]:
    for path in sorted({*(ROOT / "docs").glob("*.md")} - {ROOT / "docs" / "writing_a_pass.md"}):
        text = path.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            yield Shown(path.name, text[: match.start()].count("\n") + 1, match[1], tuple(match[2].splitlines()))


BLOCKS = list(_shown())


def _parts(lines: Sequence[str]) -> list[list[str]]:
    """What stands between the lines that are left out."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if line == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def _find(part: list[str], lines: list[str], start: int) -> int | None:
    return next((i for i in range(start, len(lines) - len(part) + 1) if lines[i : i + len(part)] == part), None)


@pytest.mark.parametrize("shown", BLOCKS, ids=str)
def test_what_is_shown_is_printed(
    shown: Shown, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(shlex.split(shown.command)) == 0
    text = capsys.readouterr().out
    printed = text.splitlines()
    first, *others = _parts(shown.lines)
    assert printed[: len(first)] == first, text
    at = len(first)
    for part in others:
        found = _find(part, printed, at)
        assert found is not None, f"{shown} shows lines that do not come, or not there:\n" + "\n".join(
            [*part, "", text]
        )
        at = found + len(part)
    left_out = bool(others) and not others[-1]
    assert left_out or at == len(printed), f"{shown} leaves out the end without saying so"


def test_every_file_of_ir_is_shown() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "ir").glob("*.ir")}
    assert files == {word for shown in BLOCKS for word in shown.command.split() if word.startswith("docs/ir/")}
