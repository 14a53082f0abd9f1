"""Which test runs which line, measured once and kept in ``build/mutants``."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from coverage import CoverageData

from tests.mutants.child import PACKAGES, Task
from tests.mutants.pool import Ended, run_all

__all__ = ["CoverageMap", "measured"]

#: What is kept of each test: seconds, outcome, and the state of its file.
_Known = dict[str, dict[str, Any]]
_SLICE = 150
#: What a test file computes once: a cache, or a fixture of more than one test.
_SHARED = re.compile(r"@(?:functools\.)?(?:lru_)?cache\b|scope=\"(?:class|module|package|session)\"")
#: Tests of the sources' text run nothing.
_TEXT_TESTS = "tests/test_structure.py"


@dataclass
class CoverageMap:
    """The tests and what they run.

    Attributes:
        seconds: of each test that passes.
        lines: how many lines of the three packages each runs.
    """

    root: Path
    data: CoverageData
    seconds: dict[str, float]
    lines: dict[str, int] = field(default_factory=dict)

    def contexts(self, path: str) -> dict[int, list[str]]:
        """The tests that run each line of a file; "" for those run by an import."""
        return self.data.contexts_by_lineno(str(self.root / path))

    @cached_property
    def files(self) -> list[str]:
        """The measured files that exist, relative to the root."""
        found = (Path(file).relative_to(self.root) for file in self.data.measured_files())
        return sorted(str(path) for path in found if (self.root / path).exists())

    def count_lines(self) -> None:
        """Fill ``lines``."""
        for path in self.files:
            for tests in self.contexts(path).values():
                for test in tests:
                    self.lines[test] = self.lines.get(test, 0) + 1

    def ranked(self, path: str, line: int | None) -> list[str]:
        """The tests to run for a change of ``line``, the cheapest and most specific first.

        Kinds of tests take turns, so that where there are thousands the first hundred are not all alike.
        What an import runs (a table, a default, a decorator) is seen by all that uses the file, and by who knows what
        else: all other tests come behind these.
        """
        contexts = self.contexts(path)
        in_file: dict[str, int] = {}
        for tests in contexts.values():
            for test in tests:
                in_file[test] = in_file.get(test, 0) + 1
        direct = [""] if line is None else contexts[line]
        chosen = in_file if "" in direct else direct

        def cost(test: str) -> float:
            return (self.seconds[test] + 0.02) * self.lines.get(test, 1) / in_file[test]

        ranked = sorted((test for test in chosen if test in self.seconds), key=cost)
        turns: Counter[str] = Counter()
        order: dict[str, int] = {}
        for test in ranked:
            kind = _kind(test)
            order[test] = turns[kind]
            turns[kind] += 1
        first = sorted(ranked, key=lambda test: order[test])
        if "" not in direct:
            return first + self._sharing(first)
        return first + sorted(
            (test for test in self.seconds if test not in in_file), key=lambda test: self.seconds[test]
        )

    def _sharing(self, tests: Sequence[str]) -> list[str]:
        """Other tests of their files, where something is computed once: only the first test is seen to run it."""
        files = {file for file in {test.split("::")[0] for test in tests} if _keeps_results(self.root / file)}
        others = (test for test in self.seconds if test.split("::")[0] in files and test not in tests)
        return sorted(others, key=lambda test: self.seconds[test])


def measured(root: Path, jobs: int, fresh: bool = False) -> CoverageMap:
    """The map of the sources as they are.

    Tests are measured that are new, whose file has changed, or that ran a source file that has changed.
    """
    folder = root / "build" / "mutants"
    folder.mkdir(parents=True, exist_ok=True)
    data, index = CoverageData(str(folder / "lines.sqlite")), folder / "tests.json"
    known: _Known = {}
    if fresh:
        data.erase()
    elif index.exists():
        data.read()
        known = _still_known(root, data, json.loads(index.read_text(encoding="utf-8")))
    every = _all_tests(root)
    digests = {file: _digest(root / file) for file in {test.split("::")[0] for test in every}}
    missing = [test for test in every if known.get(test, {}).get("file") != digests[test.split("::")[0]]]
    if missing:
        print(f"measuring which lines {len(missing)} tests run", flush=True)
    tasks = [
        Task(root, (tests[0].split("::")[0],), tuple(tests), record=folder / f"part-{i}", keep_going=True)
        for i, tests in enumerate(_slices(missing))
    ]
    for ended in run_all(tasks, jobs, {}):
        _merge(data, ended)
        for test, outcome in ended.outcomes.items():
            entry = {"seconds": round(ended.durations[test], 3), "outcome": outcome}
            known[test] = {**entry, "file": digests[test.split("::")[0]]}
        state = {"sources": _sources(root), "tests": known}
        index.write_text(json.dumps(state), encoding="utf-8")
        print(f"  {len(ended.outcomes)} tests of {ended.task.files[0]} in {ended.seconds:.0f} s", flush=True)
    found = {test: known[test] for test in every if test in known}
    failed = [test for test, entry in found.items() if entry["outcome"] == "failed"]
    if failed:
        print(f"{len(failed)} tests fail without a change and are left out: {', '.join(failed[:5])} ...")
    passed = {test: float(entry["seconds"]) for test, entry in found.items() if entry["outcome"] == "passed"}
    result = CoverageMap(root, data, passed)
    result.count_lines()
    return result


def _still_known(root: Path, data: CoverageData, state: dict[str, Any]) -> _Known:
    """What was measured of tests that ran no source file that has changed since; lines of these files are forgotten."""
    now = _sources(root)
    changed = [path for path, digest in state["sources"].items() if now.get(path) != digest]
    touched = {t for path in changed for tests in data.contexts_by_lineno(str(root / path)).values() for t in tests}
    data.purge_files([str(root / path) for path in changed])
    return {test: entry for test, entry in state["tests"].items() if test not in touched}


def _merge(data: CoverageData, ended: Ended) -> None:
    record = ended.task.record
    if record is not None and record.exists():
        part = CoverageData(str(record))
        part.read()
        data.update(part)
        part.erase()


def _all_tests(root: Path) -> list[str]:
    (ended,) = run_all([Task(root, ("tests",))], 1, {})
    if not ended.found:
        raise SystemExit(f"pytest lists no tests: {ended.broken}")
    return [test for test in ended.found if not test.startswith(_TEXT_TESTS)]


def _slices(tests: Iterable[str]) -> list[list[str]]:
    """By file, in parts of about ``_SLICE`` tests, so that the work can be shared and a stop loses little."""
    files: dict[str, list[str]] = {}
    for test in tests:
        files.setdefault(test.split("::")[0], []).append(test)
    parts = []
    for held in files.values():
        count = -(-len(held) // _SLICE)
        buckets: list[list[str]] = [[] for _ in range(count)]
        for test in held:
            buckets[zlib.crc32(test.encode()) % count].append(test)
        parts += [bucket for bucket in buckets if bucket]
    return parts


def _keeps_results(path: Path) -> bool:
    return _SHARED.search(path.read_text(encoding="utf-8")) is not None


def _kind(test: str) -> str:
    """The function and the first word of its case: ``test_golden[search``."""
    return re.split(r"[/-]", test.partition("::")[2])[0] if "[" in test else test.partition("::")[0]


def _sources(root: Path) -> dict[str, str]:
    """The files of the three packages with what tells their states apart."""
    paths = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    return {str(path.relative_to(root)): _digest(path) for path in paths}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
