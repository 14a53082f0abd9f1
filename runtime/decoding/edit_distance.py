"""Levenshtein distance and the label error rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["edit_distance", "label_error_rate"]


def edit_distance(hypothesis: Sequence[object], reference: Sequence[object]) -> int:
    """The number of substitutions, insertions and deletions between two label sequences."""
    row = list(range(len(reference) + 1))
    for i, h in enumerate(hypothesis, 1):
        diagonal, row[0] = row[0], i
        for j, r in enumerate(reference, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (h != r))
    return row[-1]


def label_error_rate(pairs: Iterable[tuple[Sequence[int], Sequence[int]]]) -> float:
    """Edit distance of all (hypothesis, reference) pairs by the number of reference labels."""
    errors = labels = 0
    for hypothesis, reference in pairs:
        errors += edit_distance(hypothesis, reference)
        labels += len(reference)
    return errors / labels if labels else 0.0
