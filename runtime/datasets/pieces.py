"""The unit of a batch: a sequence, or a piece of one, from a frame to a frame for each data key."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from runtime.datasets.base import Sequence
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.ordering import IntArray

__all__ = ["BatchPlan", "Piece", "SeqInfo", "planned_sequences"]


@dataclass(frozen=True, slots=True)
class SeqInfo:
    """What is known of a sequence of an :class:`IndexedDataset` that is not read yet.

    Attributes:
        dataset: it has the sequence.
        index: in the corpus.
        lengths: frames by key.
    """

    dataset: IndexedDataset
    index: int
    lengths: Mapping[str, int]

    @property
    def tag(self) -> str:
        """Its tag."""
        return self.dataset.tag(self.index)

    def read(self, keys: Collection[str]) -> Sequence:
        """The sequence, of it only ``keys``."""
        return self.dataset.get_seq(self.index, keys)


class Piece(NamedTuple):
    """A part of a sequence.

    Attributes:
        seq: read already, or planned.
        parts: (start, end) by key, in frames; outside of the sequence, where a piece has context, are zeros. A key that
            is not in here is taken whole.
    """

    seq: Sequence | SeqInfo
    parts: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Which pieces make a batch.

    Attributes:
        offsets: the frame at which each piece begins, if they are in one row; None: each has a row.
    """

    pieces: tuple[Piece, ...]
    offsets: tuple[int, ...] | None = None


def planned_sequences(dataset: IndexedDataset, order: IntArray, keys: tuple[str, ...]) -> Iterator[SeqInfo]:
    """The sequences in this order, with the lengths of ``keys``; nothing is read."""
    columns = [dataset.lengths(key)[order].tolist() for key in keys]
    for index, *lengths in zip(order.tolist(), *columns, strict=True):
        yield SeqInfo(dataset, index, dict(zip(keys, lengths, strict=True)))
