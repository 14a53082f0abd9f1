"""The changes that are made, where none is made, and changes of a small project that its tests notice or not."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.changes import changes
from tests.mutants.child import Task
from tests.mutants.mutant import Mutant, make, sites
from tests.mutants.pool import Ended
from tests.mutants.report import Result, summary
from tests.mutants.verdicts import equivalents, verdict_of

ROOT = Path(__file__).parents[2]

CHANGED = {
    "x = a < 2": {"x = a <= 2", "x = a >= 2", "x = a < 3", "x = a < 1"},
    "x = a - b": {"x = a + b", "x = b - a"},
    "x = a and b": {"x = a or b", "x = a", "x = b"},
    "x = not a": {"x = a"},
    "x = -a": {"x = a"},
    "x = True": {"x = False"},
    "x = a if b else c": {"x = c if b else a"},
    "f(a, b)": {"pass", "f(b, a)"},
    "f(a, g(b), key=c)": {"pass", "f(a, g(b))"},
    "x = a[b:]": {"x = a[b + 1:]"},
    "b.add(c, d)": {"pass"},
    "def f():\n    return False": {"def f():\n    return True"},
    "x = a[0]": {"x = a[1]"},
    "x = a[:-1]": {"x = a[:1]", "x = a[:-2]", "x = a[:-0]"},
    "x = [a for a in b if a]": {"x = [a for a in b]"},
    "a.b = c": {"pass"},
    "a = f(a)": {"pass"},
    "if a:\n    b()": {"if not a:\n    b()", "if a:\n    pass"},
    "for a in b:\n    continue": {"for a in b:\n    break"},
    "def f(a=1):\n    return a": {
        "def f(a=2):\n    return a",
        "def f(a=0):\n    return a",
        "def f(a=1):\n    return None",
    },
    "raise Wrong('text', key=c)": {"pass", "raise Wrong('text')"},
    "raise DimError('text', received=a - 1)": {"pass"},
}

UNCHANGED = [
    '"""A docstring."""',
    "from a import b",
    '__all__ = ["a"]',
    "x: int | None",
    "Types = Sequence[int]",
    "if TYPE_CHECKING:\n    f(1, 2)",
    "class A(Protocol):\n    x: int = 1",
    "@dataclass(frozen=True)\nclass A:\n    x: int",
    "def f(a: Literal[1]) -> Literal[2]:\n    pass",
    '_LOG.info("text %d", 1 + 2)',
    'log(f"{1 + 2} steps")',
    "for a, b in zip(x, strict=True):\n    pass",
]


def _after(source: str) -> set[str]:
    """Every module that one change makes of ``source``."""
    found = set()
    for index in range(len(list(changes(ast.parse(source))))):
        tree = ast.parse(source)
        next(c for i, c in enumerate(changes(tree)) if i == index).apply()
        compile(tree, "changed", "exec")
        found.add(ast.unparse(tree))
    return found


@pytest.mark.parametrize("source", CHANGED)
def test_changes(source: str) -> None:
    assert _after(source) == {ast.unparse(ast.parse(text)) for text in CHANGED[source]}


@pytest.mark.parametrize("source", UNCHANGED)
def test_nothing_to_change(source: str) -> None:
    assert _after(source) == set()


def test_a_mutant_names_its_change(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("class A:\n    def f(self, x):\n        if x > 0:\n            return x, f(x, x)\n")
    mutants = [make(tmp_path, site) for site in sites(tmp_path, "a.py")]
    found = [(m.line, m.function, m.before, m.after) for m in mutants if m is not None]
    assert found[0] == (3, "A.f", "if x > 0:", "if x >= 0:")
    assert found[-1] == (4, "A.f", "return (x, f(x, x))", "return None")
    assert None in mutants, "f(x, x) with its arguments exchanged is the same"


def test_summary_leaves_out_what_makes_no_difference() -> None:
    def mutant(line: int) -> Mutant:
        return Mutant("a.py", line, line, "f", 0, "x = 1", f"x = {line}")

    verdicts = equivalents('[[equivalent]]\nfile = "a.py"\nfunction = "f"\nchange = "x = 1 -> x = 3"\nreason = "so"\n')
    results = [
        Result(mutant(1), "test_a", 1, 5, 0.1),
        Result(mutant(2), None, 5, 5, 0.1),
        Result(mutant(3), None, 5, 5, 0.1, verdict_of(mutant(3), verdicts)),
        Result(mutant(4), "test_b", 1, 5, 0.1, doubtful=True),
    ]
    text = "\n".join(summary(results, seed=7))
    assert "equivalent: a.py:3 in f, 5 of 5 tests ran\n  - x = 1\n  + x = 3\n  no difference: so" in text
    assert "SURVIVED: a.py:2 in f, 5 of 5 tests ran\n  - x = 1\n  + x = 2\n" in text
    assert "test_b fails without the change, too" in text
    assert text.endswith("50.0 % of those that count killed")


def test_what_kills() -> None:
    task = Task(ROOT, ("tests",), ("a", "b"))
    assert Ended(task, outcomes={"a": "passed", "b": "failed"}, code=1).killer == "b"
    assert Ended(task, outcomes={"a": "passed"}, running="b", hung=True).killer == "hang in b"
    assert Ended(task, outcomes={"a": "passed"}, running="b", code=-11).killer == "crash in b"
    assert Ended(task, code=2).killer == "collection"
    assert Ended(task, outcomes={"a": "passed", "b": "passed"}).killer is None
    assert Ended(task, outcomes={"a": "passed"}, running="b", late=True).killer is None


def test_every_verdict_names_a_change_that_exists() -> None:
    for path, function, change in equivalents():
        mutants = (make(ROOT, site) for site in sites(ROOT, path) if site.function == function)
        assert any(m is not None and m.text == change for m in mutants), (path, function, change)


_SOURCE = """
def clipped(x):
    if x > 3:
        x = 0
    return x


