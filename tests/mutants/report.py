"""What became of the mutants, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.mutants.mutant import Mutant

__all__ = ["Result", "as_json", "progress", "summary"]


@dataclass(frozen=True)
class Result:
    """What became of one mutant.

    Attributes:
        killer: the test that noticed, or the hang or crash; None for a survivor.
        ran: how many tests ran.
        covering: how many there are that run the line.
        verdict: why the change makes no difference, as somebody judged.
        doubtful: the killer fails without the change, too.
    """

    mutant: Mutant
    killer: str | None
    ran: int
    covering: int
    seconds: float
    verdict: str | None = None
    doubtful: bool = False

    @property
    def state(self) -> str:
        """One word for a table."""
        if self.doubtful:
            return "doubtful"
        return "killed" if self.killer else "equivalent" if self.verdict else "SURVIVED"


def progress(result: Result) -> str:
    """One line; of a survivor with its change, so that one need not wait for the end."""
    mutant = result.mutant
    by = f" by {result.killer}" if result.killer else ""
    line = f"{result.state} {mutant.path}:{mutant.line} after {result.ran} of {result.covering} tests{by}"
    return line if result.killer else "\n".join([line, *_diff(mutant)])


def summary(results: Sequence[Result], seed: int) -> Iterator[str]:
    """The survivors and the share that was killed."""
    for state in ("equivalent", "doubtful", "SURVIVED"):
        for result in results:
            if result.state == state:
                yield from _described(result)
    counts = {
        state: sum(r.state == state for r in results) for state in ("killed", "SURVIVED", "equivalent", "doubtful")
    }
    counted = counts["killed"] + counts["SURVIVED"]
    share = f"{100 * counts['killed'] / counted:.1f} %" if counted else "nothing"
    yield ""
    yield (
        f"seed {seed}: {len(results)} mutants, {counts['killed']} killed, {counts['SURVIVED']} survived, "
        f"{counts['equivalent']} make no difference, {counts['doubtful']} doubtful: {share} of those that count killed"
    )


def _described(result: Result) -> Iterator[str]:
    mutant = result.mutant
    yield ""
    place = f"{mutant.path}:{mutant.line} in {mutant.function}"
    yield f"{result.state}: {place}, {result.ran} of {result.covering} tests ran"
    yield from _diff(mutant)
    if result.verdict:
        yield f"  no difference: {result.verdict}"
    if result.doubtful:
        yield f"  {result.killer} fails without the change, too"


def _diff(mutant: Mutant) -> Iterator[str]:
    yield from (f"  - {line}" for line in mutant.before.splitlines())
    yield from (f"  + {line}" for line in mutant.after.splitlines())


def as_json(results: Sequence[Result], seed: int) -> dict[str, Any]:
    """All results, for a later comparison."""
    rows = [
        {
            "file": r.mutant.path,
            "line": r.mutant.line,
            "function": r.mutant.function,
            "change": r.mutant.text,
            "state": r.state,
            "killer": r.killer,
            "ran": r.ran,
            "covering": r.covering,
            "seconds": round(r.seconds, 1),
        }
        for r in results
    ]
    return {"seed": seed, "mutants": rows}
