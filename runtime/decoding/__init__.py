"""Decoding on the host: label sequences from posteriors, and their distance to the reference."""

from __future__ import annotations

from runtime.decoding.ctc import greedy_ctc
from runtime.decoding.edit_distance import edit_distance, label_error_rate

__all__ = ["edit_distance", "greedy_ctc", "label_error_rate"]
