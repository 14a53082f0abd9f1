"""A batch: padded arrays of some pieces of sequences."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.datasets.base import Array, Dataset, DataSpec, Sequence
from runtime.datasets.ordering import IntArray
from runtime.datasets.pieces import BatchPlan, Piece, SeqInfo

__all__ = ["Batch", "PieceReader", "collate"]


@dataclass(frozen=True, slots=True)
class Span:
    """Where a row of a batch has frames of which sequence.

    Attributes:
        row: of the batch.
        offset: the frame of the row with which it begins.
        tag: of the sequence.
        starts: the frame of the sequence with which it begins, by key.
    """

    row: int
    offset: int
    tag: str
    starts: Mapping[str, int]


@dataclass(frozen=True)
class Batch:
    """Some sequences, or pieces of sequences, padded with zeros to the longest.

    Attributes:
        data: per key ``[B, T, ...]``.
        sizes: per key and dynamic axis (counted with the batch axis, so 1 is time) the sizes ``[B]``, int64.
        tags: of the sequences, ``[B]``.
        indices: of the sequences in the corpus, ``[B]``.
        num_frames: per key the number of real frames, without padding.
        new_seqs: the number of sequences that begin in this batch.
        spans: where the rows come from, if they are pieces; in their order.
    """

    data: Mapping[str, Array]
    sizes: Mapping[str, Mapping[int, IntArray]]
    tags: tuple[str, ...]
    indices: IntArray
    num_frames: Mapping[str, int]
    new_seqs: int = 0
    spans: tuple[Span, ...] = ()

    @property
    def num_seqs(self) -> int:
        """Batch size: sequences, or pieces of them."""
        return len(self.tags)

    def lengths(self, key: str) -> IntArray:
        """Sizes of the time axis, ``[B]``."""
        return self.sizes[key][1]

    @property
    def seq_tags(self) -> tuple[str, ...]:
        """The tags of all sequences that have frames in it, each once."""
        joined = len(self.spans) > len(self.tags)
        return tuple(dict.fromkeys([span.tag for span in self.spans] if joined else self.tags))

    def whose(self, key: str, row: int, frame: int) -> tuple[str, int]:
        """The tag of the sequence that a frame of a row comes from, and which of its frames it is."""
        spans = [span for span in self.spans if span.row == row and span.offset <= frame]
        if not spans:
            return self.tags[row], frame
        return spans[-1].tag, frame - spans[-1].offset + spans[-1].starts.get(key, 0)

    def feed(self) -> dict[str, Array]:
        """Flat: ``KEY`` and ``KEY/sizeAXIS``, the names of a compiled program's inputs."""
        flat: dict[str, Array] = dict(self.data)
        for key, axes in self.sizes.items():
            flat.update({f"{key}/size{axis}": sizes for axis, sizes in axes.items()})
        return flat


def collate(
    seqs: Seq[Sequence],
    specs: Mapping[str, DataSpec],
    dtypes: Mapping[str, npt.DTypeLike] | None = None,
    *,
    least_frames: int = 0,
) -> Batch:
    """Pad sequences to one batch.

    Args:
        seqs: at least one, all with the same keys.
        specs: of these keys.
        dtypes: to convert to, per key (default: as in the dataset).
        least_frames: of the padded arrays, where they have a time axis.
    """
    data, sizes, num_frames = {}, {}, {}
    for key in seqs[0].data:
        arrays = [seq.data[key] for seq in seqs]
        data[key] = _pad(arrays, np.dtype((dtypes or {}).get(key, specs[key].dtype)), least_frames)
        dynamic = [axis for axis, size in enumerate(specs[key].shape) if size is None]
        sizes[key] = {axis + 1: np.array([array.shape[axis] for array in arrays], np.int64) for axis in dynamic}
        num_frames[key] = sum(array.shape[0] if array.ndim else 1 for array in arrays)
    indices = np.array([seq.index for seq in seqs], np.int64)
    return Batch(data, sizes, tuple(seq.tag for seq in seqs), indices, num_frames)


