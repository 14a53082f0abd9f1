"""Generated data: a task makes each sequence anew, from the numbers of a random generator that epoch and index seed."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import numpy as np

from returnn_ir.errors import ConfigError
from returnn_ir.options import Described, Range, Size
from runtime.datasets.base import Array, Dataset, DataSpec, Sequence
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.options import DatasetOptions, refuse_without_effect
from runtime.datasets.ordering import IntArray
from runtime.datasets.registry import DatasetClass, register

__all__ = [
    "EndlessDataset",
    "GeneratedDataset",
    "GeneratedOptions",
    "Letters",
    "Random",
    "Task",
    "dense_spec",
    "generated",
    "numbers_of_tags",
    "random_letters",
    "sparse_spec",
]

Random = np.random.RandomState


@dataclass(frozen=True, kw_only=True)
class GeneratedOptions(DatasetOptions):
    """Options of generated data.

    Attributes:
        num_seqs: sequences per epoch; with inf, RETURNN's default, an epoch does not end.
    """

    num_seqs: Annotated[Size | Annotated[float, Range(1)], Described("a number of sequences, or inf")] = math.inf

    def __post_init__(self) -> None:
        """Check values."""
        super().__post_init__()
        if isinstance(self.num_seqs, float) and self.num_seqs != math.inf:
            raise ConfigError("wrong num_seqs", expected="a number of sequences, or inf", received=self.num_seqs)
        if self.seq_ordering in ("sorted", "sorted_reverse"):
            # RETURNN sorts dev sets by default and ignores that for generated data.
            object.__setattr__(self, "seq_ordering", "default")


class Task(ABC):
    """Makes sequences.

    Attributes:
        specs: of what it makes.
    """

    specs: Mapping[str, DataSpec]

    @abstractmethod
    def __init__(self, options: Any) -> None:
        """From the options of the task's class.

        Raises:
            ConfigError: options that do not fit each other.
        """

    @abstractmethod
    def generate(self, random: Random, index: int, epoch: int) -> dict[str, Array]:
        """The data of a sequence by key.

        Args:
            random: seeded for this sequence.
            index: of the sequence.
            epoch: from 1.
        """

    def lengths(self, random: Random, index: int, epoch: int) -> Mapping[str, int]:
        """Frames by key; where that is cheaper than to make the sequence, a task says so itself."""
        return {key: len(array) for key, array in self.generate(random, index, epoch).items()}


TaskClass = TypeVar("TaskClass", bound=type[Task])


def generated(name: str, *, options: type[GeneratedOptions]) -> Callable[[TaskClass], TaskClass]:
    """Register a task, made from its options, as the dataset class of a name."""

    def add(cls: TaskClass) -> TaskClass:
        def make(opt: GeneratedOptions) -> Dataset:
            task = cls(opt)
            return EndlessDataset(opt, task) if opt.num_seqs == math.inf else GeneratedDataset(opt, task)

        register(DatasetClass(name, options, make, cls))
        return cls

    return add


class GeneratedDataset(IndexedDataset):
    """The sequences of a task, with tags ``seq-INDEX``.

    They differ from epoch to epoch, unless ``fixed_random_seed`` is set.
    """

    has_windows = True

    def __init__(self, options: GeneratedOptions, task: Task) -> None:
        super().__init__(options)
        self._num_seqs = int(options.num_seqs)
        self._task = task
        self._random = Random(0)
        self._lengths: tuple[int, dict[str, IntArray]] | None = None

    @property
    def num_seqs(self) -> int:
        """Sequences per epoch."""
        return self._num_seqs

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """The task's keys."""
        return self._task.specs

    def lengths(self, key: str) -> IntArray:
        """Lengths in the epoch that was started, ``[num_seqs]``."""
        self.check_keys([key])
        epoch = self.started_epoch
        if self._lengths is None or self._lengths[0] != epoch:
            found = {name: np.empty(self.num_seqs, np.int64) for name in self.specs}
            for index in range(self.num_seqs):
                for name, length in self._task.lengths(self._seeded(index), index, epoch).items():
                    found[name][index] = length
            self._lengths = epoch, found
        return self._lengths[1][key]

    def tag(self, index: int) -> str:
        """``seq-INDEX``."""
        return f"seq-{index}"

    def by_tags(self, tags: Seq[str]) -> IntArray:
        """The number in each tag."""
        return numbers_of_tags(tags, self.num_seqs)

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        """Make one sequence of the epoch that was started."""
        data = self._task.generate(self._seeded(index), index, self.started_epoch)
        return Sequence(self.tag(index), index, {key: data[key] for key in self.check_keys(keys)})

    def _seeded(self, index: int) -> Random:
        self._random.seed([self.random_seed(self.started_epoch), index])
        return self._random


