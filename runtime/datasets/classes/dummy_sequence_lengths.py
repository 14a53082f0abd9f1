"""As ``DummyDataset``, with another length for each key: RETURNN's DummyDatasetMultipleSequenceLength."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from returnn_ir.errors import ConfigError
from returnn_ir.options import Count, Size
from runtime.datasets.base import Array
from runtime.datasets.classes.dummy import DummyValues, OutputDims, data_dims
from runtime.datasets.generating import Random, Task, dense_spec, generated, sparse_spec

__all__ = ["DummySequenceLengths", "DummySequenceLengthsOptions"]


@dataclass(frozen=True, kw_only=True)
class DummySequenceLengthsOptions(DummyValues):
    """Options of ``DummyDatasetMultipleSequenceLength``.

    Attributes:
        input_dim: of "data".
        output_dim: of "classes".
        seq_len: frames of each sequence by key; without it 10 of "data" and 20 of "classes".
    """

    input_dim: Size
    output_dim: OutputDims
    seq_len: Mapping[str, Count] | None = None


@generated("DummyDatasetMultipleSequenceLength", options=DummySequenceLengthsOptions)
class DummySequenceLengths(Task):
    """Vectors, and classes that count on behind them."""

    def __init__(self, options: DummySequenceLengthsOptions) -> None:
        self._options = options
        self._frames = dict(options.seq_len or {"data": 10, "classes": 20})
        if self._frames.keys() != {"data", "classes"}:
            expected, received = "a dict with data and classes", ", ".join(self._frames)
            raise ConfigError("wrong seq_len", where=options.place("seq_len"), expected=expected, received=received)
        self._num_classes = data_dims(options.output_dim, ["classes"], options)["classes"][0]
        self.specs = {"data": dense_spec(options.input_dim, "float64"), "classes": sparse_spec(self._num_classes)}

    def generate(self, random: Random, index: int, epoch: int) -> dict[str, Array]:
        """Counted from the sequence's index."""
        data = self._options.dense(index, self._frames["data"], self._options.input_dim)
        start = index + data.size
        return {"data": data, "classes": np.arange(start, start + self._frames["classes"]) % self._num_classes}

    def lengths(self, random: Random, index: int, epoch: int) -> Mapping[str, int]:
        """All the same."""
        return self._frames
