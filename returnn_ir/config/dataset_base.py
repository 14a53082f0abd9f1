"""What a config's own dataset class is derived from: RETURNN's protocol of a dataset, without RETURNN.

``init_seq_order(epoch)`` starts an epoch; then sequences have numbers in its order: ``is_less_than_num_seqs(n)`` says
whether there is such a one, ``load_seqs(start, end)`` loads, ``get_data``, ``get_tag`` and ``get_seq_length`` read. A
class overrides these, or ``_collect_single_seq`` of :class:`CachedDataset2`, or ``generate_seq`` of
:class:`GeneratingDataset`. ``runtime.datasets.returnn_protocol`` reads them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

__all__ = ["CachedDataset2", "Dataset", "DatasetSeq", "GeneratingDataset"]

Array = npt.NDArray[Any]
#: (dataset, epoch, number of sequences, length by index) to corpus indices.
OrderEpoch = Callable[[Any, int, int, Callable[[int], float] | None], Sequence[int]]


class DatasetSeq:
    """One sequence.

    Attributes:
        seq_idx: its number in the epoch.
        features: data by key.
    """

    def __init__(
        self,
        seq_idx: int,
        features: Array | Mapping[str, Array],
        targets: Array | Mapping[str, Array] | None = None,
        seq_tag: str | None = None,
        complete_frac: float | None = None,
    ) -> None:
        """An array is the data of "data", of ``targets`` that of "classes"."""
        self.seq_idx = int(seq_idx)
        self.seq_tag = seq_tag or f"seq-{seq_idx}"
        self.complete_frac = complete_frac
        self.features: dict[str, Array] = dict(features) if isinstance(features, Mapping) else {"data": features}
        if targets is not None:
            self.features.update(targets if isinstance(targets, Mapping) else {"classes": targets})

    @property
    def num_frames(self) -> dict[str, int]:
        """Frames by key."""
        return {key: len(array) if array.ndim else 1 for key, array in self.features.items()}

    def get_data(self, key: str) -> Array:
        """The data of a key."""
        return self.features[key]

    def get_data_keys(self) -> list[str]:
        """All keys."""
        return list(self.features)


class Dataset:
    """The protocol, with RETURNN's options and defaults."""

    #: The order of an epoch by these options; the run time puts its own here.
    order_epoch: ClassVar[OrderEpoch | None] = None

    def __init__(
        self,
        name: str | None = None,
        seq_ordering: Any = "default",
        fixed_random_seed: int | None = None,
        random_seed_offset: int | None = None,
        partition_epoch: int | None = None,
        repeat_epoch: int | None = None,
        seq_list_filter_file: str | None = None,
        unique_seq_tags: bool = False,
        seq_order_seq_lens_file: str | None = None,
        estimated_num_seqs: int | None = None,
        **others: Any,
    ) -> None:
        """``others`` are RETURNN's options about chunks, windows and shards."""
        self.name = name or type(self).__name__
        self.seq_ordering = seq_ordering
        self.fixed_random_seed = fixed_random_seed
        self.random_seed_offset = random_seed_offset or 0
        self.partition_epoch = partition_epoch or 1
        self.repeat_epoch = repeat_epoch or 1
        self.seq_list_filter_file = seq_list_filter_file
        self.unique_seq_tags = unique_seq_tags
        self.seq_order_seq_lens_file = seq_order_seq_lens_file
        self.estimated_num_seqs = estimated_num_seqs
        self.window = 1
        self.num_inputs: int | None = 0
        self.num_outputs: Any = None
        self.labels: dict[str, list[str]] = {}
        self.epoch: int | None = None
        self._num_seqs: float | None = None

    def initialize(self) -> None:
        """Called once, before the first epoch."""
        self.init_seq_order()

    # ---------------------------------------------------------------- an epoch

    def init_seq_order(
        self, epoch: int | None = None, seq_list: list[str] | None = None, seq_order: Sequence[int] | None = None
    ) -> bool:
        """Start an epoch, from 1."""
        self.epoch = epoch
        return False

    def finish_epoch(self, *, free_resources: bool = False) -> None:
        """Called behind an epoch."""
        self.epoch = None

    def get_seq_order_for_epoch(
        self, epoch: int | None, num_seqs: int, get_seq_len: Callable[[int], float] | None = None
    ) -> Sequence[int]:
        """The order of so many sequences by the options, as corpus indices; nothing without an epoch."""
        if epoch is None:
            return []
        order = Dataset.order_epoch
        if order is None:
            raise NotImplementedError("an epoch's order before the run")
        return order(self, epoch, int(num_seqs), get_seq_len)

    def _get_random_seed_for_epoch(self, epoch: int | None, num_epochs_fixed: int = 1) -> int:
        if self.fixed_random_seed is not None:
            return self.fixed_random_seed
        full_epoch = ((epoch or 1) - 1) // self.partition_epoch
        return full_epoch // num_epochs_fixed + 1 + self.random_seed_offset

    @property
    def num_seqs(self) -> Any:
        """Sequences of the epoch, inf where it does not end."""
        if self._num_seqs is None:
            raise NotImplementedError("the number of sequences")
        return self._num_seqs

    def is_less_than_num_seqs(self, n: int) -> bool:
        """Whether the epoch has a sequence of this number."""
        return bool(n < self.num_seqs)

    def load_seqs(self, start: int, end: int) -> None:
        """Load sequences, whose numbers only grow."""
        self._load_seqs(start, end)

    def _load_seqs(self, start: int, end: int) -> None:
        raise NotImplementedError("_load_seqs")

    # ---------------------------------------------------------------- a sequence, by its number in the epoch

    def get_data(self, seq_idx: int, key: str) -> Array:
        """Data of a sequence that was loaded."""
        return self.get_input_data(seq_idx) if key == "data" else self.get_targets(key, seq_idx)

    def get_input_data(self, sorted_seq_idx: int) -> Array:
        """As ``get_data`` for "data", in older classes."""
        raise NotImplementedError("get_data")

    def get_targets(self, target: str, sorted_seq_idx: int) -> Array:
        """As ``get_data`` for a target, in older classes."""
        raise NotImplementedError("get_data")

    def get_tag(self, sorted_seq_idx: int) -> str:
        """Tag of a sequence."""
        return f"seq-{sorted_seq_idx}"

    def get_seq_length(self, seq_idx: int) -> Mapping[str, int]:
        """Frames by key."""
        raise NotImplementedError("get_seq_length")

    def get_all_tags(self) -> list[str]:
        """Tags of the whole corpus."""
        raise NotImplementedError("get_all_tags")

    def have_corpus_seq_idx(self) -> bool:
        """Whether ``get_corpus_seq_idx`` is there."""
        return False

    # ---------------------------------------------------------------- data keys

    def get_target_list(self) -> list[str]:
        """Keys that are targets."""
        return ["classes"]

    def get_data_keys(self) -> list[str]:
        """All keys."""
        return ["data", *self.get_target_list()]


