"""Batches for networks that look at each frame alone: one row, frames of all sequences one behind the other."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping

from returnn_ir.errors import ConfigError
from runtime.datasets.batch_options import BatchOptions
from runtime.datasets.pieces import BatchPlan, Piece

__all__ = ["make_frame_batches"]


def make_frame_batches(
    pieces: Iterable[Piece], options: BatchOptions, keys: Collection[str], where: str
) -> Iterator[BatchPlan]:
    """Fill each batch up to ``batch_size`` frames; a sequence may go on in the next one.

    Limits of lengths, of padding, and ``seq_drop`` do not apply, and a batch may have one sequence more than
    ``max_seqs``, all as in RETURNN.

    Args:
        keys: that the network uses.
        where: the dataset, for messages.

    Raises:
        ConfigError: ``batch_size`` says nothing of one of these.
    """
    size = options.batch_size
    for key in keys:
        if isinstance(size, Mapping) and key not in size:
            raise ConfigError(
                f"'batch_size' says nothing of data key {key!r}",
                where=where,
                expected="a number of frames for each key, where no layer of the network looks at other frames",
                received=str(size),
            )
    return _frame_batches(pieces, options)


def _frame_batches(pieces: Iterable[Piece], options: BatchOptions) -> Iterator[BatchPlan]:
    batch = _FrameBatch(options)
    for number, (seq, parts) in _numbered(pieces):
        rest = dict(parts)
        while max((start for start, _ in rest.values()), default=0) < max((end for _, end in rest.values()), default=0):
            counts = batch.room(rest)
            if max(counts.values()) <= 0:  # what is left is of keys that the network does not use
                break
            batch.add(Piece(seq, {key: (start, start + counts[key]) for key, (start, _) in rest.items()}), number)
            rest = {key: (start + counts[key], end) for key, (start, end) in rest.items()}
            if batch.is_full:
                yield batch.plan()
                batch = _FrameBatch(options)
    if batch.has_frames:
        yield batch.plan()


def _numbered(pieces: Iterable[Piece]) -> Iterator[tuple[int, Piece]]:
    """Each piece with the number of its sequence in the epoch."""
    number, last = -1, None
    for piece in pieces:
        number += piece.seq is not last
        last = piece.seq
        yield number, piece


class _FrameBatch:
    """A row that grows. Pieces begin behind the longest key of what is there, so that the keys stay in step."""

    def __init__(self, options: BatchOptions) -> None:
        self._options = options
        self._pieces: list[Piece] = []
        self._offsets: list[int] = []
        self._frames: dict[str, int] = {}
        self._length = 0
        self._numbers: list[int] = []

    def room(self, parts: Mapping[str, tuple[int, int]]) -> dict[str, int]:
        """How many frames of these parts there is room for, by key; of keys without a limit for none, as in RETURNN."""
        free = {key: (self._limit(key) or 0) - self._frames.get(key, self._length) for key in parts}
        return {key: min(end - start, free[key]) for key, (start, end) in parts.items()}

    def add(self, piece: Piece, number: int) -> None:
        """Append a piece of the sequence with this number."""
        self._pieces.append(piece)
        self._offsets.append(self._length)
        self._frames = {key: self._length + end - start for key, (start, end) in piece.parts.items()}
        self._length = max(self._length, *self._frames.values())
        self._numbers.append(number)

    @property
    def is_full(self) -> bool:
        """Whether it has as many frames, or more sequences, than it may have."""
        limits = {key: self._limit(key) for key in self._frames}
        full = any(limit is not None and self._frames[key] >= limit for key, limit in limits.items())
        most = self._options.max_seqs
        return full or (most not in (None, -1) and self._numbers[-1] - self._numbers[0] + 1 > most)

    @property
    def has_frames(self) -> bool:
        """Whether there are any."""
        return self._length > 0

    def plan(self) -> BatchPlan:
        """The batch as it is."""
        return BatchPlan(tuple(self._pieces), tuple(self._offsets))

    def _limit(self, key: str) -> int | None:
        size = self._options.batch_size
        limit = size.get(key) if isinstance(size, Mapping) else size
        return None if limit is None else int(min(limit, sys.maxsize))
