"""Decoding on the host: label sequences from posteriors, and their distance to the reference."""

from __future__ import annotations

from runtime.decoding.ctc import greedy_ctc
from runtime.decoding.edit_distance import edit_distance, label_error_rate
from runtime.decoding.hypotheses import Hypothesis, nbest_lists
from runtime.decoding.vocabulary import Vocabulary

__all__ = ["Hypothesis", "Vocabulary", "edit_distance", "greedy_ctc", "label_error_rate", "nbest_lists"]