class _LoadedSequences(Dataset):
    """Keeps the sequences that were loaded, by their numbers in the epoch."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._loaded: dict[int, DatasetSeq] = {}

    def get_data(self, seq_idx: int, key: str) -> Array:
        """Data of a sequence that was loaded."""
        return self._loaded[seq_idx].features[key]

    def get_tag(self, sorted_seq_idx: int) -> str:
        """Tag of a sequence that was loaded."""
        return self._loaded[sorted_seq_idx].seq_tag

    def get_seq_length(self, seq_idx: int) -> Mapping[str, int]:
        """Frames by key."""
        self._load_seqs(seq_idx, seq_idx + 1)
        return self._loaded[seq_idx].num_frames


class CachedDataset2(_LoadedSequences):
    """A dataset that makes one sequence after the other: ``_collect_single_seq`` is overridden."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._end: int | None = None

    def init_seq_order(
        self, epoch: int | None = None, seq_list: list[str] | None = None, seq_order: Sequence[int] | None = None
    ) -> bool:
        """Start an epoch; nothing is loaded."""
        super().init_seq_order(epoch=epoch, seq_list=seq_list, seq_order=seq_order)
        self._num_seqs = None
        self._loaded, self._end = {}, None
        return True

    def _collect_single_seq(self, seq_idx: int) -> DatasetSeq | None:
        """The sequence of a number; None behind the last one."""
        raise NotImplementedError("_collect_single_seq")

    def is_less_than_num_seqs(self, n: int) -> bool:
        """Whether the epoch has a sequence of this number; where nobody knows how many, it is made."""
        if self.epoch is None:
            return False
        if self._num_seqs is not None:
            return n < self._num_seqs
        if self._end is None:
            self._load_seqs(n, n + 1)
        return self._end is None or n < self._end

    def _load_seqs(self, start: int, end: int) -> None:
        self._loaded = {index: seq for index, seq in self._loaded.items() if index >= start}
        for index in range(start, end):
            if index in self._loaded:
                continue
            seq = self._collect_single_seq(seq_idx=index)
            if seq is None:
                self._end = index
                return
            self._loaded[index] = seq

    def get_data_keys(self) -> list[str]:
        """The keys of ``num_outputs``."""
        return sorted(self.num_outputs)

    def get_target_list(self) -> list[str]:
        """All keys but "data"."""
        return [key for key in self.get_data_keys() if key != "data"]


