"""Several datasets with data for the same sequences, by tag: RETURNN's MetaDataset."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np

from returnn_ir.errors import ConfigError, DataError, did_you_mean
from returnn_ir.options import Described
from runtime.datasets.base import DataSpec, Sequence
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.lists import read_json, read_lines, read_tags
from runtime.datasets.nested import declared_dim, indexed, open_inner, opening
from runtime.datasets.options import DatasetOptions
from runtime.datasets.ordering import IntArray
from runtime.datasets.registry import dataset

__all__ = ["MetaDataset", "MetaOptions"]


@dataclass(frozen=True, kw_only=True)
class MetaOptions(DatasetOptions):
    """Options of :class:`MetaDataset`.

    With ``seq_order_control_dataset`` the options about order (``seq_ordering``, ``partition_epoch`` ...) are those of
    that dataset, and those of this one have no effect.

    Attributes:
        datasets: by name; one that ``data_map`` does not use is not opened.
        data_map: own data key to (dataset, its data key).
        seq_list_file: sequence tags, a text or a pickle, which is a list or a dict of lists by dataset, or a dict of
            files by dataset: sequences at the same place belong together. Without it, those of the same tag do.
        seq_order_control_dataset: orders alone; without it, this dataset orders the sequences of the one with "data".
        seq_lens_file: JSON file, tag to data key to length; "data" is what is sorted by.
        data_dims: own data key to dim or (dim, number of axes); says dims that the datasets do not know.
        data_dtypes: without effect, as in RETURNN.
    """

    datasets: Annotated[Mapping[str, Any], Described("a dict of datasets")]
    data_map: Annotated[
        Mapping[str, Annotated[Seq[str], Described("(dataset, data key)")]],
        Described("a dict from data keys to (dataset, data key)"),
    ]
    seq_list_file: str | Mapping[str, str] | None = None
    seq_order_control_dataset: str | None = None
    seq_lens_file: str | None = None
    data_dims: Mapping[str, Any] | None = None
    data_dtypes: Any = None


@dataset("MetaDataset", options=MetaOptions)
class MetaDataset(IndexedDataset):
    """Data of the same sequences from several datasets.

    The corpus is that of one of them, or a list's; each key is read from its dataset at the same tag.
    """

    def __init__(self, options: MetaOptions) -> None:
        """Open the datasets that are used.

        Raises:
            UserError: a name that there is not, or a dataset that cannot be made.
        """
        super().__init__(options)
        self._options = options
        used = _used(options)
        self._main = options.seq_order_control_dataset or options.data_map["data"][0]
        with opening(open_inner(options.datasets[name], options, "datasets", name) for name in used) as opened:
            inner = (indexed(one, options, "a MetaDataset") for one in opened)
            self._datasets: dict[str, IndexedDataset] = dict(zip(used, inner, strict=True))
            self._specs = _specs(options, self._datasets)

    @property
    def num_seqs(self) -> int:
        """Sequences of the dataset that the corpus is from, or of the list."""
        return len(self._indices[self._main])

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """The keys of ``data_map``, "data" first, then sorted."""
        return self._specs

    @property
    def has_told_lengths(self) -> bool:
        """Whether a file says the lengths to sort by."""
        return bool(self._options.seq_lens_file)

    def start_epoch(self, epoch: int) -> None:
        """Start it in all datasets."""
        super().start_epoch(epoch)
        for one in self._datasets.values():
            one.start_epoch(epoch)

    def init_epoch(self, epoch: int) -> IntArray:
        """Start an epoch; the order is that of the dataset that controls it, if there is one."""
        control = self._options.seq_order_control_dataset
        if control is None:
            order = super().init_epoch(epoch)
        else:
            self.start_epoch(epoch)
            order = self._datasets[control].init_epoch(epoch)
            self._check_control(order)
        for name, one in self._datasets.items():
            missing = np.flatnonzero(self._indices[name][order] < 0)
            if len(missing):
                raise DataError(
                    f"{one.options.where} has no sequence {self._name(int(order[missing[0]]), name)!r}",
                    where=self.options.where,
                    expected=f"the tags of {self._datasets[self._main].options.where}",
                    received=f"{len(missing)} of {len(order)} sequences are missing",
                )
        return order

    def lengths(self, key: str) -> IntArray:
        """Lengths in the key's dataset; 0 where that lacks the sequence, which then cannot be read."""
        self.check_keys([key])
        name, inner_key = self._options.data_map[key]
        indices = self._indices[name]
        return np.where(indices >= 0, self._datasets[name].lengths(inner_key)[indices], 0)

    def order_lengths(self) -> IntArray:
        """From ``seq_lens_file``, or of "data" of the dataset that the corpus is from."""
        if self._lengths_of_file is not None:
            return self._lengths_of_file
        return _told_lengths(self._datasets[self._main])[self._indices[self._main]]

    @cached_property
    def _lengths_of_file(self) -> IntArray | None:
        """What ``seq_lens_file`` says, ``[num_seqs]``."""
        path = self._options.seq_lens_file
        if not path:
            return None
        table = read_json(path, self.options.where)
        try:
            return np.array([table[tag]["data"] for tag in self.all_tags()])
        except (KeyError, TypeError) as error:
            raise DataError(
                "seq_lens_file lacks a length", where=path, expected='{TAG: {"data": length}}', received=repr(error)
            ) from error

    def tag(self, index: int) -> str:
        """Tag in the dataset that the corpus is from."""
        return self._name(index, self._main)

    def all_tags(self) -> list[str]:
        """Tags in the dataset that the corpus is from."""
        tags = self._datasets[self._main].all_tags()
        return [tags[index] for index in self._indices[self._main].tolist()]

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        """Read one sequence, from each dataset what is wanted of it."""
        wanted: dict[str, dict[str, str]] = {}
        for key in self.check_keys(keys):
            name, inner_key = self._options.data_map[key]
            wanted.setdefault(name, {})[key] = inner_key
        found = {}
        for name, names in wanted.items():
            seq = self._datasets[name].get_seq(int(self._indices[name][index]), set(names.values()))
            found.update({key: seq.data[inner_key] for key, inner_key in names.items()})
        return Sequence(self.tag(index), index, {key: found[key] for key in self._specs if key in found})

    def close(self) -> None:
        """Close all datasets."""
        for one in self._datasets.values():
            one.close()

    @cached_property
    def _lists(self) -> Mapping[str, list[str]] | None:
        """The tags by dataset, if there is a list; not kept longer than they are needed."""
        given = self._options.seq_list_file
        if not given:
            return None
        if isinstance(given, str):
            read = read_tags(given, self.options.where)
            lists: Mapping[str, list[str]] = read if isinstance(read, dict) else dict.fromkeys(self._datasets, read)
        else:
            lists = {name: read_lines(path, self.options.where) for name, path in given.items()}
        for name in self._datasets:
            if name not in lists:
                raise DataError(
                    f"seq_list_file has no list for {name!r}",
                    where=self.options.where,
                    expected=", ".join(self._datasets),
                    received=", ".join(lists),
                )
        sizes = {name: len(lists[name]) for name in self._datasets}
        if len(set(sizes.values())) > 1:
            received = ", ".join(f"{name}: {size}" for name, size in sizes.items())
            raise DataError(
                "the lists of seq_list_file have different sizes", where=self.options.where, received=received
            )
        return lists

    @cached_property
    def _indices(self) -> Mapping[str, IntArray]:
        """Index in each dataset of each sequence, ``[num_seqs]``; -1 where it lacks the sequence."""
        lists = self._lists
        main = self._datasets[self._main]
        if lists is not None:
            found = {name: one.by_tags(lists[name]) for name, one in self._datasets.items()}
            missing = np.flatnonzero(found[self._main] < 0)
            if len(missing):
                raise DataError(
                    f"seq_list_file has the tag {lists[self._main][missing[0]]!r}, and {main.options.where} has not",
                    where=self.options.where,
                )
            self.__dict__.pop("_lists")  # the numbers are enough
            return found
        tags = main.all_tags()
        found = {name: one.by_tags(tags) for name, one in self._datasets.items()}
        if self._options.seq_order_control_dataset:
            found[self._main] = np.arange(main.num_seqs)
        return found

    def _check_control(self, order: IntArray) -> None:
        """With a list, the dataset that orders must have the list's order: its numbers are the list's."""
        own = self._indices[self._main]
        fits = len(own) > order.max(initial=-1) and np.array_equal(own[order], order)
        if not fits:
            raise DataError(
                f"seq_list_file is not in the order of {self._datasets[self._main].options.where}",
                where=self.options.where,
                expected="its tags as they stand in the dataset that orders (seq_order_control_dataset)",
                hint="leave seq_order_control_dataset out: then the list is ordered",
            )

    def _name(self, index: int, name: str) -> str:
        """The tag of a sequence in a dataset; where that lacks it, the one that it should have."""
        own = int(self._indices[name][index])
        if own >= 0:
            return self._datasets[name].tag(own)
        lists = self._lists
        return self.tag(index) if lists is None else lists[name][index]


