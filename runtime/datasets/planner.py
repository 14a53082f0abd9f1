"""Plans the batches of an epoch; nothing of an :class:`IndexedDataset` is read for it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from weakref import WeakKeyDictionary

import numpy as np

from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.options import Unset
from runtime.datasets.base import Dataset, Sequence
from runtime.datasets.batch_options import BatchOptions, Limit
from runtime.datasets.batching import make_batches
from runtime.datasets.chunk_function import called_chunks
from runtime.datasets.chunking import Chunks
from runtime.datasets.cutting import chunked, whole, with_context
from runtime.datasets.frame_batches import make_frame_batches
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.ordering import IntArray
from runtime.datasets.pieces import BatchPlan, Piece, SeqInfo, planned_sequences

__all__ = ["EpochPlanner", "plan_epoch"]

_log = logging.getLogger(__name__)
_SHUFFLE_SEED = 1234  # RETURNN's, whenever batches are made


def plan_epoch(
    dataset: Dataset,
    epoch: int,
    options: BatchOptions,
    *,
    keys: Collection[str] | None = None,
    order: IntArray | None = None,
) -> Iterator[BatchPlan]:
    """Start an epoch of a dataset; its batches are planned when they are asked for.

    Args:
        keys: that the network uses, which chunks are made of (default: all).
        order: instead of the epoch's own, of an :class:`IndexedDataset`, by corpus index.

    Raises:
        ConfigError: chunks or context that the dataset cannot have.
        DataError: no sequences, or (later) sequences that cannot be cut, or none that may be in a batch.
    """
    if isinstance(dataset, IndexedDataset):
        started = dataset.init_epoch(epoch)
        return _plan_order(dataset, epoch, options, keys, started if order is None else order)
    return _plan_sequences(dataset, epoch, options, keys, dataset.epoch(epoch))


class EpochPlanner:
    """Plans the epochs of a run, and keeps of one what RETURNN keeps for the next.

    Where the order of a dataset that ``keeps_batches`` has not changed, its batches do not change either: pieces are
    not left out or cut anew at random, but for ``seq_drop_freq``. With ``shuffle_batches`` they come in another order.
    """

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Dataset, _Kept] = WeakKeyDictionary()
        self._random = Random()

    def plan(
        self, dataset: Dataset, epoch: int, options: BatchOptions, *, keys: Collection[str] | None = None
    ) -> Iterator[BatchPlan]:
        """Start an epoch, see :func:`plan_epoch`."""
        if not (isinstance(dataset, IndexedDataset) and dataset.keeps_batches):
            self._random.seed(_SHUFFLE_SEED)
            return plan_epoch(dataset, epoch, options, keys=keys)
        order = dataset.init_epoch(epoch)
        made = _Kept(order, options, frozenset(keys or dataset.specs))
        kept = self._kept.get(dataset)
        if kept is None or kept != made or (options.seq_drop > 0 and epoch % options.seq_drop_freq == 0):
            self._random.seed(_SHUFFLE_SEED)
            self._kept[dataset] = made
            batches = _plan_order(dataset, epoch, options, keys, order)
            return made.recorded(batches) if _is_random(dataset, options) else batches
        if not _is_random(dataset, options):
            return _plan_order(dataset, epoch, options, keys, order)
        again = list(kept.batches)
        if options.shuffle_batches:
            self._random.shuffle(again)
        return iter(again)


@dataclass
class _Kept:
    """The batches of an epoch, and what they were made of; where they are no others in the next one, none are kept."""

    order: IntArray
    options: BatchOptions
    keys: frozenset[str]
    batches: list[BatchPlan] = field(default_factory=list)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Kept)
            and (self.options, self.keys) == (other.options, other.keys)
            and np.array_equal(self.order, other.order)
        )

    def recorded(self, batches: Iterable[BatchPlan]) -> Iterator[BatchPlan]:
        """The batches, which are kept while they are asked for."""
        for batch in batches:
            self.batches.append(batch)
            yield batch


def _is_random(dataset: Dataset, options: BatchOptions) -> bool:
    """Whether the batches of an order may be others in the next epoch."""
    return options.seq_drop > 0 or dataset.options.chunking_variance > 0 or options.shuffle_batches


def _plan_order(
    dataset: IndexedDataset, epoch: int, options: BatchOptions, keys: Collection[str] | None, order: IntArray
) -> Iterator[BatchPlan]:
    sequences = planned_sequences(dataset, order, tuple(dataset.specs))
    return _plan_sequences(dataset, epoch, options, keys, sequences)


def _plan_sequences(
    dataset: Dataset,
    epoch: int,
    options: BatchOptions,
    keys: Collection[str] | None,
    sequences: Iterable[Sequence | SeqInfo],
) -> Iterator[BatchPlan]:
    _check_keys(dataset, options)
    random = Random(dataset.random_seed(epoch))
    keys = dataset.check_keys(keys)
    pieces = _pieces(dataset, sequences, options, keys, random)
    if options.recurrent:
        return make_batches(pieces, options, random, dataset.options.where)
    for key in keys:
        if dataset.specs[key].shape[1:].count(None):
            raise ConfigError(
                f"data {key!r} cannot be in batches of frames: it has more axes of varying size than time",
                where=dataset.options.where,
                hint='a layer {"class": "eval", "eval": "source(0)"} keeps sequences apart, in RETURNN too',
            )
    return make_frame_batches(pieces, options, keys, dataset.options.where)


def _pieces(
    dataset: Dataset,
    sequences: Iterable[Sequence | SeqInfo],
    options: BatchOptions,
    keys: Collection[str],
    random: Random,
) -> Iterator[Piece]:
    rules = dataset.options.piece_rules
    chunking = rules.chunking if isinstance(options.chunking, Unset) else options.chunking
    if isinstance(chunking, Chunks) and options.recurrent and keys:
        pieces = chunked(sequences, chunking, rules, keys, random, dataset.options.where)
    elif callable(chunking):
        pieces = called_chunks(dataset, sequences, chunking, keys, recurrent=options.recurrent, random=random)
    else:
        if chunking is not None:
            _log.info("%s: no chunks, because no layer of the network looks at other frames", dataset.options.where)
        pieces = whole(sequences)
    context = {key: sides for key, sides in rules.context.frames.items() if key in dataset.specs}
    return with_context(pieces, context)


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
    for key, sides in dataset.options.context_window.frames.items():
        if key in dataset.specs or not any(sides):
            continue
        raise ConfigError(
            f"context_window is for data {key!r}, which there is not",
            where=dataset.options.where,
            expected=f"some of {', '.join(dataset.specs)}",
            hint=did_you_mean(key, dataset.specs),
        )
