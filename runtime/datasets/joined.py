"""Several corpora as one, one behind the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence as Seq

import numpy as np

from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.options import DatasetOptions
from runtime.datasets.ordering import IntArray

__all__ = ["JoinedDataset"]


class JoinedDataset(IndexedDataset):
    """The sequences of several datasets, whose numbers go on; a subclass says what is read of them.

    Attributes:
        parts: the datasets.
    """

    def __init__(self, options: DatasetOptions, parts: Seq[IndexedDataset]) -> None:
        super().__init__(options)
        self.parts = tuple(parts)
        self._starts = np.cumsum([0, *(part.num_seqs for part in parts)]).tolist()

    @property
    def num_seqs(self) -> int:
        """Sequences of all datasets."""
        return int(self._starts[-1])

    def start_epoch(self, epoch: int) -> None:
        """Start it in all datasets."""
        super().start_epoch(epoch)
        for part in self.parts:
            part.start_epoch(epoch)

    def part_orders(self, epoch: int) -> list[IntArray]:
        """Start an epoch in each dataset; their orders, as numbers of the whole."""
        super().start_epoch(epoch)
        return [part.init_epoch(epoch) + start for part, start in zip(self.parts, self._starts[:-1], strict=True)]

    def locate(self, index: int) -> tuple[int, int]:
        """Number of the dataset that has a sequence, and the sequence's number in it."""
        if not 0 <= index < self.num_seqs:
            raise IndexError(f"sequence {index} of {self.num_seqs}")
        number = bisect_right(self._starts, index) - 1
        return number, index - self._starts[number]

    def tag(self, index: int) -> str:
        """Tag in its dataset."""
        number, own = self.locate(index)
        return self.parts[number].tag(own)

    def all_tags(self) -> list[str]:
        """Tags of all datasets."""
        return [tag for part in self.parts for tag in part.all_tags()]

    def order_lengths(self) -> IntArray:
        """What each dataset sorts by."""
        return np.concatenate([part.order_lengths() for part in self.parts])

    def close(self) -> None:
        """Close all datasets."""
        for part in self.parts:
            part.close()
