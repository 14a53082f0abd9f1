"""Which pieces of sequences make a batch."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from returnn_ir.errors import DataError, did_you_mean
from runtime.datasets.base import Dataset, Sequence
from runtime.datasets.batch_options import BatchOptions, Limit
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.ordering import IntArray
from runtime.datasets.pieces import BatchPlan, Piece, SeqInfo, planned_sequences

__all__ = ["make_batches", "plan_epoch"]

_log = logging.getLogger(__name__)


def plan_epoch(
    dataset: Dataset, epoch: int, options: BatchOptions, *, order: IntArray | None = None
) -> Iterator[BatchPlan]:
    """Start an epoch of a dataset; its batches are planned when they are asked for.

    Args:
        order: instead of the epoch's own, of an :class:`IndexedDataset`, by corpus index.

    Raises:
        DataError: no sequences, or (later) all are too long or too short.
    """
    _check_keys(dataset, options)
    return make_batches(_pieces(_sequences(dataset, epoch, order)), options, dataset.options.where)


def _sequences(dataset: Dataset, epoch: int, order: IntArray | None) -> Iterator[Sequence | SeqInfo]:
    if not isinstance(dataset, IndexedDataset):
        return dataset.epoch(epoch)
    started = dataset.init_epoch(epoch)
    return planned_sequences(dataset, started if order is None else order, tuple(dataset.specs))


def _pieces(sequences: Iterable[Sequence | SeqInfo]) -> Iterator[Piece]:
    return (Piece(seq, {key: (0, length) for key, length in seq.lengths.items()}) for seq in sequences)


def make_batches(pieces: Iterable[Piece], options: BatchOptions, where: str) -> Iterator[BatchPlan]:
    """Put pieces into batches, in their order.

    Args:
        where: the dataset, for messages.

    Raises:
        DataError: all pieces are too long or too short.
    """
    batch: _Batch | None = None
    dropped, too_long = 0, Counter[str]()
    for piece in pieces:
        lengths = {key: end - start for key, (start, end) in piece.parts.items()}
        if not _allowed(lengths, options):
            dropped += 1
            continue
        too_long.update(key for key, length, limit in _limited(lengths, options.batch_size) if length > limit)
        if batch is None or not batch.add(piece, lengths):
            if batch is not None:
                yield batch.plan()
            batch = _Batch(options, piece, lengths)
    if batch is not None:
        yield batch.plan()
    elif dropped:
        raise DataError(
            "no sequence has an allowed length",
            where=where,
            expected=f"min_seq_length {options.min_seq_length}, max_seq_length {options.max_seq_length}",
            received=f"{dropped} sequences",
        )
    for key, count in too_long.items():
        _, _, limit = _limited({key: 0}, options.batch_size)[0]
        _log.warning("%s: %i sequences have more frames of %r than batch_size %s", where, count, key, limit)


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
        frames = {key: length + self._frames.get(key, 0) for key, length in lengths.items()}
        padding = {key: length * count - frames[key] for key, length in longest.items()}
        if any(length > limit for _, length, limit in _limited(padding, options.max_pad_size)):
            return False
        self._pieces.append(piece)
        self._longest.update(longest)
        self._frames.update(frames)
        return True

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


def _check_keys(dataset: Dataset, options: BatchOptions) -> None:
    """Limits of keys that the dataset does not have (targets of a forward run) limit nothing."""
    for name in ("batch_size", "max_seq_length", "min_seq_length", "max_pad_size"):
        limit: Limit = getattr(options, name)
        for key in limit.keys() - dataset.specs.keys() if isinstance(limit, Mapping) else ():
            hint = did_you_mean(key, dataset.specs)
            _log.warning(
                "%s: no data key %r, so %s does not apply%s",
                dataset.options.where, key, name, f"; {hint}" if hint else "",
            )  # fmt: skip
