"""Batches: which sequences go together, and their padded arrays."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from returnn_ir.errors import DataError, Origin, did_you_mean
from returnn_ir.options import Described, Range, check_options
from runtime.datasets.base import Array, Dataset, DataSpec, Sequence
from runtime.datasets.ordering import IntArray

__all__ = [
    "Batch",
    "BatchLimits",
    "BatchSize",
    "MaxSeqs",
    "SeqFrames",
    "SeqLength",
    "collate",
    "load_batch",
    "make_batches",
]

_log = logging.getLogger(__name__)

_Least1 = Annotated[int, Range(1)] | Annotated[float, Range(1)]
_Least0 = Annotated[int, Range(0)] | Annotated[float, Range(0)]
#: Frames of a batch, at all or by data key.
BatchSize = Annotated[
    _Least1 | Mapping[str, _Least1], Described("a number of at least 1, or a dict from data keys to such numbers")
]
#: Sequences of a batch; -1: any number.
MaxSeqs = Annotated[Annotated[int, Range(1)] | Literal[-1], Described("a positive number, or -1")]
#: Frames of a sequence, or of a batch's padding.
SeqFrames = Annotated[
    _Least0 | Mapping[str, _Least0 | None],
    Described("a number of at least 0, or a dict from data keys to such numbers"),
]
#: The longest sequence; 0 and below have meanings of their own.
SeqLength = Annotated[
    int | float | Mapping[str, int | float | None], Described("a number, or a dict from data keys to such numbers")
]
Limit = int | float | Mapping[str, int | float | None] | None
_FIRST_LOOK = 64  # sequences that the search for a batch's end looks at first


@dataclass(frozen=True)
class Batch:
    """Some sequences, padded with zeros to the longest.

    Attributes:
        data: per key ``[B, T, ...]``.
        sizes: per key and dynamic axis (counted with the batch axis, so 1 is time) the sizes ``[B]``, int64.
        tags: of the sequences, ``[B]``.
        indices: corpus indices, ``[B]``.
        num_frames: per key the number of real frames, without padding.
    """

    data: Mapping[str, Array]
    sizes: Mapping[str, Mapping[int, IntArray]]
    tags: tuple[str, ...]
    indices: IntArray
    num_frames: Mapping[str, int]

    @property
    def num_seqs(self) -> int:
        """Batch size."""
        return len(self.tags)

    def lengths(self, key: str) -> IntArray:
        """Sizes of the time axis, ``[B]``."""
        return self.sizes[key][1]

    def feed(self) -> dict[str, Array]:
        """Flat: ``KEY`` and ``KEY/sizeAXIS``, the names of a compiled program's inputs."""
        flat: dict[str, Array] = dict(self.data)
        for key, axes in self.sizes.items():
            flat.update({f"{key}/size{axis}": sizes for axis, sizes in axes.items()})
        return flat


@dataclass(frozen=True, kw_only=True)
class BatchLimits:
    """What fits into a batch; limits are for all data keys (int) or per key (dict), with RETURNN's meaning.

    Attributes:
        batch_size: frames including padding: number of sequences times the longest length. A sequence that is longer
            makes a batch of its own.
        max_seqs: sequences; None or -1 for no limit.
        max_seq_length: longer sequences are dropped; None or 0 for no limit, negative is a limit for "classes".
        min_seq_length: shorter sequences are dropped.
        max_pad_size: frames of padding; None for no limit.
    """

    batch_size: BatchSize
    max_seqs: MaxSeqs | None = None
    max_seq_length: SeqLength | None = None
    min_seq_length: SeqFrames | None = None
    max_pad_size: SeqFrames | None = None

    def __post_init__(self) -> None:
        """Check values.

        Raises:
            UserError: a limit that is not a number, or below 1 where that means nothing.
        """
        check_options(self, lambda key: Origin(key=key))


def make_batches(dataset: Dataset, order: IntArray, limits: BatchLimits) -> Iterator[IntArray]:
    """Cut an epoch's order into batches, without reading data.

    Args:
        dataset: for the lengths.
        order: corpus indices, see ``Dataset.init_epoch``.
        limits: of a batch.

    Yields:
        Corpus indices of each batch, in the given order.

    Raises:
        DataError: all sequences are too long or too short.
    """
    order = _drop(dataset, order, limits)
    per_key = _per_key(dataset, limits.batch_size, "batch_size")
    padding = _per_key(dataset, limits.max_pad_size, "max_pad_size")
    lengths = {key: dataset.lengths(key)[order] for key in per_key | padding}
    for key, limit in per_key.items():
        too_long = int((lengths[key] > limit).sum())
        if too_long:
            _log.warning(
                "%s: %i sequences have more frames of %r than batch_size %s",
                dataset.options.where,
                too_long,
                key,
                limit,
            )
    max_seqs = len(order) if limits.max_seqs in (None, -1) else int(limits.max_seqs or 0)
    start = 0
    while start < len(order):
        end = _batch_end(start, min(len(order), start + max_seqs), lengths, per_key, padding)
        yield order[start:end]
        start = end


