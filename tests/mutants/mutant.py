"""A mutant: one change of one source file."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from tests.mutants.changes import changes

__all__ = ["Mutant", "Site", "make", "sites"]

#: Longer statements are shown in part, with so many characters around the change.
_LONG = 200
_AROUND = 40


@dataclass(frozen=True)
class Mutant:
    """A change, by its number among all changes of its file.

    Attributes:
        path: relative to the root of the project.
        runs: the line that is run when the changed code runs; None for what an import runs.
        before: the statement, without the statements in it.
    """

    path: str
    line: int
    runs: int | None
    function: str
    index: int
    before: str
    after: str

    @property
    def module(self) -> str:
        """The dotted name that is imported."""
        parts = Path(self.path).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def text(self) -> str:
        """The change as a verdict names it."""
        return f"{self.before} -> {self.after}"

    def code(self, root: Path) -> CodeType:
        """The changed module, compiled."""
        file = root / self.path
        tree = ast.parse(file.read_bytes())
        change = next(c for i, c in enumerate(changes(tree)) if i == self.index)
        change.apply()
        return compile(tree, str(file), "exec")


@dataclass(frozen=True)
class Site:
    """Where a change can be made; its text is made for those that are drawn only."""

    path: str
    index: int
    line: int
    runs: int | None
    function: str


def sites(root: Path, path: str) -> list[Site]:
    """All places of one file that can be changed."""
    tree = ast.parse((root / path).read_bytes())
    return [Site(path, index, change.line, change.runs, change.function) for index, change in enumerate(changes(tree))]


def make(root: Path, site: Site) -> Mutant | None:
    """The mutant of ``site``; None where the code stays the same (``f(x, x)`` with swapped arguments)."""
    tree = ast.parse((root / site.path).read_bytes())
    change = next(c for i, c in enumerate(changes(tree)) if i == site.index)
    before = _header(change.statement)
    after = _header(change.apply())
    if before == after:
        return None
    return Mutant(site.path, change.line, change.runs, change.function, site.index, *_shortened(before, after))


def _header(statement: ast.stmt) -> str:
    """The statement as text, without the body of a compound one."""
    shown = ast.unparse(statement)
    body = getattr(statement, "body", None)
    if not body:
        return shown
    kept: ast.stmt = type(statement)(**{**dict(ast.iter_fields(statement)), "body": [ast.Pass()]})
    for field in ("orelse", "finalbody", "handlers", "decorator_list"):
        if hasattr(kept, field):
            setattr(kept, field, [])
    if isinstance(kept, ast.Try):
        return shown.splitlines()[0]
    return ast.unparse(ast.copy_location(kept, statement)).removesuffix("pass").rstrip()


def _shortened(before: str, after: str) -> tuple[str, str]:
    """Of a long statement, the change and some words around it."""
    if len(before) <= _LONG or len(after) < len(before) - _LONG:
        return before[:_LONG], after
    start = max(0, _common(before, after) - _AROUND)
    rest = max(0, _common(before[:start:-1], after[:start:-1]) - _AROUND)
    return before[start : len(before) - rest], after[start : len(after) - rest]


def _common(a: str, b: str) -> int:
    """How many characters of the beginning are the same."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
