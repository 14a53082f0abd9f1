"""Data without a meaning: numbers that count up. The numbers are those of RETURNN's DummyDataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from returnn_ir.errors import ConfigError
from returnn_ir.options import Count, Described, Finite, Size
from runtime.datasets.base import Array
from runtime.datasets.generating import GeneratedOptions, Random, Task, dense_spec, generated, sparse_spec

__all__ = ["Dummy", "DummyOptions", "DummyValues", "OutputDims", "data_dims"]

#: Data key to ``(dim, ndim)`` or to dim; a number is the dim of "classes".
OutputDims = Annotated[
    Size | Mapping[str, Any], Described("a dim, or a dict from data keys to dims or pairs (dim, number of axes)")
]


@dataclass(frozen=True, kw_only=True)
class DummyValues(GeneratedOptions):
    """Which numbers dense data has: what is counted, modulo ``input_max_value``, shifted, then scaled.

    Attributes:
        input_max_value: where counting begins anew.
        input_shift: default: half of the largest value down.
        input_scale: default: 1 by the largest value.
    """

    input_max_value: Finite = 10.0
    input_shift: Finite | None = None
    input_scale: Finite | None = None

    def __post_init__(self) -> None:
        """Check values."""
        super().__post_init__()
        if self.input_max_value == 0:
            raise ConfigError("wrong input_max_value", expected="a number that is not 0", received=self.input_max_value)

    def dense(self, start: int, frames: int, dim: int) -> npt.NDArray[np.float64]:
        """Vectors that count on from ``start``, ``[frames, dim]``."""
        shift = -self.input_max_value / 2.0 if self.input_shift is None else self.input_shift
        scale = 1.0 / self.input_max_value if self.input_scale is None else self.input_scale
        numbers = np.arange(start, start + frames * dim, dtype=np.float64)
        return ((np.mod(numbers, self.input_max_value) + shift) * scale).reshape(frames, dim)


@dataclass(frozen=True, kw_only=True)
class DummyOptions(DummyValues):
    """Options of ``DummyDataset``.

    Attributes:
        input_dim: of "data".
        output_dim: of "classes".
        seq_len: frames of each sequence.
    """

    input_dim: Size
    output_dim: OutputDims
    seq_len: Count = 2


@generated("DummyDataset", options=DummyOptions)
class Dummy(Task):
    """Vectors, and classes that count on behind them."""

    def __init__(self, options: DummyOptions) -> None:
        self._options = options
        self._num_classes = data_dims(options.output_dim, ["classes"], options)["classes"][0]
        self.specs = {"data": dense_spec(options.input_dim), "classes": sparse_spec(self._num_classes, "int32")}

    def generate(self, random: Random, index: int, epoch: int) -> dict[str, Array]:
        """Counted from the sequence's index."""
        options = self._options
        data = options.dense(index, options.seq_len, options.input_dim).astype(np.float32)
        start = index + data.size
        classes = np.arange(start, start + options.seq_len) % self._num_classes
        return {"data": data, "classes": classes.astype(np.int32)}

    def lengths(self, random: Random, index: int, epoch: int) -> Mapping[str, int]:
        """All the same."""
        return dict.fromkeys(self.specs, self._options.seq_len)


def data_dims(given: int | Mapping[str, Any], keys: list[str], options: GeneratedOptions) -> dict[str, tuple[int, int]]:
    """Key to (dim, number of axes), from RETURNN's forms; a dim alone is of vectors for "data" and of classes else.

    Raises:
        ConfigError: another value, or one of ``keys`` is missing.
    """
    raw = dict(given) if isinstance(given, Mapping) else {"classes": given}
    dims: dict[str, tuple[int, int]] = {}
    for key in keys:
        value = raw.get(key)
        pair = (value, 2 if key == "data" else 1) if isinstance(value, int) else value
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not all(type(x) is int and x > 0 for x in pair):
            expected = "a dim, or (dim, number of axes)"
            raise ConfigError(
                f"wrong output_dim for {key!r}", where=options.place("output_dim"), expected=expected, received=value
            )
        dims[key] = pair[0], pair[1]
    return dims