def unseen(x):
    return x + 1


def half_seen(x, log):
    log.append(x)
    return x


def doubled(x):
    return x + x
"""
_CACHED = """
from functools import cache

from runtime.numbers import doubled


@cache
def results():
    return [3, doubled(2)]


def test_first():
    assert results()[0] == 3


def test_second():
    assert results()[1] == 4
"""
_TESTS = """
from runtime.numbers import clipped, half_seen


def test_clipped():
    assert [clipped(x) for x in (3, 4)] == [3, 0]


def test_half_seen():
    assert half_seen(1, []) == 1


def test_nothing():
    pass
"""
_RUN = "import sys, tests.mutants.__main__ as m; m.preload = lambda: None; sys.exit(m.main(sys.argv[1:]))"


def test_a_small_project(tmp_path: Path) -> None:
    """What tests look at is noticed, a call whose effect they do not see survives, unseen lines are not drawn.

    Line 18 is run once, by a test that does not look at the result.
    """
    for package in ("runtime", "tests"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "runtime" / "numbers.py").write_text(_SOURCE)
    (tmp_path / "tests" / "test_numbers.py").write_text(_TESTS)
    (tmp_path / "tests" / "test_cached.py").write_text(_CACHED)
    shutil.copytree(Path(__file__).parent, tmp_path / "tests" / "mutants", ignore=shutil.ignore_patterns("test_*"))
    (tmp_path / "tests" / "mutants" / "verdicts.toml").write_text("")
    command = [sys.executable, "-c", _RUN, "--count", "20", "--json", "out.json"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    rows = json.loads((tmp_path / "out.json").read_text())["mutants"]
    states = {row["line"]: row["state"] for row in rows}
    assert states == {3: "killed", 4: "killed", 5: "killed", 13: "SURVIVED", 14: "killed", 18: "killed"}
    covering = {row["line"]: row["covering"] for row in rows}
    assert covering == {3: 1, 4: 1, 5: 1, 13: 1, 14: 1, 18: 2}
    assert "83.3 % of those that count killed" in ran.stdout
    ran = subprocess.run(
        [*command[:3], "--again", "out.json"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "seed 1: 1 mutants, 0 killed, 1 survived" in ran.stdout
