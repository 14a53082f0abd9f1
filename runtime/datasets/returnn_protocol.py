"""Datasets of a config's own classes: RETURNN's protocol of a dataset, read as a stream of sequences."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Sequence as Seq
from functools import cached_property
from traceback import extract_tb
from typing import Any

import numpy as np

from returnn_ir.config import dataset_base
from returnn_ir.errors import ConfigError, DataError, UserError
from runtime.datasets.base import Array, Dataset, DataSpec, Sequence
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.options import DatasetOptions, Places
from runtime.datasets.ordering import IntArray

__all__ = ["ProtocolDataset", "has_protocol"]

_ORDER_OPTIONS = (
    "name",
    "seq_ordering",
    "fixed_random_seed",
    "random_seed_offset",
    "partition_epoch",
    "repeat_epoch",
    "seq_list_filter_file",
    "unique_seq_tags",
    "seq_order_seq_lens_file",
)
_PROTOCOL = ("init_seq_order", "is_less_than_num_seqs", "load_seqs", "get_data")


def has_protocol(thing: object) -> bool:
    """Whether a class, or an object of one, has RETURNN's protocol."""
    return all(callable(getattr(thing, name, None)) for name in _PROTOCOL)


class ProtocolDataset(Dataset):
    """A dataset of a config's own class, sequence by sequence in its own order.

    The first sequence of epoch 1 says what the data look like; ``num_outputs``, where the class has it, says the dims.
    """

    def __init__(self, inner: Any, name: str | None = None) -> None:
        """Take an object with the protocol.

        Raises:
            ConfigError: its ``initialize`` fails.
        """
        estimated = getattr(inner, "estimated_num_seqs", None)
        super().__init__(
            DatasetOptions(name=name, estimated_num_seqs=estimated if isinstance(estimated, int) else None)
        )
        self._inner = inner
        if hasattr(inner, "initialize"):
            self._ask("initialize")

    @staticmethod
    def make(cls: type, kwargs: Mapping[str, Any], defaults: Mapping[str, Any], place: Places) -> ProtocolDataset:
        """Make an object of a class from a config's options.

        Args:
            defaults: for those that the config does not set; only what the class takes is given to it.

        Raises:
            ConfigError: the class does not take the options.
        """
        taken = inspect.signature(cls).parameters
        anything = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values())
        offered = {**defaults, "name": kwargs.get("name")}
        options = {key: value for key, value in offered.items() if anything or key in taken}
        options.update({key: value for key, value in kwargs.items() if key != "name" or key in options})
        try:
            return ProtocolDataset(cls(**options), kwargs.get("name"))
        except UserError:
            raise
        except Exception as error:
            raise _failed(f"{cls.__name__}(...)", error, place(None), ConfigError) from error

    @cached_property
    def specs(self) -> Mapping[str, DataSpec]:
        """As in the first sequence, with the dims of ``num_outputs``."""
        first = next(self._sequences(1, None), None)
        if first is None:
            raise DataError("the dataset has no sequences", where=self.options.where)
        dims = getattr(self._inner, "num_outputs", None)
        labels = getattr(self._inner, "labels", None) or {}
        return {
            key: _spec(array, dims.get(key) if isinstance(dims, Mapping) else None, labels.get(key))
            for key, array in sorted(first.data.items(), key=lambda item: (item[0] != "data", item[0]))
        }

    def epoch(self, epoch: int, keys: Collection[str] | None = None) -> Iterator[Sequence]:
        """Ask for one sequence after the other."""
        return self._sequences(epoch, self.check_keys(keys))

    def epoch_size(self, epoch: int) -> int | None:
        """What the class estimates, or the number of sequences where it is known without an epoch."""
        return self.options.estimated_num_seqs

    def _sequences(self, epoch: int, keys: tuple[str, ...] | None) -> Iterator[Sequence]:
        self._ask("init_seq_order", epoch=epoch)
        index = 0
        try:
            while self._ask("is_less_than_num_seqs", index):
                self._ask("load_seqs", index, index + 1)
                data = {}
                for key in self._ask("get_data_keys") if keys is None else keys:
                    data[key] = np.asarray(self._ask("get_data", index, key))
                yield Sequence(str(self._ask("get_tag", index)), index, data)
                index += 1
        finally:
            if hasattr(self._inner, "finish_epoch"):
                self._ask("finish_epoch")

    def _ask(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method of the class; what it raises becomes a message that says where."""
        try:
            return getattr(self._inner, method)(*args, **options)
        except UserError:
            raise
        except Exception as error:
            raise _failed(f"{type(self._inner).__name__}.{method}", error, self.options.where, DataError) from error


def _failed(what: str, error: Exception, where: Any, kind: type[UserError]) -> UserError:
    frames = extract_tb(error.__traceback__)
    line = f", at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    received = f"{type(error).__name__}: {error}{line}"
    return kind(f"{what} of the config's dataset class failed", where=where, received=received)


def _spec(array: Array, declared: Any, labels: Any) -> DataSpec:
    """What data like ``array`` is; ``declared`` is RETURNN's (dim, number of axes), 1 for classes."""
    dim, ndim = declared if isinstance(declared, (tuple, list)) and len(declared) == 2 else (declared, array.ndim)
    sparse = bool(array.ndim <= 1 and ndim <= 1 and np.issubdtype(array.dtype, np.integer))
    names = tuple(labels) if labels else None
    dtype = "object" if array.dtype.kind in "OUS" else array.dtype.name
    if sparse or array.ndim < 2:
        return DataSpec((None,) * array.ndim, dtype, int(dim) if dim else None, sparse, names)
    return DataSpec((*[None] * (array.ndim - 1), array.shape[-1]), dtype, array.shape[-1], False, names)


class _Ordered(IndexedDataset):
    """Numbers, lengths and tags of the sequences of a config's own dataset, to be ordered by its options."""

    def __init__(self, dataset: Any, num_seqs: int, get_seq_len: Callable[[int], float] | None) -> None:
        super().__init__(DatasetOptions(**{name: getattr(dataset, name) for name in _ORDER_OPTIONS}))
        self._dataset, self._num_seqs, self._get_seq_len = dataset, num_seqs, get_seq_len

    @property
    def num_seqs(self) -> int:
        return self._num_seqs

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        return {"data": DataSpec((None,), "float32", None, sparse=False)}

    def lengths(self, key: str) -> IntArray:
        if self._get_seq_len is None:
            raise ConfigError(
                f"seq_ordering {self.options.seq_ordering!r} needs lengths, which {self._dataset.name} does not give",
                hint="get_seq_order_for_epoch(epoch, num_seqs, get_seq_len)",
            )
        return np.array([self._get_seq_len(index) for index in range(self.num_seqs)])

    def tag(self, index: int) -> str:
        tag: str = self.all_tags()[index]
        return tag

    def all_tags(self) -> list[str]:
        return list(self._dataset.get_all_tags())

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        raise NotImplementedError


def _order_epoch(dataset: Any, epoch: int, num_seqs: int, get_seq_len: Callable[[int], float] | None) -> Seq[int]:
    order: list[int] = _Ordered(dataset, num_seqs, get_seq_len).init_epoch(epoch).tolist()
    return order


dataset_base.Dataset.order_epoch = staticmethod(_order_epoch)
