"""As ``DummyDataset``, with any data keys: RETURNN's DummyDatasetMultipleDataKeys."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Any

import numpy as np

from returnn_ir.errors import ConfigError
from returnn_ir.options import Count
from runtime.datasets.base import Array
from runtime.datasets.classes.dummy import DummyValues, data_dims
from runtime.datasets.generating import Random, Task, dense_spec, generated, sparse_spec

__all__ = ["DummyDataKeys", "DummyDataKeysOptions"]


@dataclass(frozen=True, kw_only=True)
class DummyDataKeysOptions(DummyValues):
    """Options of ``DummyDatasetMultipleDataKeys``.

    Attributes:
        output_dim: data key to ``(dim, ndim)``, ndim 1 for classes, or to dim.
        seq_len: frames of each sequence, of all keys or by key.
        data_keys: in the order in which they count on, default "data" and "classes".
    """

    output_dim: Mapping[str, Any]
    seq_len: Count | Mapping[str, Count] | None = None
    data_keys: Seq[str] | None = None


@generated("DummyDatasetMultipleDataKeys", options=DummyDataKeysOptions)
class DummyDataKeys(Task):
    """Each key counts on behind the one before."""

    def __init__(self, options: DummyDataKeysOptions) -> None:
        self._options = options
        keys = list(options.data_keys or ("data", "classes"))
        given = 20 if options.seq_len is None else options.seq_len
        self._frames = dict(given) if isinstance(given, Mapping) else dict.fromkeys(keys, given)
        for name, own in (("seq_len", self._frames), ("output_dim", options.output_dim)):
            if own.keys() != set(keys):
                raise ConfigError(
                    f"wrong keys of {name}",
                    where=options.place(name),
                    expected=f"the data keys {', '.join(keys)}",
                    received=", ".join(own),
                )
        self._dims = data_dims(options.output_dim, keys, options)
        dims = self._dims.items()
        self.specs = {key: sparse_spec(dim) if ndim == 1 else dense_spec(dim, "float64") for key, (dim, ndim) in dims}

    def generate(self, random: Random, index: int, epoch: int) -> dict[str, Array]:
        """Counted from the sequence's index."""
        data: dict[str, Array] = {}
        start = index
        for key, (dim, ndim) in self._dims.items():
            frames = self._frames[key]
            if ndim == 1:
                data[key] = np.arange(start, start + frames) % dim
            else:
                data[key] = self._options.dense(start, frames, dim)
            start += data[key].size
        return data

    def lengths(self, random: Random, index: int, epoch: int) -> Mapping[str, int]:
        """All the same."""
        return self._frames
