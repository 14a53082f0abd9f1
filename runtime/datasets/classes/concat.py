"""One dataset behind the other: RETURNN's ConcatDataset."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from returnn_ir.errors import ConfigError
from returnn_ir.options import Described
from runtime.datasets.base import Dataset, DataSpec, Sequence
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.joined import JoinedDataset
from runtime.datasets.nested import ORDER_OPTIONS, open_inner, opening, same_specs
from runtime.datasets.options import DatasetOptions, refuse_without_effect
from runtime.datasets.ordering import IntArray
from runtime.datasets.registry import dataset

__all__ = ["ConcatDataset", "ConcatOptions", "ConcatStream"]


@dataclass(frozen=True, kw_only=True)
class ConcatOptions(DatasetOptions):
    """Options of :class:`ConcatDataset`; those about order belong into the datasets.

    Attributes:
        datasets: with the same data keys.
    """

    datasets: Annotated[Seq[Any], Described("a list of datasets")]

    def __post_init__(self) -> None:
        """Check values."""
        super().__post_init__()
        if not self.datasets:
            raise ConfigError("ConcatDataset has no datasets", where=self.where)


def _make(options: ConcatOptions) -> Dataset:
    why = "the datasets follow each other, each in its own order"
    refuse_without_effect(options, ("seq_ordering", *ORDER_OPTIONS), why)
    inner = (open_inner(one, options, "datasets", number) for number, one in enumerate(options.datasets))
    with opening(inner) as opened:
        parts = [one for one in opened if isinstance(one, IndexedDataset)]
        return ConcatDataset(options, parts) if len(parts) == len(opened) else ConcatStream(options, opened)


@dataset("ConcatDataset", options=ConcatOptions, make=_make, orders=False)
class ConcatDataset(JoinedDataset):
    """An epoch is the epochs of all datasets."""

    def __init__(self, options: ConcatOptions, parts: Seq[IndexedDataset]) -> None:
        """Take datasets.

        Raises:
            DataError: their data differ.
        """
        super().__init__(options, parts)
        self._specs = same_specs(parts)

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """As in the first dataset."""
        return self._specs

    def lengths(self, key: str) -> IntArray:
        """Lengths in all datasets."""
        return np.concatenate([part.lengths(key) for part in self.parts])

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        """Read one sequence from its dataset."""
        number, own = self.locate(index)
        seq = self.parts[number].get_seq(own, self.check_keys(keys))
        return Sequence(seq.tag, index, seq.data)

    def init_epoch(self, epoch: int) -> IntArray:
        """Start an epoch in all datasets, one order behind the other."""
        return np.concatenate(self.part_orders(epoch))

    def epoch_size(self, epoch: int) -> int | None:
        """As estimated, or the sum."""
        return _epoch_size(self, self.parts, epoch)


class ConcatStream(Dataset):
    """The same for datasets of which one has no random access."""

    def __init__(self, options: ConcatOptions, parts: Seq[Dataset]) -> None:
        """Take datasets.

        Raises:
            DataError: their data differ.
        """
        super().__init__(options)
        self._parts = tuple(parts)
        self._specs = same_specs(parts)

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """As in the first dataset."""
        return self._specs

    def epoch(self, epoch: int, keys: Collection[str] | None = None) -> Iterator[Sequence]:
        """The epochs of all datasets; numbers of sequences count on."""
        wanted, index = self.check_keys(keys), 0
        for part in self._parts:
            for seq in part.epoch(epoch, wanted):
                yield Sequence(seq.tag, index, seq.data)
                index += 1

    def epoch_size(self, epoch: int) -> int | None:
        """As estimated, or the sum."""
        return _epoch_size(self, self._parts, epoch)

    def close(self) -> None:
        """Close all datasets."""
        for part in self._parts:
            part.close()


def _epoch_size(whole: Dataset, parts: Seq[Dataset], epoch: int) -> int | None:
    if whole.options.estimated_num_seqs is not None:
        return whole.options.estimated_num_seqs
    sizes = [part.epoch_size(epoch) for part in parts]
    return None if None in sizes else sum(size for size in sizes if size is not None)
