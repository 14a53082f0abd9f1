"""What a dataset is: a stream of sequences per epoch, each with data under several keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from returnn_ir.errors import DataError, did_you_mean
from runtime.datasets.options import DatasetOptions

__all__ = ["Array", "DataSpec", "Dataset", "Sequence"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class DataSpec:
    """What the data of one key looks like in every sequence.

    Attributes:
        shape: of one sequence, without a batch axis; None where the size differs between sequences.
        dtype: NumPy's name, such as "float32".
        dim: number of classes (sparse) or features; None where the dataset does not know it.
        sparse: labels instead of vectors.
        labels: names of the classes, where the dataset has them.
    """

    shape: tuple[int | None, ...]
    dtype: str
    dim: int | None
    sparse: bool
    labels: tuple[str, ...] | None = None

    @property
    def ndim(self) -> int:
        """Number of axes, without the batch axis."""
        return len(self.shape)


@dataclass(frozen=True)
class Sequence:
    """One sequence. ``data[key]`` has the shape of the key's spec, the time axis first; lengths differ between keys."""

    tag: str
    index: int
    data: Mapping[str, Array]

    @property
    def lengths(self) -> Mapping[str, int]:
        """Frames by key; 1 where the data is one number."""
        return {key: len(array) if np.ndim(array) else 1 for key, array in self.data.items()}

    def read(self, keys: Collection[str]) -> Sequence:
        """Itself: it is read already."""
        return self


class Dataset(ABC):
    """A stream of sequences per epoch: all that a run needs.

    Only one epoch at a time is read, perhaps in a background thread.
    """

    #: Whether an epoch with the order of the one before has the same batches, random choices included.
    keeps_batches: bool = False
    #: Whether it may have the option ``window``.
    has_windows: bool = False

    def __init__(self, options: DatasetOptions) -> None:
        self.options = options

    @property
    @abstractmethod
    def specs(self) -> Mapping[str, DataSpec]:
        """The data keys, the default input first."""

    @abstractmethod
    def epoch(self, epoch: int, keys: Collection[str] | None = None) -> Iterator[Sequence]:
        """The sequences of an epoch (from 1) in its order, each read when it is asked for, of it only ``keys``.

        Raises:
            DataError: no sequence, or data that cannot be read.
        """

    def epoch_size(self, epoch: int) -> int | None:
        """About how many sequences an epoch has, for reports of progress; None: nobody knows."""
        return self.options.estimated_num_seqs

    def close(self) -> None:  # noqa: B027 - most datasets hold nothing that must be freed
        """Free files and memory; the dataset cannot be used afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def check_keys(self, keys: Collection[str] | None) -> tuple[str, ...]:
        """``keys`` in the order of the specs; all keys for None.

        Raises:
            DataError: a key that the dataset does not have.
        """
        for key in keys or ():
            if key not in self.specs:
                raise DataError(
                    f"no data key {key!r}",
                    where=self.options.where,
                    expected=f"one of {', '.join(self.specs)}",
                    hint=did_you_mean(key, self.specs),
                )
        return tuple(key for key in self.specs if keys is None or key in keys)

    def random_seed(self, epoch: int, epochs_fixed: int = 1) -> int:
        """The seed of an epoch; constant over the parts of a partitioned epoch and over ``epochs_fixed`` epochs."""
        if self.options.fixed_random_seed is not None:
            return self.options.fixed_random_seed
        full_epoch = (epoch - 1) // (self.options.partition_epoch or 1)
        return full_epoch // epochs_fixed + 1 + (self.options.random_seed_offset or 0)
