"""Counts per outcome and per cause."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tests.published import against_returnn, changes, runnable
from tests.published.examine import ACCEPTED, OUTCOMES, Outcome

__all__ = ["against_table", "change_table", "normalized", "run_summary", "summary"]

_LONGEST = 160
#: Processor seconds behind which a check is listed.
_SLOW = 2.0
#: Quoted names, bracketed lists and numbers are what the same cause differs in from config to config.
_NAMES = (
    (re.compile(r"\"[^\"]*\"|(?<!\w)'[^']*'"), "'..'"),
    (re.compile(r"\[[^\[\]]*\]"), "[..]"),
    (re.compile(r"[\w.-]*/[\w./-]+"), ".."),
    (re.compile(r"\d+"), "N"),
)


class _Caused(Protocol):
    """What has an outcome and its cause."""

    @property
    def outcome(self) -> str: ...
    @property
    def cause(self) -> str: ...
    @property
    def seconds(self) -> dict[str, float]: ...


def normalized(cause: str) -> str:
    """A cause with its names and numbers replaced, cut to one line."""
    text = " ".join(cause.split())
    for pattern, replacement in _NAMES:
        text = pattern.sub(replacement, text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def summary(outcomes: Sequence[Outcome], causes: int) -> list[str]:
    """Lines: a table of what became of them, the processor's time, and the causes of every other outcome."""
    counts = Counter(o.outcome for o in outcomes)
    searches = [o for o in outcomes if o.searches]
    among = Counter(o.outcome for o in searches)
    accepted = sum(counts[name] for name in ACCEPTED)
    lines = [
        f"accepted by the check: {accepted} of {len(outcomes)}",
        f"    of those with a search: {sum(among[name] for name in ACCEPTED)} of {len(searches)}",
        "",
        "| outcome | configs | with a search |",
        "|---|---:|---:|",
        *(f"| {name} | {counts[name]} | {among[name]} |" for name in OUTCOMES if counts[name]),
    ]
    return [*lines, "", *_check_seconds(outcomes), _seconds(outcomes), *_causes(outcomes, OUTCOMES, causes)]


def _check_seconds(outcomes: Sequence[Outcome]) -> list[str]:
    """How long a check takes, by processor time, and which ones take the longest."""
    taken = sorted(o.check_seconds for o in outcomes)
    if not taken:
        return []
    shares = ", ".join(
        f"{share} % in {taken[math.ceil(share / 100 * len(taken)) - 1]:.2f}" for share in (50, 90, 95, 99)
    )
    lines = [f"processor seconds of a check: {shares}, all in {taken[-1]:.2f}"]
    slow = sorted((o for o in outcomes if o.check_seconds > _SLOW), key=lambda o: -o.check_seconds)
    return lines + [f"    {o.check_seconds:.2f}  {o.config}" for o in slow]


def run_summary(outcomes: Sequence[runnable.RunOutcome], causes: int) -> list[str]:
    """Lines: how many were found, loaded and run, and why each other one does not run."""
    counts = Counter(o.outcome for o in outcomes)
    return [
        f"configs found: {len(outcomes)}",
        f"loaded: {len(outcomes) - counts['not loaded']}",
        *(f"{outcome}: {counts[outcome]}" for outcome in runnable.OUTCOMES),
        f"networks constructed: {sum(o.networks for o in outcomes)}",
        f"batches planned: {sum(o.batches for o in outcomes)}",
        _seconds(outcomes),
        *_causes(outcomes, runnable.OUTCOMES, causes),
    ]


def change_table(outcomes: Sequence[changes.ChangeOutcome], checkout: Path) -> list[str]:
    """Lines of a table: each config whose network changes, the epochs, parameters, scores and seconds."""
    lines = [
        "| config | epochs | change | parameters taken over | anew | training scores | seconds | outcome |",
        "|---" * 8 + "|",
    ]
    for found in outcomes:
        if found.outcome in ("not loaded", "no change"):
            continue
        name = str(Path(found.config).relative_to(checkout))
        scores = " → ".join(f"{_score(one):.4g}" for one in found.scores)
        outcome = f"{found.outcome}: {normalized(found.cause)}" if found.cause else found.outcome
        epochs = ", ".join(map(str, found.epochs))
        cells = (name, epochs, found.change, found.taken_over, found.anew, scores, f"{found.seconds:.0f}", outcome)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    counts = Counter(o.outcome for o in outcomes)
    return [*lines, "", *(f"{outcome}: {counts[outcome]}" for outcome in changes.OUTCOMES)]


def against_table(outcomes: Sequence[against_returnn.AgainstReturnn], checkout: Path) -> list[str]:
    """Lines of a table: each config that RETURNN computes, what was compared, and the largest differences."""
    lines = [
        "| config | widths | parameters | compared | largest difference | score | seconds | outcome |",
        "|---" * 8 + "|",
    ]
    for found in outcomes:
        if found.compared or found.outcome == "died":
            name = str(Path(found.config).relative_to(checkout))
            compared = ", ".join(f"{key} {number}" for key, number in found.compared.items())
            largest = ", ".join(f"{value:.1e}" for value in found.largest.values())
            score = f"{_score(found.scores):.4g}" if found.scores else ""
            outcome = f"{found.outcome}: {normalized(found.cause)}" if found.cause else found.outcome
            widths = f"1/{found.narrow}" if found.narrow > 1 else "1"
            seconds = f"{found.seconds:.0f}"
            cells = (name, widths, f"{found.parameters:,}", compared, largest, score, seconds, outcome)
            lines.append(f"| {' | '.join(cells)} |")
    counts = Counter(o.outcome for o in outcomes)
    lines += ["", *(f"{outcome}: {counts[outcome]}" for outcome in against_returnn.OUTCOMES)]
    others = [o for o in outcomes if not o.compared]
    return [*lines, "", *(f"{Path(o.config).relative_to(checkout)}: {o.outcome}: {o.cause}" for o in others)]


def _score(scores: Mapping[str, float]) -> float:
    return sum(value for name, value in scores.items() if name.startswith("train_score"))


def _seconds(outcomes: Sequence[_Caused]) -> str:
    steps = sorted({step for o in outcomes for step in o.seconds})
    total = {step: sum(o.seconds.get(step, 0.0) for o in outcomes) for step in steps}
    return "seconds by step: " + ", ".join(f"{step} {total[step]:.0f}" for step in steps)


def _causes(outcomes: Sequence[_Caused], names: Sequence[str], causes: int) -> list[str]:
    lines = []
    for outcome in names:
        found = Counter(normalized(o.cause) for o in outcomes if o.outcome == outcome and o.cause)
        if found:
            lines += ["", f"{outcome}:", *(f"{n:5}  {text}" for text, n in found.most_common(causes))]
    return lines
