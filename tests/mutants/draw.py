"""Drawing mutants: lines that the tests run, each as likely as another, then one change of the line."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.mutants.coverage_map import CoverageMap
from tests.mutants.mutant import Mutant, Site, make, sites

__all__ = ["again", "draw"]


def draw(lines: CoverageMap, folders: Sequence[str], seed: int) -> Iterator[Mutant]:
    """Mutants without end but that of the lines; the same for the same sources, tests and seed."""
    by_line: dict[tuple[str, int], list[Site]] = {}
    for path in lines.files:
        if not any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders):
            continue
        run = lines.contexts(path)
        for site in sites(lines.root, path):
            if _is_run(site, run):
                by_line.setdefault((path, site.line), []).append(site)
    generator = random.Random(seed)
    places = sorted(by_line)
    generator.shuffle(places)
    for place in places:
        choices = by_line[place]
        generator.shuffle(choices)
        mutant = next((m for site in choices if (m := make(lines.root, site)) is not None), None)
        if mutant is not None:
            yield mutant


def again(lines: CoverageMap, rows: Sequence[Mapping[str, Any]]) -> Iterator[Mutant]:
    """The survivors of an earlier run, as far as they still exist and tests run them."""
    for row in rows:
        if row["state"] == "SURVIVED" and (lines.root / row["file"]).exists():
            run = lines.contexts(row["file"])
            places = (s for s in sites(lines.root, row["file"]) if s.function == row["function"] and _is_run(s, run))
            mutants = (make(lines.root, site) for site in places)
            yield from [m for m in mutants if m is not None and m.text == row["change"]][:1]


def _is_run(site: Site, run: Mapping[int, list[str]]) -> bool:
    return (site.runs or site.line) in run