class GeneratingDataset(_LoadedSequences):
    """Generated data: ``generate_seq`` is overridden; ``random`` is seeded for each sequence and epoch."""

    def __init__(self, input_dim: int | None, output_dim: Any, num_seqs: float = math.inf, **options: Any) -> None:
        super().__init__(**options)
        dims = dict(output_dim) if isinstance(output_dim, Mapping) else {"classes": output_dim}
        if input_dim is not None:
            dims.setdefault("data", input_dim)
        self.num_inputs = input_dim
        self.num_outputs = {
            key: (dim, 2 if key == "data" else 1) if isinstance(dim, int) else tuple(dim) for key, dim in dims.items()
        }
        self.random = np.random.RandomState(1)
        if self.seq_ordering in ("sorted", "sorted_reverse"):  # by RETURNN's default for dev sets; nothing to sort by
            self.seq_ordering = "default"
        self._num_seqs = self._total_num_seqs = num_seqs
        self._order: Sequence[int] | None = None

    def generate_seq(self, seq_idx: int) -> DatasetSeq:
        """The sequence of a corpus index."""
        raise NotImplementedError("generate_seq")

    def init_seq_order(
        self, epoch: int | None = None, seq_list: list[str] | None = None, seq_order: Sequence[int] | None = None
    ) -> bool:
        """Start an epoch."""
        super().init_seq_order(epoch=epoch, seq_list=seq_list, seq_order=seq_order)
        self.random.seed(self._get_random_seed_for_epoch(epoch))
        self._loaded = {}
        self._order = None
        if self._total_num_seqs != math.inf:
            self._order = self.get_seq_order_for_epoch(epoch, int(self._total_num_seqs))
            self._num_seqs = len(self._order)
        return True

    def _load_seqs(self, start: int, end: int) -> None:
        self._loaded = {index: seq for index, seq in self._loaded.items() if index >= start}
        for index in range(start, end):
            if index not in self._loaded and index < self.num_seqs:
                corpus_index = index if self._order is None else int(self._order[index])
                self.random.seed([self._get_random_seed_for_epoch(self.epoch), corpus_index])
                self._loaded[index] = self.generate_seq(corpus_index)

    def get_all_tags(self) -> list[str]:
        """``seq-INDEX``."""
        return [f"seq-{index}" for index in range(int(self._total_num_seqs))]

    def get_data_keys(self) -> list[str]:
        """The keys of ``num_outputs``, "data" first."""
        return sorted(self.num_outputs, key=lambda key: (key != "data", key))
