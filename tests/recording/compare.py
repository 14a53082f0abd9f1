"""What differs between two recordings of a case. Nothing here needs RETURNN."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.recording.draw import Array

__all__ = ["ATOL", "GRADIENT_RTOL", "RTOL", "UNUSED_SCORE", "differences", "identical"]

#: float32 on another machine: another order of summation.
RTOL, ATOL = 1e-4, 1e-5
#: Of the largest entry of a gradient.
GRADIENT_RTOL = 1e-3
#: Scores of places in a beam that are not used are below this.
UNUSED_SCORE = -1e20


def identical(recorded: Mapping[str, Array], again: Mapping[str, Array]) -> bool:
    """Whether all arrays are the same to the last bit; versions in ``meta`` may differ."""
    keys = [key for key in recorded if key != "meta"]
    same_keys = set(recorded) == set(again)
    return same_keys and all(_equal(recorded[key], again[key]) for key in keys) and not differences(recorded, again)


def _equal(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def differences(recorded: Mapping[str, Array], again: Mapping[str, Array]) -> list[str]:
    """One line for each key that is missing, new, or has other values."""
    lines = [f"{key}: not recorded again" for key in recorded if key not in again]
    lines += [f"{key}: not in the file" for key in again if key not in recorded]
    for key in recorded:
        if key in again:
            lines += _meta(recorded[key], again[key]) if key == "meta" else _values(key, recorded[key], again[key])
    return lines


def _meta(recorded: Array, again: Array) -> list[str]:
    """Differences of how it was run, of the axes, and of what is trained."""
    old, new = json.loads(str(recorded)), json.loads(str(again))
    lines = [
        f"meta/{part}: {new[part]}, in the file {old[part]}" for part in ("case", "trainable") if old[part] != new[part]
    ]
    for layer in sorted(set(old["layers"]) & set(new["layers"])):
        was, now = old["layers"][layer], new["layers"][layer]
        lines += [f"meta/layers/{layer}/{k}: {now.get(k)}, in the file {was[k]}" for k in was if was[k] != now.get(k)]
    return lines


def _values(key: str, recorded: Array, again: Array) -> list[str]:
    if recorded.shape != again.shape or recorded.dtype != again.dtype:
        return [f"{key}: {again.dtype}{again.shape}, in the file {recorded.dtype}{recorded.shape}"]
    if recorded.dtype.kind not in "fc":
        wrong = int(np.sum(recorded != again))
        return [f"{key}: {wrong} of {recorded.size} entries differ"] if wrong else []
    wrong_entries = ~_close(key, recorded, again)
    if not wrong_entries.any():
        return []
    with np.errstate(invalid="ignore"):
        largest = float(np.nanmax(np.abs(recorded - again), initial=0.0))
    return [f"{key}: {int(wrong_entries.sum())} of {recorded.size} entries differ, by up to {largest:.3g}"]


def _close(key: str, recorded: Array, again: Array) -> Any:
    if key.startswith("grad/"):
        largest = float(np.max(np.abs(recorded), initial=0.0))
        return np.isclose(again, recorded, 0.0, ATOL + GRADIENT_RTOL * largest, equal_nan=True)
    close = np.isclose(again, recorded, RTOL, ATOL, equal_nan=True)
    if key.endswith("/beam_scores"):
        close |= (recorded < UNUSED_SCORE) & (again < UNUSED_SCORE)
    return close
