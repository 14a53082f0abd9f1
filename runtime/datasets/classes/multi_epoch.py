"""Several epochs of a dataset as one: RETURNN's MultiEpochDataset."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Any

import numpy as np

from returnn_ir.options import Size
from runtime.datasets.base import Dataset, DataSpec, Sequence
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.nested import ORDER_OPTIONS, open_inner
from runtime.datasets.options import DatasetOptions, refuse_without_effect
from runtime.datasets.ordering import IntArray
from runtime.datasets.registry import dataset

__all__ = ["MultiEpochDataset", "MultiEpochOptions", "MultiEpochStream"]


@dataclass(frozen=True, kw_only=True)
class MultiEpochOptions(DatasetOptions):
    """Options of :class:`MultiEpochDataset`; those about order belong into the dataset inside.

    Attributes:
        dataset: inside.
        multi_epoch: so many epochs of it are one.
    """

    dataset: Any
    multi_epoch: Size

    def inner_epochs(self, epoch: int) -> range:
        """The epochs of the dataset inside that are an epoch."""
        return range((epoch - 1) * self.multi_epoch + 1, epoch * self.multi_epoch + 1)


def _make(options: MultiEpochOptions) -> Dataset:
    refuse_without_effect(options, ("seq_ordering", *ORDER_OPTIONS), "the dataset inside orders its epochs")
    inner = open_inner(options.dataset, options, "dataset")
    make = MultiEpochDataset if isinstance(inner, IndexedDataset) else MultiEpochStream
    return make(options, inner)  # type: ignore[arg-type]  # mypy does not narrow both together


@dataset("MultiEpochDataset", options=MultiEpochOptions, make=_make, orders=False)
class MultiEpochDataset(IndexedDataset):
    """The corpus is the inner one once per inner epoch, since data may depend on the epoch."""

    def __init__(self, options: MultiEpochOptions, inner: IndexedDataset) -> None:
        super().__init__(options)
        self._epochs = options
        self._inner = inner

    @property
    def num_seqs(self) -> int:
        """Sequences of the dataset inside, as often as it has epochs."""
        return self._inner.num_seqs * self._epochs.multi_epoch

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """As inside."""
        return self._inner.specs

    def lengths(self, key: str) -> IntArray:
        """Lengths in each inner epoch."""
        found = []
        for inner_epoch in self._epochs.inner_epochs(self.started_epoch):
            self._inner.start_epoch(inner_epoch)
            found.append(self._inner.lengths(key))
        return np.concatenate(found)

    def tag(self, index: int) -> str:
        """Tag inside."""
        return self._inner.tag(index % self._inner.num_seqs)

    def all_tags(self) -> list[str]:
        """Tags inside, once per inner epoch."""
        return self._inner.all_tags() * self._epochs.multi_epoch

    def by_tags(self, tags: Seq[str]) -> IntArray:
        """In the first inner epoch, as in RETURNN."""
        return self._inner.by_tags(tags)

    def order_lengths(self) -> IntArray:
        """What is sorted by inside, once per inner epoch."""
        return np.tile(self._inner.order_lengths(), self._epochs.multi_epoch)

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        """Read one sequence in its inner epoch."""
        number, own = divmod(index, self._inner.num_seqs)
        inner_epoch = self._epochs.inner_epochs(self.started_epoch)[number]
        if self._inner.started_epoch != inner_epoch:
            self._inner.start_epoch(inner_epoch)
        seq = self._inner.get_seq(own, keys)
        return Sequence(seq.tag, index, seq.data)

    def init_epoch(self, epoch: int) -> IntArray:
        """Start an epoch: the orders of its inner epochs, one behind the other."""
        self.start_epoch(epoch)
        size = self._inner.num_seqs
        inner_epochs = enumerate(self._epochs.inner_epochs(epoch))
        return np.concatenate([self._inner.init_epoch(inner_epoch) + size * k for k, inner_epoch in inner_epochs])

    def epoch_size(self, epoch: int) -> int | None:
        """As estimated, or the sum."""
        return _epoch_size(self._epochs, self._inner, epoch)

    def close(self) -> None:
        """Close the dataset inside."""
        self._inner.close()


class MultiEpochStream(Dataset):
    """The same for a dataset without random access."""

    def __init__(self, options: MultiEpochOptions, inner: Dataset) -> None:
        super().__init__(options)
        self._epochs = options
        self._inner = inner

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """As inside."""
        return self._inner.specs

    def epoch(self, epoch: int, keys: Collection[str] | None = None) -> Iterator[Sequence]:
        """The inner epochs, one behind the other; numbers of sequences count on."""
        wanted, index = self.check_keys(keys), 0
        for inner_epoch in self._epochs.inner_epochs(epoch):
            for seq in self._inner.epoch(inner_epoch, wanted):
                yield Sequence(seq.tag, index, seq.data)
                index += 1

    def epoch_size(self, epoch: int) -> int | None:
        """As estimated, or the sum."""
        return _epoch_size(self._epochs, self._inner, epoch)

    def close(self) -> None:
        """Close the dataset inside."""
        self._inner.close()


def _epoch_size(options: MultiEpochOptions, inner: Dataset, epoch: int) -> int | None:
    if options.estimated_num_seqs is not None:
        return options.estimated_num_seqs
    sizes = [inner.epoch_size(inner_epoch) for inner_epoch in options.inner_epochs(epoch)]
    return None if None in sizes else sum(size for size in sizes if size is not None)
