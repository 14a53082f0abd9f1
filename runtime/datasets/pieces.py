"""The unit of a batch: a sequence, or a piece of one, from a frame to a frame for each data key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        index: in the corpus.
        lengths: frames by key.
    """

    index: int
    lengths: Mapping[str, int]


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
    """Which pieces make a batch, one row each."""

    pieces: tuple[Piece, ...]


def planned_sequences(dataset: IndexedDataset, order: IntArray, keys: tuple[str, ...]) -> Iterator[SeqInfo]:
    """The sequences in this order, with the lengths of ``keys``; nothing is read."""
    columns = [dataset.lengths(key)[order].tolist() for key in keys]
    for index, *lengths in zip(order.tolist(), *columns, strict=True):
        yield SeqInfo(index, dict(zip(keys, lengths, strict=True)))
