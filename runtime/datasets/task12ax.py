"""The 12AX task: generated sequences with a long-term memory (the last digit) and a short-term one (the last letter).

O'Reilly and Frank, "Making Working Memory Work", Neural Computation 18 (2006). Draws and seeds follow RETURNN's
Task12AXDataset, so that an epoch has the same sequences.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from returnn_ir.options import Size
from runtime.datasets.base import DataSpec, Sequence
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.options import DatasetOptions
from runtime.datasets.ordering import IntArray

__all__ = ["Task12AXDataset", "Task12AXOptions"]

_INPUTS = "123ABCXYZ"
_OUTPUTS = "LR"
_ONE, _TWO = _INPUTS.index("1"), _INPUTS.index("2")
_PAIRS = tuple(tuple(_INPUTS.index(char) for char in pair) for pair in ("AX", "BY"))
_TARGET_SEQUENCES = ("1AX", "2BY")


@dataclass(frozen=True, kw_only=True)
class Task12AXOptions(DatasetOptions):
    """Options of :class:`Task12AXDataset`.

    Attributes:
        num_seqs: sequences per epoch.
    """

    num_seqs: Size

    def __post_init__(self) -> None:
        """Check values."""
        super().__post_init__()
        if isinstance(self.seq_ordering, str) and self.seq_ordering in ("sorted", "sorted_reverse"):
            # RETURNN sorts dev sets by default and ignores that for generated data.
            object.__setattr__(self, "seq_ordering", "default")


class Task12AXDataset(IndexedDataset):
    """Sequences of 10 to 99 symbols; "data" is one-hot ``[T, 9]``, "classes" says where a target sequence ends.

    The sequences differ from epoch to epoch, unless ``fixed_random_seed`` is set.
    """

    options_class: ClassVar[type[DatasetOptions]] = Task12AXOptions

    def __init__(self, options: Task12AXOptions) -> None:
        super().__init__(options)
        self._num_seqs = options.num_seqs
        self._lengths: tuple[int, IntArray] | None = None

    @property
    def num_seqs(self) -> int:
        """Sequences per epoch."""
        return self._num_seqs

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """Keys "data" and "classes"."""
        num_inputs = len(_INPUTS)
        return {
            "data": DataSpec((None, num_inputs), "float32", num_inputs, sparse=False, labels=tuple(_INPUTS)),
            "classes": DataSpec((None,), "int32", len(_OUTPUTS), sparse=True, labels=tuple(_OUTPUTS)),
        }

    def lengths(self, key: str) -> IntArray:
        """Lengths of the current epoch, equal for both keys, ``[num_seqs]``."""
        self.check_keys([key])
        seed = self.random_seed(self.started_epoch)
        if self._lengths is None or self._lengths[0] != seed:
            values = (_random_length(self._random(index)) for index in range(self.num_seqs))
            self._lengths = seed, np.fromiter(values, dtype=np.int64, count=self.num_seqs)
        return self._lengths[1]

    def tag(self, index: int) -> str:
        """``seq-INDEX``."""
        return f"seq-{index}"

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        """Generate one sequence of the current epoch."""
        random = self._random(index)
        symbols = generate_symbols(random, _random_length(random))
        data = {"data": np.eye(len(_INPUTS), dtype=np.float32)[symbols], "classes": classify(symbols)}
        return Sequence(self.tag(index), index, {key: data[key] for key in self.check_keys(keys)})

    def _random(self, index: int) -> np.random.RandomState:
        return np.random.RandomState([self.random_seed(self.started_epoch), index])


def _random_length(random: np.random.RandomState) -> int:
    return int(random.randint(10, 100))


def generate_symbols(random: np.random.RandomState, length: int) -> list[int]:
    """Draw input symbols; "AX" and "BY" are frequent, so that targets are not too rare.

    Repeats: perhaps a digit (half of the time), mostly one of the two pairs (9 of 10), then any symbols while a coin
    says so.
    """
    start = int(random.randint(3))
    symbols = [] if start == 0 else [_ONE if start == 1 else _TWO]
    while len(symbols) < length:
        if random.uniform() < 0.5:
            symbols.append((_ONE, _TWO)[random.randint(2)])
        if random.uniform() < 0.9:
            symbols.extend(_PAIRS[random.randint(2)])
        while random.uniform() < 0.5:
            symbols.append(int(random.randint(len(_INPUTS))))
    return symbols[:length]


def classify(symbols: list[int]) -> npt.NDArray[np.int32]:
    """The target of each frame, ``[T]``: R where "1 .. A X" or "2 .. B Y" is complete, L elsewhere."""
    digit, letter = "", ""
    result = np.zeros(len(symbols), dtype=np.int32)
    for frame, symbol in enumerate(symbols):
        char = _INPUTS[symbol]
        if char in "12":
            digit = char
        elif char in "AB":
            letter = char
        elif char in "XY":
            result[frame] = int(digit + letter + char in _TARGET_SEQUENCES)
            letter = ""
    return result
