"""What is known about past epochs: learning rates, scores, and which score a control looks at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["OLD_FORMAT_KEY", "EpochData", "History", "best_epoch", "error_key", "error_key_value", "relative_change"]

OLD_FORMAT_KEY = "old_format_score"
"""The score key of files from the time when an epoch had just one score, without a name."""


@dataclass(frozen=True)
class EpochData:
    """One epoch's learning rate and results.

    ``scores``: losses and error rates by key (``dev_score``, ``train_error``, ``dev_score_LAYER``), lower is better.
    ``meta``: anything else that the learning-rates file carries, without its ``:meta:`` prefix.
    """

    learning_rate: float
    scores: Mapping[str, float] = field(default_factory=dict)
    meta: Mapping[str, object] = field(default_factory=dict)


History = Mapping[int, EpochData]
"""Epoch (from 1) to its data; may hold future epochs whose learning rate is fixed by ``learning_rates``."""


def error_key(scores: Mapping[str, float], measure: Sequence[str]) -> str | None:
    """The key in ``scores`` that a control looks at, None if there are no scores.

    Search order as in RETURNN: each wanted key and the same with ``_output``; the dev score (``dev_score``,
    ``dev_score_output``, ``dev_score_output/output*``, ``dev_score_output/*``), anything of dev; the train score;
    the first key in alphabetical order.
    """
    if not scores:
        return None
    if set(scores) == {OLD_FORMAT_KEY}:
        return OLD_FORMAT_KEY
    exact = [name for key in measure for name in (key, f"{key}_output")]
    for key in [*exact, "dev_score", "dev_score_output"]:
        if key in scores:
            return key
    ordered = sorted(scores)
    for key in ordered:
        if key == "dev_score_output/output" or key.startswith("dev_score_output/output_"):
            return key
    for prefix in ("dev_score_output/", "dev_"):
        for key in ordered:
            if key.startswith(prefix):
                return key
    for key in ("train_score", "train_score_output"):
        if key in scores:
            return key
    return ordered[0]


def error_key_value(history: History, epoch: int, measure: Sequence[str]) -> tuple[str, float] | None:
    """The watched key and its value in ``epoch``; None where the epoch has no scores."""
    data = history.get(epoch)
    key = error_key(data.scores, measure) if data else None
    return (key, data.scores[key]) if data and key is not None else None


def relative_change(old: float, new: float, *, by_old: bool) -> float:
    """``(new - old) / |new|``, or by ``|old|``. Below zero is an improvement.

    Where the divisor is zero, the limit: no change is 0, otherwise an infinite step in the direction of the change.
    """
    divisor = abs(old) if by_old else abs(new)
    if divisor == 0:
        return 0.0 if new == old else math.copysign(math.inf, new - old)
    return (new - old) / divisor


def best_epoch(history: History, measure: Sequence[str] = (), *, epochs: Sequence[int] | None = None) -> int | None:
    """The epoch with the lowest watched score (the earliest of equals), among ``epochs`` where given.

    Only epochs that have the same key as the newest one are compared; NaN is never the best. None without scores.
    """
    found = [(e, pair) for e in sorted(epochs or history) if (pair := error_key_value(history, e, measure)) is not None]
    if not found:
        return None
    newest_key = found[-1][1][0]
    candidates = [(value, e) for e, (key, value) in found if key == newest_key and not math.isnan(value)]
    return min(candidates)[1] if candidates else None
