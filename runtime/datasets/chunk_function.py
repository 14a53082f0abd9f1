"""``chunking = function``: the config's own function says which pieces there are, as RETURNN calls it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from random import Random
from typing import Any

from returnn_ir.config.numbers_dict import NumbersDict
from returnn_ir.errors import ConfigError, DataError
from returnn_ir.options import shown
from runtime.datasets.base import Array, Dataset, Sequence
from runtime.datasets.chunking import ChunkFunction
from runtime.datasets.pieces import Piece, SeqInfo

__all__ = ["DatasetView", "called_chunks"]


def called_chunks(
    dataset: Dataset,
    sequences: Iterable[Sequence | SeqInfo],
    function: ChunkFunction,
    keys: Collection[str],
    *,
    recurrent: bool,
    random: Random,
) -> Iterator[Piece]:
    """The pieces that a config's function gives as tuples (number in the epoch, starts by key, ends by key).

    Args:
        keys: that the network uses.
        random: of the epoch, which the function may draw from.

    Raises:
        DataError: a piece that is none.
    """
    numbered = _Sequences(sequences)
    view = DatasetView(dataset, numbered, random)
    where = f"{dataset.options.where}, chunking = {getattr(function, '__name__', 'function')}"
    given = function(dataset=view, seq_idx_start=0, recurrent_net=recurrent, used_data_keys=set(keys))
    for item in given:
        try:
            number, starts, ends = item
            parts = _parts(starts, ends)
            seq = numbered[number]
        except (TypeError, ValueError, KeyError, IndexError) as error:
            raise DataError(
                "no piece of a sequence",
                where=where,
                expected="(number of the sequence in the epoch, NumbersDict of starts, NumbersDict of ends)",
                received=f"{shown(item)} ({type(error).__name__}: {error})",
            ) from error
        missing = [key for key in keys if key not in parts]
        if missing:
            raise DataError(
                f"a piece without {missing[0]!r}, which the network uses", where=where, received=shown(item)
            )
        numbered.forget_before(number)
        yield Piece(seq, parts)


def _parts(starts: Any, ends: Any) -> dict[str, tuple[int, int]]:
    first, last = NumbersDict(starts), NumbersDict(ends)
    return {key: (int(first[key]), int(end)) for key, end in last.items()}


class _Sequences:
    """The sequences of an epoch by their number, those behind the first one that is still needed."""

    def __init__(self, sequences: Iterable[Sequence | SeqInfo]) -> None:
        self._rest = iter(sequences)
        self._ahead: deque[Sequence | SeqInfo] = deque()
        self._first = 0

    def has(self, number: int) -> bool:
        """Whether the epoch has so many."""
        while self._first + len(self._ahead) <= number:
            seq = next(self._rest, None)
            if seq is None:
                return False
            self._ahead.append(seq)
        return True

    def __getitem__(self, number: int) -> Sequence | SeqInfo:
        if number < self._first or not self.has(number):
            raise IndexError(f"sequence {number}")
        return self._ahead[number - self._first]

    def forget_before(self, number: int) -> None:
        """Sequences with smaller numbers are not asked for any more."""
        while self._first < number:
            self._ahead.popleft()
            self._first += 1


class DatasetView:
    """What RETURNN's dataset is for such a function: sequences by their number in the epoch."""

    def __init__(self, dataset: Dataset, sequences: _Sequences, random: Random) -> None:
        self._dataset = dataset
        self._sequences = sequences
        self._read: tuple[int, Sequence] | None = None
        self.rnd_seq_drop = random
        self.min_chunk_size = NumbersDict(dataset.options.min_chunk_size)
        self.chunking_variance = dataset.options.chunking_variance
        self.name = dataset.options.name

    def is_less_than_num_seqs(self, n: int) -> bool:
        """Whether the epoch has a sequence with this number."""
        return self._sequences.has(n)

    def load_seqs(self, start: int, end: int) -> None:
        """Nothing to do: what is asked for is read then."""

    def get_seq_length(self, seq_idx: int) -> NumbersDict:
        """Frames of a sequence by key."""
        return NumbersDict(dict(self._sequences[seq_idx].lengths))

    def get_data(self, seq_idx: int, key: str) -> Array:
        """The data of a sequence."""
        if self._read is None or self._read[0] != seq_idx:
            self._read = seq_idx, self._sequences[seq_idx].read(tuple(self._dataset.specs))
        return self._read[1].data[key]

    def get_tag(self, seq_idx: int) -> str:
        """The tag of a sequence."""
        return self._sequences[seq_idx].tag

    def get_data_keys(self) -> list[str]:
        """The keys of the dataset."""
        return list(self._dataset.specs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        known = sorted(key for key in [*vars(self), *vars(type(self))] if not key.startswith("_"))
        raise ConfigError(
            f"the function 'chunking' asks the dataset for {name!r}, which there is not",
            where=self._dataset.options.where,
            expected=", ".join(known),
        )
