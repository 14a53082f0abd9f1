"""Greedy CTC decoding (Graves et al., 2006): the best label per frame, repeats merged, blanks removed."""

from __future__ import annotations

import numpy as np

from compiler.target.protocol import Array

__all__ = ["greedy_ctc"]


def greedy_ctc(posteriors: Array, blank: int | None = None) -> list[int]:
    """Labels of one sequence.

    Args:
        posteriors: [time, labels], probabilities or anything monotonic in them.
        blank: the blank's index; None: the last label.
    """
    if blank is None:
        blank = posteriors.shape[-1] - 1
    best = np.argmax(posteriors, axis=-1)
    starts = np.concatenate([[True], best[1:] != best[:-1]]) if len(best) else np.zeros(0, bool)
    return [int(label) for label in best[starts] if label != blank]
