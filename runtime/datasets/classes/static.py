"""Data that is in memory already: a list of sequences, each a dict of arrays: RETURNN's StaticDataset."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Any

import numpy as np

from returnn_ir.errors import ConfigError, DataError
from returnn_ir.options import Size
from runtime.datasets.base import Array, DataSpec, Sequence
from runtime.datasets.generating import numbers_of_tags
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.options import DatasetOptions
from runtime.datasets.ordering import IntArray
from runtime.datasets.registry import dataset

__all__ = ["StaticDataset", "StaticOptions"]


@dataclass(frozen=True, kw_only=True)
class StaticOptions(DatasetOptions):
    """Options of :class:`StaticDataset`.

    Attributes:
        data: the sequences; the time axis is the first one of each array. Texts are data, too.
        target_list: the keys that are targets (default: all but "data"); they only have to exist.
        input_dim: feature dim of "data".
        output_dim: key to ``(dim, ndim)`` or to dim; an int is the dim of "classes".
    """

    data: Any = ()
    target_list: Seq[str] | None = None
    input_dim: Size | None = None
    output_dim: int | Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Check values. The data stay the object that was given, which may make its sequences when it is asked."""
        super().__post_init__()
        if not isinstance(self.data, Seq) or not all(isinstance(seq, Mapping) for seq in self.data):
            raise ConfigError(
                "dataset: option 'data' has the wrong type",
                expected="a list of sequences, each a dict from data keys to arrays",
                received=type(self.data).__name__,
            )


@dataset("StaticDataset", options=StaticOptions)
class StaticDataset(IndexedDataset):
    """Sequences from memory, with tags ``seq-INDEX``."""

    def __init__(self, options: StaticOptions) -> None:
        super().__init__(options)
        if not options.data:
            raise DataError("the dataset has no sequences", where=options.where)
        first = options.data[0]
        keys = sorted(first, key=lambda key: (key != "data", key))
        self._seqs = [
            {key: _array(value, f"{options.where}, sequence {index}, key {key!r}") for key, value in seq.items()}
            for index, seq in enumerate(options.data)
        ]
        declared = _declared_dims(options)
        self._specs = {key: _make_spec(self._seqs[0][key], declared.get(key)) for key in keys}
        self._lengths: dict[str, IntArray] = {}
        self.check_keys([*declared, *(options.target_list or ())])
        self._check_seqs(declared)

    @property
    def num_seqs(self) -> int:
        """Number of sequences."""
        return len(self._seqs)

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """All keys, "data" first, then sorted."""
        return self._specs

    def lengths(self, key: str) -> IntArray:
        """Sizes of the first axis, ``[num_seqs]``; 1 where the data is one scalar per sequence."""
        self.check_keys([key])
        if key not in self._lengths:
            self._lengths[key] = np.array([seq[key].shape[0] if seq[key].ndim else 1 for seq in self._seqs], np.int64)
        return self._lengths[key]

    def tag(self, index: int) -> str:
        """``seq-INDEX``."""
        return f"seq-{index}"

    def by_tags(self, tags: Seq[str]) -> IntArray:
        """The number in each tag."""
        return numbers_of_tags(tags, self.num_seqs)

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        """One sequence; the arrays are those that were given, not copies."""
        seq = self._seqs[index]
        return Sequence(self.tag(index), index, {key: seq[key] for key in self.check_keys(keys)})

    def _check_seqs(self, declared: Mapping[str, tuple[int, int | None]]) -> None:
        for key, (dim, ndim) in declared.items():
            spec = self._specs[key]
            if (ndim is not None and ndim != spec.ndim) or (spec.ndim >= 2 and dim != spec.shape[-1]):
                raise DataError(
                    f"the data does not have the declared dim of key {key!r}",
                    where=self.options.where,
                    expected=f"dim {dim}, {ndim} axes",
                    received=f"shape {self._seqs[0][key].shape}",
                )
        for index, seq in enumerate(self._seqs):
            where = f"{self.options.where}, sequence {index}"
            if seq.keys() != self._specs.keys():
                keys = ", ".join(self._specs)
                raise DataError("data keys differ", where=where, expected=keys, received=", ".join(sorted(seq)))
            for key, spec in self._specs.items():
                array = seq[key]
                fits = array.ndim == spec.ndim and all(
                    size is None or size == actual for size, actual in zip(spec.shape, array.shape, strict=True)
                )
                if not fits or array.dtype != spec.dtype:
                    raise DataError(
                        f"data of key {key!r} is unlike that of sequence 0",
                        where=where,
                        expected=f"shape {spec.shape}, dtype {spec.dtype}",
                        received=f"shape {array.shape}, dtype {array.dtype}",
                    )


def _array(value: object, where: str) -> Array:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError("not an array", where=where, received=str(error)) from error
    if array.dtype.kind in "OUS":
        return _texts(array, where)
    return array


def _texts(array: Array, where: str) -> Array:
    """An array of texts, whose type does not say how long they are."""
    texts = array.astype(object)
    for one in texts.reshape(-1):
        if not isinstance(one, (str, bytes)):
            raise DataError("not an array of numbers or texts", where=where, received=type(one).__name__)
    return texts


def _declared_dims(options: StaticOptions) -> dict[str, tuple[int, int | None]]:
    """Key to (dim, ndim) from the options ``output_dim`` and ``input_dim``."""
    given = options.output_dim
    raw: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {} if given is None else {"classes": given}
    if options.input_dim is not None:
        raw.setdefault("data", (options.input_dim, 2))
    dims: dict[str, tuple[int, int | None]] = {}
    for key, value in raw.items():
        pair = tuple(value) if isinstance(value, (tuple, list)) else (value, 2 if key == "data" else 1)
        if len(pair) != 2 or not all(isinstance(part, int) for part in pair):
            expected = "a dim, or (dim, number of axes)"
            raise ConfigError(f"wrong output_dim for {key!r}", where=options.where, expected=expected, received=value)
        dims[key] = pair
    return dims


def _make_spec(array: Array, declared: tuple[int, int | None] | None) -> DataSpec:
    sparse = array.ndim <= 1 and np.issubdtype(array.dtype, np.integer)
    if array.ndim >= 2:
        shape: tuple[int | None, ...] = (*[None] * (array.ndim - 1), array.shape[-1])
        return DataSpec(shape, array.dtype.name, array.shape[-1], sparse=False)
    return DataSpec((None,) * array.ndim, array.dtype.name, (declared[0] if declared else 0) or None, sparse=sparse)
