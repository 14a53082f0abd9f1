"""Counts per outcome and per cause."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tests.published.examine import OUTCOMES, Outcome

__all__ = ["normalized", "summary"]

_LONGEST = 160
#: Quoted names, bracketed lists and numbers are what the same cause differs in from config to config.
_NAMES = (
    (re.compile(r"\"[^\"]*\"|'[^']*'"), "'..'"),
    (re.compile(r"\[[^\[\]]*\]"), "[..]"),
    (re.compile(r"[\w.-]*/[\w./-]+"), ".."),
    (re.compile(r"\d+"), "N"),
)


def normalized(cause: str) -> str:
    """A cause with its names and numbers replaced, cut to one line."""
    text = " ".join(cause.split())
    for pattern, replacement in _NAMES:
        text = pattern.sub(replacement, text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def summary(outcomes: Sequence[Outcome], causes: int) -> list[str]:
    """Lines: how many were found, loaded, accepted and lowered, and the most frequent causes of every other outcome."""
    counts = Counter(o.outcome for o in outcomes)
    accepted = [o for o in outcomes if o.outcome in OUTCOMES[OUTCOMES.index("died in a pass") :]]
    lines = [
        f"configs found: {len(outcomes)}",
        f"loaded: {len(outcomes) - counts['not loaded']}",
        f"accepted by the check: {len(accepted)}, with a search: {sum(o.searches for o in accepted)}",
        *(f"{outcome}: {counts[outcome]}" for outcome in OUTCOMES),
    ]
    steps = sorted({step for o in outcomes for step in o.seconds})
    total = {step: sum(o.seconds.get(step, 0.0) for o in outcomes) for step in steps}
    lines.append("seconds: " + ", ".join(f"{step} {total[step]:.0f}" for step in steps))
    for outcome in OUTCOMES:
        found = Counter(normalized(o.cause) for o in outcomes if o.outcome == outcome and o.cause)
        if found:
            lines += ["", f"{outcome}:", *(f"{n:5}  {text}" for text, n in found.most_common(causes))]
    return lines
