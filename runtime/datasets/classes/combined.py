"""Datasets of different sequences, mixed: RETURNN's CombinedDataset."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.options import Described, DType, NonNegative, Size
from runtime.datasets.base import Array, DataSpec, Sequence
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.joined import JoinedDataset
from runtime.datasets.nested import ORDER_OPTIONS, declared_dim, indexed, merged_spec, open_inner, opening
from runtime.datasets.options import DatasetOptions, refuse_without_effect
from runtime.datasets.ordering import IntArray
from runtime.datasets.registry import dataset

__all__ = ["CombinedDataset", "CombinedOptions"]


@dataclass(frozen=True, kw_only=True)
class CombinedOptions(DatasetOptions):
    """Options of :class:`CombinedDataset`.

    ``seq_ordering`` has two more values: ``random_dataset`` draws whose turn it is, ``interleave`` takes the dataset of
    which the smallest part was seen; both keep the order inside of each dataset.

    Attributes:
        datasets: by name; one that ``data_map`` does not use is not opened.
        data_map: (dataset, its data key) to own data key.
        sampling_sizes: so many sequences of each dataset per epoch, from where the epoch before ended.
        data_dims: own data key to dim or (dim, number of axes); says dims that the datasets do not know.
        data_dtypes: own data key to the type of the empty data of sequences that lack it (int32 or float32).
        interleave_gumbel_scale: of the noise on what is left of the datasets when ``interleave`` chooses; "remaining"
            for the part that is left of the one that is furthest.
    """

    own_orderings: ClassVar[tuple[str, ...]] = ("random_dataset", "interleave")

    datasets: Annotated[Mapping[str, Any], Described("a dict of datasets")]
    data_map: Annotated[Mapping[tuple[str, str], str], Described("a dict from (dataset, data key) to data keys")]
    sampling_sizes: Size | Mapping[str, Size] | None = None
    data_dims: Mapping[str, Any] | None = None
    data_dtypes: Mapping[str, DType] | None = None
    interleave_gumbel_scale: NonNegative | Literal["remaining"] | None = None


@dataset("CombinedDataset", options=CombinedOptions)
class CombinedDataset(JoinedDataset):
    """The epochs of the datasets in a common order; data that the dataset of a sequence does not have are empty."""

    def __init__(self, options: CombinedOptions) -> None:
        """Open the datasets that are used.

        Raises:
            UserError: a name that there is not, a dataset that cannot be made, or data that do not fit.
        """
        self._options = options
        _check_choice(options)
        self._names = _used(options)
        with opening(open_inner(options.datasets[name], options, "datasets", name) for name in self._names) as opened:
            parts = [indexed(one, options, "a CombinedDataset") for one in opened]
            super().__init__(options, parts)
            self._specs = _specs(options, dict(zip(self._names, parts, strict=True)))
        keys = options.data_map.items()
        self._inner_keys = [{key: inner for (name, inner), key in keys if name == own} for own in self._names]

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """The keys of ``data_map``, "data" first, then sorted."""
        return self._specs

    def lengths(self, key: str) -> IntArray:
        """Lengths in the datasets; 0 where they lack the key."""
        self.check_keys([key])
        nothing = 0 if self._specs[key].ndim else 1
        return np.concatenate(
            [
                part.lengths(keys[key]) if key in keys else np.full(part.num_seqs, nothing, np.int64)
                for part, keys in zip(self.parts, self._inner_keys, strict=True)
            ]
        )

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        """Read one sequence from its dataset."""
        number, own = self.locate(index)
        wanted, inner_keys = self.check_keys(keys), self._inner_keys[number]
        seq = self.parts[number].get_seq(own, {inner_keys[key] for key in wanted if key in inner_keys})
        data = {key: seq.data[inner_keys[key]] if key in inner_keys else self._empty(key) for key in wanted}
        return Sequence(seq.tag, index, data)

    def init_epoch(self, epoch: int) -> IntArray:
        """Start an epoch in all datasets, and mix their orders."""
        orders = self.part_orders(epoch)
        if self.options.seq_ordering == "interleave":
            return _taken(orders, self._interleaved([len(order) for order in orders], epoch))
        if self._options.sampling_sizes is not None:
            joint = np.concatenate([self._sample(number, order, epoch) for number, order in enumerate(orders)])
        elif self.options.seq_ordering == "random_dataset":
            turns = [number for number, order in enumerate(orders) for _ in order]
            random.Random(self.random_seed(epoch)).shuffle(turns)
            return self._part_of_epoch(_taken(orders, turns), epoch)
        else:
            joint = np.concatenate(orders)
        order = self._order(epoch, len(joint), lambda: self._sort_lengths[joint])
        return self._part_of_epoch(joint[order], epoch)

    def epoch_size(self, epoch: int) -> int | None:
        """As estimated, or what the options leave of the sum."""
        options = self._options
        if options.estimated_num_seqs is not None:
            return options.estimated_num_seqs
        if options.sampling_sizes is not None:
            return sum(self._sampling_size(number) for number in range(len(self.parts))) * (options.repeat_epoch or 1)
        total = sum(part.epoch_size(epoch) or 0 for part in self.parts)
        return total * (options.repeat_epoch or 1) // (options.partition_epoch or 1)

    def _empty(self, key: str) -> Array:
        spec = self._specs[key]
        dtype = (self._options.data_dtypes or {}).get(key, "int32" if spec.sparse else "float32")
        return np.zeros([size or 0 for size in spec.shape[:-1]] + [0 if spec.sparse else spec.shape[-1] or 0], dtype)

    def _sampling_size(self, number: int) -> int:
        sizes = self._options.sampling_sizes
        return sizes[self._names[number]] if isinstance(sizes, Mapping) else int(sizes or 0)

    def _sample(self, number: int, order: IntArray, epoch: int) -> IntArray:
        """The next sequences of a dataset, round and round."""
        size = self._sampling_size(number)
        return order[((epoch - 1) * size + np.arange(size)) % len(order)]

    def _interleaved(self, sizes: Seq[int], epoch: int) -> list[int]:
        """Whose turn it is: of which the smallest part was seen, or by draws that prefer those that have more left."""
        draws = np.random.RandomState(self.random_seed(epoch))
        scale = self._options.interleave_gumbel_scale
        used, turns = [0] * len(sizes), list[int]()
        for _ in range(sum(sizes)):
            seen = [(min((used[i] + 1) / size, 1.0), i) for i, size in enumerate(sizes) if used[i] < size]
            if scale:
                noise = draws.gumbel(size=len(seen))
                width = 1.0 - max(part for part, _ in seen) if scale == "remaining" else float(scale)
                left = [np.log(max(sizes[i] - used[i], 1.0)) for _, i in seen]
                turn = seen[int(np.argmax([one + width * drawn for one, drawn in zip(left, noise, strict=True)]))][1]
            else:
                turn = min(seen)[1]
            turns.append(turn)
            used[turn] += 1
        return turns


def _taken(orders: Seq[IntArray], turns: Seq[int]) -> IntArray:
    """The sequences of several orders, each in its order, by whose turn it is."""
    rest = [iter(order.tolist()) for order in orders]
    return np.fromiter((next(rest[turn]) for turn in turns), dtype=np.int64, count=len(turns))


def _check_choice(options: CombinedOptions) -> None:
    """Refuse options that the way to choose sequences leaves no use for."""
    if options.seq_ordering == "interleave":
        names = (*(name for name in ORDER_OPTIONS if name != "fixed_random_seed"), "sampling_sizes")
        refuse_without_effect(options, names, "with seq_ordering 'interleave' every dataset is seen as a whole")
    else:
        hint = "seq_ordering = 'interleave', or leave it out"
        refuse_without_effect(options, ["interleave_gumbel_scale"], "only 'interleave' uses it", hint)
    if options.sampling_sizes is not None:
        names = ("partition_epoch", "seq_list_filter_file", "unique_seq_tags", "seq_order_seq_lens_file")
        refuse_without_effect(options, names, "sampling_sizes chooses the sequences", "leave one of them out")


def _used(options: CombinedOptions) -> list[str]:
    """The names of the datasets that are needed, sorted and checked."""
    used = sorted({name for name, _ in options.data_map})
    if not used:
        raise ConfigError("CombinedDataset has an empty data_map", where=options.place("data_map"))
    for name in used:
        if name not in options.datasets:
            raise ConfigError(
                f"there is no dataset {name!r} in 'datasets'",
                where=options.place("data_map"),
                expected=f"one of {', '.join(options.datasets)}",
                hint=did_you_mean(name, options.datasets),
            )
    sizes = options.sampling_sizes
    if isinstance(sizes, Mapping) and sizes.keys() != set(used):
        raise ConfigError(
            "sampling_sizes does not fit the datasets",
            where=options.place("sampling_sizes"),
            expected=f"a number for each of {', '.join(used)}",
            received=", ".join(sizes),
        )
    return used


def _specs(options: CombinedOptions, datasets: Mapping[str, IndexedDataset]) -> dict[str, DataSpec]:
    """Own key to spec; the last one in ``data_map`` says the number of classes, as in RETURNN."""
    specs: dict[str, DataSpec] = {}
    for (name, inner_key), key in options.data_map.items():
        inner = datasets[name]
        inner.check_keys([inner_key])
        spec = inner.specs[inner_key]
        if key in specs:
            before = specs[key]
            if spec.sparse and before.sparse:
                before = replace(before, dim=spec.dim, labels=spec.labels)
            spec = merged_spec(before, spec, key, "as in the datasets before", inner.options.where)
        specs[key] = spec
    ordered = sorted(specs, key=lambda key: (key != "data", key))
    return {key: declared_dim(specs[key], key, options.data_dims, options) for key in ordered}