def _told_lengths(one: IndexedDataset) -> IntArray:
    """Lengths of "data" as a dataset tells them: those of its ``seq_lens_file``, if it has one."""
    if "data" not in one.specs or (isinstance(one, MetaDataset) and one.has_told_lengths):
        return one.order_lengths()
    return one.lengths("data")


def _used(options: MetaOptions) -> list[str]:
    """The names of the datasets that are needed, checked."""
    control = options.seq_order_control_dataset
    for key, target in options.data_map.items():
        if len(target) != 2:
            expected, received = "(dataset, data key)", repr(target)
            raise ConfigError(
                f"wrong data_map for {key!r}", where=options.place("data_map"), expected=expected, received=received
            )
    if control is None and "data" not in options.data_map:
        raise ConfigError(
            "MetaDataset has no dataset to order",
            where=options.place("data_map"),
            expected="'data' in data_map, or seq_order_control_dataset",
        )
    used = sorted({name for name, _ in options.data_map.values()} | ({control} if control else set()))
    for name in used:
        if name not in options.datasets:
            raise ConfigError(
                f"there is no dataset {name!r} in 'datasets'",
                where=options.place("seq_order_control_dataset" if name == control else "data_map"),
                expected=f"one of {', '.join(options.datasets)}",
                hint=did_you_mean(name, options.datasets),
            )
    return used


def _specs(options: MetaOptions, datasets: Mapping[str, IndexedDataset]) -> dict[str, DataSpec]:
    specs = {}
    for key in sorted(options.data_map, key=lambda key: (key != "data", key)):
        name, inner_key = options.data_map[key]
        inner = datasets[name]
        inner.check_keys([inner_key])
        specs[key] = declared_dim(inner.specs[inner_key], key, options.data_dims, options)
    return specs
