"""The copy task: "classes" is "data". Draws follow RETURNN's CopyTaskDataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from returnn_ir.errors import ConfigError
from returnn_ir.options import Count, NonNegative, Range
from runtime.datasets.base import Array
from runtime.datasets.generating import GeneratedOptions, Random, Task, generated, sparse_spec

__all__ = ["CopyTask", "CopyTaskOptions"]


@dataclass(frozen=True, kw_only=True)
class CopyTaskOptions(GeneratedOptions):
    """Options of ``CopyTaskDataset``.

    Attributes:
        nsymbols: number of classes.
        minlen: frames of a sequence, at least.
        maxlen: frames of a sequence, at most.
        minlen_epoch_factor: times the epoch is added to ``minlen``.
        maxlen_epoch_factor: times the epoch is added to ``maxlen``.
    """

    nsymbols: Annotated[int, Range(1, 256)]
    minlen: Count = 0
    maxlen: Count = 0
    minlen_epoch_factor: NonNegative = 0
    maxlen_epoch_factor: NonNegative = 0


@generated("CopyTaskDataset", options=CopyTaskOptions)
class CopyTask(Task):
    """Random symbols."""

    def __init__(self, options: CopyTaskOptions) -> None:
        self._options = options
        # RETURNN has int8 for all of them, into which NumPy 2 does not let the upper half.
        self._dtype = "int8" if options.nsymbols <= 128 else "uint8"
        self.specs = {key: sparse_spec(options.nsymbols, self._dtype) for key in ("data", "classes")}

    def generate(self, random: Random, index: int, epoch: int) -> dict[str, Array]:
        """The same symbols twice."""
        length = self._length(random, epoch)
        symbols = np.array([random.randint(0, self._options.nsymbols) for _ in range(length)], dtype=self._dtype)
        return dict.fromkeys(self.specs, symbols)

    def lengths(self, random: Random, index: int, epoch: int) -> Mapping[str, int]:
        """The first draw."""
        return dict.fromkeys(self.specs, self._length(random, epoch))

    def _length(self, random: Random, epoch: int) -> int:
        options = self._options
        shortest = int(options.minlen + options.minlen_epoch_factor * epoch)
        longest = int(options.maxlen + options.maxlen_epoch_factor * epoch)
        if not 0 < shortest <= longest:
            raise ConfigError(
                f"no lengths in epoch {epoch}",
                where=options.where,
                expected="0 < minlen <= maxlen, each with its epoch factor",
                received=f"from {shortest} to {longest}",
            )
        return int(random.randint(shortest, longest + 1))