def _batch_end(
    start: int, last: int, lengths: Mapping[str, IntArray], limits: Mapping[str, float], padding: Mapping[str, float]
) -> int:
    """The end of the longest batch from ``start`` that fits; at least one sequence, at most up to ``last``."""
    look = _FIRST_LOOK
    while True:
        stop = min(start + look, last)
        count = np.arange(1, stop - start + 1)
        fits = np.ones(stop - start, dtype=np.bool_)
        for key, limit in limits.items():
            fits &= np.maximum.accumulate(lengths[key][start:stop]) * count <= limit
        for key, limit in padding.items():
            own = lengths[key][start:stop]
            fits &= np.maximum.accumulate(own) * count - np.cumsum(own) <= limit
        fits[0] = True
        if not fits.all():
            return start + int(np.argmin(fits))
        if stop == last:
            return last
        look *= 4


def _drop(dataset: Dataset, order: IntArray, limits: BatchLimits) -> IntArray:
    """The order without sequences that are too long or too short."""
    longest = limits.max_seq_length
    if isinstance(longest, int) and longest < 0:
        longest = {"classes": -longest}
    keep = np.ones(len(order), dtype=np.bool_)
    for key, limit in _per_key(dataset, longest or None, "max_seq_length").items():
        keep &= dataset.lengths(key)[order] <= limit
    for key, limit in _per_key(dataset, limits.min_seq_length or None, "min_seq_length").items():
        keep &= dataset.lengths(key)[order] >= limit
    if not keep.any() and len(order):
        raise DataError(
            "no sequence has an allowed length",
            where=dataset.options.where,
            expected=f"min_seq_length {limits.min_seq_length}, max_seq_length {limits.max_seq_length}",
            received=f"{len(order)} sequences",
        )
    return order[keep]


def _per_key(dataset: Dataset, limit: Limit, name: str) -> dict[str, float]:
    """A limit for each key; keys that the dataset lacks (targets of a forward run) limit nothing."""
    if limit is None:
        return {}
    if not isinstance(limit, Mapping):
        return dict.fromkeys(dataset.specs, limit)
    for key in limit.keys() - dataset.specs.keys():
        hint = did_you_mean(key, dataset.specs)
        _log.warning(
            "%s: no data key %r, so %s does not apply%s", dataset.options.where, key, name, f"; {hint}" if hint else ""
        )
    return {key: value for key, value in limit.items() if key in dataset.specs and value is not None}


def collate(
    seqs: Seq[Sequence], specs: Mapping[str, DataSpec], dtypes: Mapping[str, npt.DTypeLike] | None = None
) -> Batch:
    """Pad sequences to one batch.

    Args:
        seqs: at least one, all with the same keys.
        specs: of these keys.
        dtypes: to convert to, per key (default: as in the dataset).
    """
    data, sizes, num_frames = {}, {}, {}
    for key in seqs[0].data:
        arrays = [seq.data[key] for seq in seqs]
        data[key] = _pad(arrays, np.dtype((dtypes or {}).get(key, specs[key].dtype)))
        dynamic = [axis for axis, size in enumerate(specs[key].shape) if size is None]
        sizes[key] = {axis + 1: np.array([array.shape[axis] for array in arrays], np.int64) for axis in dynamic}
        num_frames[key] = sum(array.shape[0] if array.ndim else 1 for array in arrays)
    indices = np.array([seq.index for seq in seqs], np.int64)
    return Batch(data, sizes, tuple(seq.tag for seq in seqs), indices, num_frames)


def _pad(arrays: Seq[Array], dtype: np.dtype[Any]) -> Array:
    shape = tuple(max(sizes) for sizes in zip(*(array.shape for array in arrays), strict=True))
    padded: Array = np.zeros((len(arrays), *shape), dtype)
    for row, array in enumerate(arrays):
        place: tuple[int | slice, ...] = (row, *(slice(size) for size in array.shape))
        padded[place] = array
    return padded


def load_batch(
    dataset: Dataset,
    indices: Iterable[int],
    keys: Collection[str] | None = None,
    dtypes: Mapping[str, npt.DTypeLike] | None = None,
) -> Batch:
    """Read the sequences of one batch, of them only ``keys``, and pad them."""
    return collate([dataset.get_seq(int(index), keys) for index in indices], dataset.specs, dtypes)
