"""Which pieces of sequences make a batch: RETURNN's rules."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from random import Random

from returnn_ir.errors import DataError
from runtime.datasets.batch_options import BatchOptions, Limit
from runtime.datasets.pieces import BatchPlan, Piece

__all__ = ["make_batches"]

_log = logging.getLogger(__name__)


def make_batches(pieces: Iterable[Piece], options: BatchOptions, random: Random, where: str) -> Iterator[BatchPlan]:
    """Put pieces into batches, one row each, in their order.

    Args:
        random: of the epoch, for ``seq_drop``.
        where: the dataset, for messages.

    Raises:
        DataError: nothing is left: all pieces are too long or too short, left out, or empty.
    """
    batch: _Batch | None = None
    dropped, too_long = Counter[str](), Counter[str]()
    for piece in pieces:
        lengths = {key: end - start for key, (start, end) in piece.parts.items()}
        if not _allowed(lengths, options):
            dropped["length"] += 1
            continue
        for key, length, limit in _limited(lengths, options.batch_size):
            too_long[key] += length > limit
        if random.random() < options.seq_drop:  # drawn for every piece, like in RETURNN
            dropped["seq_drop"] += 1
            continue
        if batch is None or not batch.add(piece, lengths):
            if batch is not None:
                yield batch.plan()
            batch = _Batch(options, piece, lengths)
    if batch is not None and (batch.has_frames or options.keep_empty):
        yield batch.plan()
    elif batch is None and dropped:
        raise _nothing_left(dropped, options, where)
    for key, count in (+too_long).items():  # those above 0
        _, _, limit = _limited({key: 0}, options.batch_size)[0]
        _log.warning("%s: %i sequences have more frames of %r than batch_size %s", where, count, key, limit)


def _nothing_left(dropped: Mapping[str, int], options: BatchOptions, where: str) -> DataError:
    if dropped["seq_drop"]:
        expected = f"a seq_drop that leaves some of {dropped['seq_drop']} sequences"
        return DataError("every sequence is left out", where=where, expected=expected, received=options.seq_drop)
    return DataError(
        "no sequence has an allowed length",
        where=where,
        expected=f"min_seq_length {options.min_seq_length}, max_seq_length {options.max_seq_length}",
        received=f"{dropped['length']} sequences",
    )


class _Batch:
    """A batch that grows, with the longest lengths and the sums of them."""

    def __init__(self, options: BatchOptions, piece: Piece, lengths: Mapping[str, int]) -> None:
        """With its first piece, however long that is."""
        self._options = options
        self._pieces = [piece]
        self._longest = dict(lengths)
        self._frames = dict(lengths)

    def add(self, piece: Piece, lengths: Mapping[str, int]) -> bool:
        """Add a piece, if it fits."""
        options, count = self._options, len(self._pieces) + 1
        if options.max_seqs not in (None, -1) and count > options.max_seqs:
            return False
        longest = {key: max(length, self._longest.get(key, 0)) for key, length in lengths.items()}
        if any(length * count > limit for _, length, limit in _limited(longest, options.batch_size)):
            return False
        if options.max_pad_size is not None:
            frames = {key: length + self._frames.get(key, 0) for key, length in lengths.items()}
            padding = {key: length * count - frames[key] for key, length in longest.items()}
            if any(length > limit for _, length, limit in _limited(padding, options.max_pad_size)):
                return False
            self._frames.update(frames)
        self._pieces.append(piece)
        self._longest.update(longest)
        return True

    @property
    def has_frames(self) -> bool:
        """Whether any sequence has one; RETURNN leaves a last batch without any out."""
        return any(self._longest.values())

    def plan(self) -> BatchPlan:
        """The batch as it is."""
        return BatchPlan(tuple(self._pieces))


def _allowed(lengths: Mapping[str, int], options: BatchOptions) -> bool:
    longest = options.max_seq_length or None  # 0 is no limit
    if isinstance(longest, int) and longest < 0:
        longest = {"classes": -longest}
    return not any(length > limit for _, length, limit in _limited(lengths, longest)) and not any(
        length < limit for _, length, limit in _limited(lengths, options.min_seq_length)
    )


def _limited(lengths: Mapping[str, int], limit: Limit) -> list[tuple[str, int, float]]:
    """(key, length, limit) of each key that has a limit."""
    if limit is None:
        return []
    if isinstance(limit, Mapping):
        return [(key, lengths[key], value) for key, value in limit.items() if value is not None and key in lengths]
    return [(key, length, limit) for key, length in lengths.items()]
