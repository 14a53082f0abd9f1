"""A batch: padded arrays of some pieces of sequences."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.datasets.base import Array, Dataset, DataSpec, Sequence
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.ordering import IntArray
from runtime.datasets.pieces import BatchPlan, Piece, SeqInfo

__all__ = ["Batch", "PieceReader", "collate"]


@dataclass(frozen=True)
class Batch:
    """Some sequences, or pieces of sequences, padded with zeros (texts with empty ones) to the longest.

    Attributes:
        data: per key ``[B, T, ...]``.
        sizes: per key and dynamic axis (counted with the batch axis, so 1 is time) the sizes ``[B]``, int64.
        tags: of the sequences, ``[B]``.
        indices: of the sequences in the corpus, ``[B]``.
        num_frames: per key the number of real frames, without padding.
    """

    data: Mapping[str, Array]
    sizes: Mapping[str, Mapping[int, IntArray]]
    tags: tuple[str, ...]
    indices: IntArray
    num_frames: Mapping[str, int]

    @property
    def num_seqs(self) -> int:
        """Batch size: sequences, or pieces of them."""
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
    padded: Array = np.full((len(arrays), *shape), "" if dtype.hasobject else 0, dtype)
    for row, array in enumerate(arrays):
        place: tuple[int | slice, ...] = (row, *(slice(size) for size in array.shape))
        padded[place] = array
    return padded


class PieceReader:
    """Reads what the pieces of an epoch's batches need, a sequence whose pieces follow each other only once."""

    def __init__(self, dataset: Dataset, keys: Collection[str] | None = None) -> None:
        """Nothing is read yet.

        Args:
            dataset: whose epoch was started.
            keys: to read (default: all).
        """
        self._dataset = dataset
        self._keys = dataset.check_keys(keys)
        self._last: tuple[object, Sequence] | None = None

    def load(self, batch: BatchPlan, dtypes: Mapping[str, npt.DTypeLike] | None = None) -> Batch:
        """Read the pieces of a batch and pad them; ``dtypes`` as for ``collate``."""
        return collate([self._cut(piece) for piece in batch.pieces], self._dataset.specs, dtypes)

    def _cut(self, piece: Piece) -> Sequence:
        seq = self._read(piece.seq)
        specs = self._dataset.specs
        data = {
            key: _cut(seq.data[key], *piece.parts[key])
            if key in piece.parts and specs[key].shape[:1] == (None,)
            else seq.data[key]
            for key in self._keys
        }
        return Sequence(seq.tag, seq.index, data)

    def _read(self, seq: Sequence | SeqInfo) -> Sequence:
        if isinstance(seq, Sequence):
            return seq
        if self._last is None or self._last[0] is not seq:
            if not isinstance(self._dataset, IndexedDataset):
                raise TypeError(f"{self._dataset.options.where} has no random access")
            self._last = seq, self._dataset.get_seq(seq.index, self._keys)
        return self._last[1]


def _cut(array: Array, start: int, end: int) -> Array:
    """The frames from ``start`` to ``end``, with zeros for those that the sequence does not have."""
    frames = len(array)
    if start >= 0 and end <= frames:
        return array if end - start == frames else array[start:end]
    before, behind = max(0, min(end, 0) - start), max(0, end - max(start, frames))
    widths = [(before, behind), *[(0, 0)] * (array.ndim - 1)]
    return np.pad(array[max(start, 0) : max(end, 0)], widths)
