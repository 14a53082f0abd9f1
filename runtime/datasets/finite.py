"""Finding NaN and infinity in a batch, to name the sequence they came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from returnn_ir.errors import DataError
from runtime.datasets.batch import Batch

__all__ = ["NonFinite", "check_finite", "find_non_finite"]


@dataclass(frozen=True)
class NonFinite:
    """The first entry of one sequence and key that is NaN or infinite.

    Attributes:
        tag: of the sequence.
        key: of the data.
        frame: from 0.
        position: in the frame, empty where a frame is one number.
        value: nan, inf or -inf.
        count: of such entries in this sequence and key.
    """

    tag: str
    key: str
    frame: int
    position: tuple[int, ...]
    value: float
    count: int

    def __str__(self) -> str:
        place = f", feature {', '.join(map(str, self.position))}" if self.position else ""
        more = f" ({self.count} such values in the sequence)" if self.count > 1 else ""
        return f"sequence {self.tag!r}, key {self.key!r}, frame {self.frame}{place}: {self.value}{more}"


def find_non_finite(batch: Batch) -> Iterator[NonFinite]:
    """Each sequence and key of the batch with an entry that is not finite; padding is zero and so never found."""
    for key, padded in batch.data.items():
        if not np.issubdtype(padded.dtype, np.inexact):
            continue
        bad = ~np.isfinite(padded)
        for row in np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1)):
            places = np.argwhere(np.atleast_1d(bad[row]))
            first = tuple(places[0].tolist())
            value = float(np.atleast_1d(padded[row])[first].real)
            tag, frame = batch.whose(key, int(row), first[0])
            yield NonFinite(tag, key, frame, first[1:], value, len(places))


def check_finite(batch: Batch, where: str | None = None) -> None:
    """Raise a DataError that names the first sequence, key and frame with NaN or infinity."""
    for found in find_non_finite(batch):
        raise DataError(
            f"the data is not finite: {found}",
            where=where,
            expected="finite numbers",
            hint="correct or drop the sequence",
        )
