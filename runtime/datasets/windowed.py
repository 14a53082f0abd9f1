"""``window`` of a dataset: each frame of "data" together with its neighbours, as one frame with more features."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from returnn_ir.errors import ConfigError
from runtime.datasets.base import Array, Dataset, DataSpec, Sequence
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.ordering import IntArray

__all__ = ["windowed"]

_KEY = "data"


def windowed(dataset: Dataset) -> Dataset:
    """The dataset as it is without its option ``window``, or around it one that joins frames.

    An even window has one frame more, as in RETURNN, and beyond a sequence's borders are zeros.

    Raises:
        ConfigError: the class of dataset has no windows, or "data" is not a sequence of vectors.
    """
    window = dataset.options.window
    if window <= 1:
        return dataset
    spec = dataset.specs.get(_KEY)
    where = dataset.options.where
    if not dataset.has_windows:
        raise ConfigError(
            f"{type(dataset).__name__} has no 'window'",
            where=where,
            expected="1",
            received=window,
            hint="a layer of class 'window' in the network does the same",
        )
    if spec is None or spec.sparse or spec.dim is None or spec.ndim != 2:
        raise ConfigError(f"window = {window} needs data {_KEY!r} that are vectors", where=where, received=spec)
    size = window + 1 - window % 2
    return _IndexedWindows(dataset, size) if isinstance(dataset, IndexedDataset) else _Windows(dataset, size)


def _spec(specs: Mapping[str, DataSpec], size: int) -> Mapping[str, DataSpec]:
    """With as many features as the frames of a window have."""
    spec = specs[_KEY]
    features = (spec.dim or 0) * size
    dtype = np.promote_types(spec.dtype, np.float32).name
    return {**specs, _KEY: replace(spec, shape=(None, features), dim=features, dtype=dtype, labels=None)}


def _joined(seq: Sequence, size: int) -> Sequence:
    if _KEY not in seq.data:
        return seq
    frames = seq.data[_KEY]
    padded = np.pad(frames.astype(np.promote_types(frames.dtype, np.float32)), [(size // 2, size // 2), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=0)  # [time, features, window]
    data: Array = windows.transpose(0, 2, 1).reshape(len(frames), -1)
    return replace(seq, data={**seq.data, _KEY: data})


class _Windows(Dataset):
    """Around a stream of sequences."""

    def __init__(self, dataset: Dataset, size: int) -> None:
        super().__init__(dataset.options)
        self._dataset, self._size = dataset, size
        self._specs = _spec(dataset.specs, size)

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        return self._specs

    def epoch(self, epoch: int, keys: Collection[str] | None = None) -> Iterator[Sequence]:
        return (_joined(seq, self._size) for seq in self._dataset.epoch(epoch, keys))

    def epoch_size(self, epoch: int) -> int | None:
        return self._dataset.epoch_size(epoch)

    def close(self) -> None:
        self._dataset.close()


class _IndexedWindows(IndexedDataset):
    """Around a dataset with random access."""

    def __init__(self, dataset: IndexedDataset, size: int) -> None:
        super().__init__(dataset.options)
        self._dataset, self._size = dataset, size
        self._specs = _spec(dataset.specs, size)
        self.keeps_batches = dataset.keeps_batches

    @property
    def num_seqs(self) -> int:
        return self._dataset.num_seqs

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        return self._specs

    def lengths(self, key: str) -> IntArray:
        return self._dataset.lengths(key)

    def tag(self, index: int) -> str:
        return self._dataset.tag(index)

    def all_tags(self) -> list[str]:
        return self._dataset.all_tags()

    def by_tag(self, tag: str) -> int:
        return self._dataset.by_tag(tag)

    def order_lengths(self) -> IntArray:
        return self._dataset.order_lengths()

    def init_epoch(self, epoch: int) -> IntArray:
        return self._dataset.init_epoch(epoch)

    def epoch_size(self, epoch: int) -> int | None:
        return self._dataset.epoch_size(epoch)

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        return _joined(self._dataset.get_seq(index, keys), self._size)

    def close(self) -> None:
        self._dataset.close()