class EndlessDataset(Dataset):
    """The sequences of a task, one after the other without an end."""

    has_windows = True

    def __init__(self, options: GeneratedOptions, task: Task) -> None:
        """Take a task.

        Raises:
            ConfigError: options about order, which there is none of.
        """
        super().__init__(options)
        names = ("seq_ordering", "repeat_epoch", "seq_list_filter_file", "unique_seq_tags", "seq_order_seq_lens_file")
        why = "the epochs of this dataset do not end, num_seqs is inf"
        refuse_without_effect(options, names, why, "give num_seqs, or leave it out")
        self._task = task

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """The task's keys."""
        return self._task.specs

    def epoch(self, epoch: int, keys: Collection[str] | None = None) -> Iterator[Sequence]:
        """Make sequences for as long as they are asked for."""
        wanted = self.check_keys(keys)
        for index in itertools.count():
            random = Random([self.random_seed(epoch), index])
            data = self._task.generate(random, index, epoch)
            yield Sequence(f"seq-{index}", index, {key: data[key] for key in wanted})


def numbers_of_tags(tags: Seq[str], num_seqs: int) -> IntArray:
    """The index in each tag ``seq-INDEX``; -1 for another one, or where there are not so many sequences."""
    found = (_number_of_tag(tag) for tag in tags)
    return np.fromiter((index if index < num_seqs else -1 for index in found), dtype=np.int64, count=len(tags))


def _number_of_tag(tag: str) -> int:
    prefix, dash, number = tag.partition("-")
    return int(number) if prefix == "seq" and dash and number.isdecimal() else -1


def dense_spec(dim: int, dtype: str = "float32", labels: str | None = None) -> DataSpec:
    """Vectors, ``[T, dim]``."""
    return DataSpec((None, dim), dtype, dim, sparse=False, labels=tuple(labels) if labels else None)


def sparse_spec(dim: int, dtype: str = "int64", labels: str | None = None) -> DataSpec:
    """Classes, ``[T]``."""
    return DataSpec((None,), dtype, dim, sparse=True, labels=tuple(labels) if labels else None)


class Letters(Task):
    """A task over letters: "data" has the input letters one-hot, "classes" as many output letters, as numbers."""

    inputs: str
    outputs: str
    targets_dtype = "int64"

    def __init__(self, options: GeneratedOptions) -> None:
        self.specs = {
            "data": dense_spec(len(self.inputs), labels=self.inputs),
            "classes": sparse_spec(len(self.outputs), self.targets_dtype, labels=self.outputs),
        }

    @abstractmethod
    def read(self, random: Random) -> str:
        """The input letters of a sequence."""

    @abstractmethod
    def answer(self, letters: str) -> str:
        """The output letter of each input letter."""

    def generate(self, random: Random, index: int, epoch: int) -> dict[str, Array]:
        """Input letters one-hot, output letters as numbers."""
        letters = self.read(random)
        numbers = [self.inputs.index(letter) for letter in letters]
        targets = [self.outputs.index(letter) for letter in self.answer(letters)]
        return {
            "data": np.eye(len(self.inputs), dtype=np.float32)[numbers],
            "classes": np.array(targets, dtype=self.targets_dtype),
        }

    def lengths(self, random: Random, index: int, epoch: int) -> Mapping[str, int]:
        """As many answers as letters."""
        return dict.fromkeys(self.specs, len(self.read(random)))


def random_letters(random: Random, letters: str, count: int) -> str:
    """So many letters, each drawn from ``letters``."""
    return "".join(letters[random.randint(len(letters))] for _ in range(count))
