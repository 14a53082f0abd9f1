"""Datasets with random access: their sequences have numbers, and lengths that are known without reading them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator
from collections.abc import Sequence as Seq
from functools import cached_property

import numpy as np
import numpy.typing as npt

from returnn_ir.errors import ConfigError, DataError
from runtime.datasets.base import Array, Dataset, Sequence
from runtime.datasets.lists import read_lines, read_table
from runtime.datasets.options import DatasetOptions
from runtime.datasets.ordering import IntArray, LengthsFunction, make_order, parse_ordering, partition

__all__ = ["IndexedDataset"]


class IndexedDataset(Dataset):
    """Random access to the sequences of a corpus, by corpus index, so that batches are planned without reading.

    ``init_epoch`` or ``start_epoch`` must have been called before ``lengths`` and ``get_seq`` where data depends on the
    epoch (generated data). ``get_seq`` may be called from a background thread, but not while another thread starts an
    epoch.

    Attributes:
        started_epoch: the epoch that was started last.
    """

    def __init__(self, options: DatasetOptions) -> None:
        super().__init__(options)
        self.started_epoch = 1

    @property
    @abstractmethod
    def num_seqs(self) -> int:
        """Size of the whole corpus, before partition, filter and repetition."""

    @abstractmethod
    def lengths(self, key: str) -> IntArray:
        """Number of frames of each sequence, ``[num_seqs]``, by corpus index, without reading the data."""

    @abstractmethod
    def tag(self, index: int) -> str:
        """Tag of one sequence."""

    @abstractmethod
    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        """Read one sequence, of it only ``keys`` (default: all).

        Raises:
            DataError: the data cannot be read.
        """

    def all_tags(self) -> list[str]:
        """Tags of the whole corpus."""
        return [self.tag(index) for index in range(self.num_seqs)]

    def order_lengths(self) -> IntArray:
        """The lengths that ``seq_ordering`` sorts by: those of the first key."""
        return self.lengths(next(iter(self.specs)))

    def by_tag(self, tag: str) -> int:
        """Corpus index of the sequence with a tag, of several the last one, as in RETURNN.

        Raises:
            DataError: there is none.
        """
        index = int(self.by_tags([tag])[0])
        if index < 0:
            raise DataError(f"no sequence {tag!r}", where=self.options.where)
        return index

    def by_tags(self, tags: Seq[str]) -> IntArray:
        """Corpus indices of many tags (see ``by_tag``); -1 where there is no such sequence."""
        indices = {tag: index for index, tag in enumerate(self.all_tags())}
        return np.fromiter((indices.get(tag, -1) for tag in tags), dtype=np.int64, count=len(tags))

    def epoch(self, epoch: int, keys: Collection[str] | None = None) -> Iterator[Sequence]:
        """Read the sequences of an epoch, which is started now, one by one in its order."""
        order = self.init_epoch(epoch)
        return (self.get_seq(int(index), keys) for index in order)

    def epoch_size(self, epoch: int) -> int | None:
        """As estimated, or what the options leave of the corpus, but for the filter."""
        if self.options.estimated_num_seqs is not None:
            return self.options.estimated_num_seqs
        return self.num_seqs * (self.options.repeat_epoch or 1) // (self.options.partition_epoch or 1)

    def start_epoch(self, epoch: int) -> None:
        """Start an epoch (from 1) without an order: whoever asks for sequences has one."""
        self.started_epoch = epoch

    def init_epoch(self, epoch: int) -> IntArray:
        """Start an epoch (from 1) and give the order of its sequences, as corpus indices.

        Raises:
            DataError: no sequence in the dataset, or none left after the filter.
            ConfigError: ``seq_ordering`` is a function that gives no valid ordering.
        """
        self.start_epoch(epoch)
        if self.num_seqs == 0:
            raise DataError("the dataset has no sequences", where=self.options.where)
        return self._part_of_epoch(self._order(epoch, self.num_seqs, lambda: self._sort_lengths), epoch)

    def _order(self, epoch: int, num_seqs: int, lengths: LengthsFunction) -> IntArray:
        """The order of an epoch of so many sequences, all of them."""
        ordering = parse_ordering(self._ordering_text(epoch))
        return make_order(ordering, self.random_seed(epoch, ordering.epochs_fixed), num_seqs, lengths)

    def _part_of_epoch(self, order: IntArray, epoch: int) -> IntArray:
        """Of an order of corpus indices what the epoch has of it: partition, repetition, filters."""
        options = self.options
        if options.unique_seq_tags:
            _, first = np.unique(self._tag_numbers[order], return_index=True)
            order = order[np.sort(first)]
        parts = options.partition_epoch or 1
        order = partition(order, parts, (epoch - 1) % parts)
        order = np.tile(order, options.repeat_epoch or 1)
        return order if self._filter is None else self._filtered(order, self._filter)

    def _ordering_text(self, epoch: int) -> str:
        ordering = self.options.seq_ordering
        if isinstance(ordering, str):
            return ordering
        text: object = ordering(epoch=epoch)
        if not isinstance(text, str):
            raise ConfigError(
                "the function seq_ordering gave no str", where=self.options.where, expected="a str", received=repr(text)
            )
        return text

    def _filtered(self, order: IntArray, keep: npt.NDArray[np.bool_]) -> IntArray:
        filtered = order[keep[order]]
        if not len(filtered):
            tags = ", ".join(repr(self.tag(int(index))) for index in order[:3])
            raise DataError(
                f"no sequence left after seq_list_filter_file {self.options.seq_list_filter_file!r}",
                where=self.options.where,
                received=f"sequence tags {tags}, ...",
                hint="the file has one sequence tag per line, spelled as in the dataset",
            )
        return filtered

    @cached_property
    def _tag_numbers(self) -> IntArray:
        """One number per distinct tag, ``[num_seqs]``."""
        return np.unique(np.array(self.all_tags(), dtype=object), return_inverse=True)[1]

    @cached_property
    def _filter(self) -> npt.NDArray[np.bool_] | None:
        """Which sequences ``seq_list_filter_file`` keeps, ``[num_seqs]``."""
        path = self.options.seq_list_filter_file
        if path is None:
            return None
        wanted = set(read_lines(path, self.options.where))
        return np.fromiter((tag in wanted for tag in self.all_tags()), dtype=np.bool_, count=self.num_seqs)

    @property
    def _sort_lengths(self) -> Array:
        return self.order_lengths() if self._file_lengths is None else self._file_lengths

    @cached_property
    def _file_lengths(self) -> Array | None:
        """Lengths from ``seq_order_seq_lens_file``, ``[num_seqs]``."""
        path = self.options.seq_order_seq_lens_file
        if path is None:
            return None
        table = read_table(path, self.options.where)
        try:
            lengths = np.array([table[tag] for tag in self.all_tags()])
        except KeyError as error:
            raise DataError(f"seq_order_seq_lens_file lacks sequence {error.args[0]!r}", where=path) from error
        if lengths.ndim != 1 or lengths.dtype.kind not in "iuf":
            raise DataError("a length is no number", where=path, expected="a number for each sequence tag")
        return lengths
