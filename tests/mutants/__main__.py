"""The command line, see :mod:`tests.mutants`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from tests.mutants import pool
from tests.mutants.child import PACKAGES, Task, preload
from tests.mutants.coverage_map import CoverageMap, measured
from tests.mutants.draw import again, draw
from tests.mutants.mutant import Mutant
from tests.mutants.report import Result, as_json, progress, summary
from tests.mutants.verdicts import equivalents, verdict_of

ROOT = Path(__file__).parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 0 if no mutant survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="change the sources, run the tests")
    parser.add_argument("--count", type=int, default=100, help="how many mutants (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default %(default)s)")
    parser.add_argument(
        "--paths", nargs="+", default=list(PACKAGES), help="folders or files (default: all three packages)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="children beside each other (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=300, help="of tests per mutant (default %(default)s)")
    parser.add_argument("--json", type=Path, help="write the results here")
    parser.add_argument("--again", type=Path, help="run only what survived in these results")
    parser.add_argument("--fresh", action="store_true", help="measure again which test runs which line")
    args = parser.parse_args(argv)
    preload()
    lines = measured(ROOT, args.jobs, args.fresh)
    if args.again:
        mutants = list(again(lines, json.loads(args.again.read_text(encoding="utf-8"))["mutants"]))
    else:
        mutants = list(islice(draw(lines, args.paths, args.seed), args.count))
    results = _without_doubt(_run(lines, mutants, args.jobs, args.seconds), lines)
    print("\n".join(summary(results, args.seed)))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(as_json(results, args.seed), indent=1) + "\n", encoding="utf-8")
    return 1 if any(result.state == "SURVIVED" for result in results) else 0


def _run(lines: CoverageMap, mutants: Sequence[Mutant], jobs: int, budget: float) -> list[Result]:
    verdicts = equivalents()
    tasks = (_task(lines.ranked(mutant.path, mutant.runs), mutant=mutant) for mutant in mutants)
    results = []
    for ended in pool.run_all(tasks, jobs, lines.seconds, budget):
        mutant = ended.task.mutant
        assert mutant is not None
        verdict = verdict_of(mutant, verdicts)
        ran, covering = len(ended.outcomes), len(ended.task.tests)
        results.append(Result(mutant, ended.killer, ran, covering, ended.seconds, verdict))
        print(f"{len(results)}/{len(mutants)} {progress(results[-1])}", flush=True)
    order = {mutant: i for i, mutant in enumerate(mutants)}
    return sorted(results, key=lambda result: order[result.mutant])


def _without_doubt(results: Sequence[Result], lines: CoverageMap) -> list[Result]:
    """Run all killers once without a change: what fails then has killed nothing."""
    killers = {r.killer for r in results if r.killer in lines.seconds}
    if not killers:
        return list(results)
    (control,) = pool.run_all([_task(sorted(killers), keep_going=True)], 1, lines.seconds)
    failing = {test for test in killers if control.outcomes.get(test) != "passed"}
    return [replace(r, doubtful=r.killer in failing) for r in results]


def _task(tests: Iterable[str | None], *, mutant: Mutant | None = None, keep_going: bool = False) -> Task:
    chosen = tuple(test for test in tests if test is not None)
    files = tuple(dict.fromkeys(test.split("::")[0] for test in chosen))
    return Task(ROOT, files, chosen, mutant, keep_going=keep_going)


if __name__ == "__main__":
    sys.exit(main())