def _pad(arrays: Seq[Array], dtype: np.dtype[Any], least_frames: int) -> Array:
    shape = tuple(max(sizes) for sizes in zip(*(array.shape for array in arrays), strict=True))
    shape = tuple(max(size, least_frames) for size in shape[:1]) + shape[1:]
    padded: Array = np.zeros((len(arrays), *shape), dtype)
    for row, array in enumerate(arrays):
        place: tuple[int | slice, ...] = (row, *(slice(size) for size in array.shape))
        padded[place] = array
    return padded


class PieceReader:
    """Reads what the pieces of an epoch's batches need, a sequence whose pieces follow each other only once."""

    def __init__(
        self, dataset: Dataset, keys: Collection[str] | None = None, *, enforce_min_len1: bool = False
    ) -> None:
        """Nothing is read yet.

        Args:
            dataset: whose epoch was started.
            keys: to read (default: all).
            enforce_min_len1: where all pieces are empty, there is one frame of padding.
        """
        self._least_frames = int(enforce_min_len1)
        self._dataset = dataset
        self._keys = dataset.check_keys(keys)
        self._last: tuple[object, Sequence] | None = None
        self._new_seqs = 0

    def load(self, batch: BatchPlan, dtypes: Mapping[str, npt.DTypeLike] | None = None) -> Batch:
        """Read the pieces of a batch and pad them; ``dtypes`` as for ``collate``."""
        self._new_seqs = 0
        rows = [self._cut(piece) for piece in batch.pieces]
        if batch.offsets is not None:
            rows = [self._joined(rows, batch.offsets)]
        made = collate(rows, self._dataset.specs, dtypes, least_frames=self._least_frames)
        return replace(made, new_seqs=self._new_seqs, spans=_spans(batch))

    def _cut(self, piece: Piece) -> Sequence:
        seq = self._read(piece.seq)
        data = {
            key: _cut(seq.data[key], *piece.parts[key]) if key in piece.parts and self._has_time(key) else seq.data[key]
            for key in self._keys
        }
        return Sequence(seq.tag, seq.index, data)

    def _joined(self, pieces: Seq[Sequence], offsets: Seq[int]) -> Sequence:
        """One row of all frames, zeros between them; the rest is that of the last piece, as in RETURNN."""
        last = pieces[-1]
        data = dict(last.data)
        for key in self._keys:
            if self._has_time(key):
                data[key] = _placed([piece.data[key] for piece in pieces], offsets)
        return Sequence(last.tag, last.index, data)

    def _has_time(self, key: str) -> bool:
        return self._dataset.specs[key].shape[:1] == (None,)

    def _read(self, seq: Sequence | SeqInfo) -> Sequence:
        if self._last is None or self._last[0] is not seq:
            self._last = seq, seq.read(self._keys)
            self._new_seqs += 1
        return self._last[1]


def _spans(batch: BatchPlan) -> tuple[Span, ...]:
    starts = [{key: start for key, (start, _) in piece.parts.items()} for piece in batch.pieces]
    if batch.offsets is not None:
        spans = zip(batch.pieces, batch.offsets, starts, strict=True)
        return tuple(Span(0, offset, piece.seq.tag, first) for piece, offset, first in spans)
    rows = enumerate(zip(batch.pieces, starts, strict=True))
    return tuple(Span(row, 0, piece.seq.tag, first) for row, (piece, first) in rows if any(first.values()))


def _placed(arrays: Seq[Array], offsets: Seq[int]) -> Array:
    """Arrays one behind the other, each from its offset on."""
    ends = [offset + len(array) for array, offset in zip(arrays, offsets, strict=True) if len(array)]
    row: Array = np.zeros((max(ends, default=0), *arrays[0].shape[1:]), arrays[0].dtype)
    for array, offset in zip(arrays, offsets, strict=True):
        row[offset : offset + len(array)] = array
    return row


def _cut(array: Array, start: int, end: int) -> Array:
    """The frames from ``start`` to ``end``, with zeros for those that the sequence does not have."""
    frames = len(array)
    if start >= 0 and end <= frames:
        return array if end - start == frames else array[start:end]
    before, behind = max(0, min(end, 0) - start), max(0, end - max(start, frames))
    widths = [(before, behind), *[(0, 0)] * (array.ndim - 1)]
    return np.pad(array[max(start, 0) : max(end, 0)], widths)
