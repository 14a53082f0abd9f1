"""Cuts the sequences of an epoch into pieces: RETURNN's chunks, to the frame and to the draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from random import Random

from returnn_ir.errors import ConfigError, DataError
from runtime.datasets.base import Sequence
from runtime.datasets.chunking import Chunks, Frames, PieceRules, frames_of
from runtime.datasets.pieces import Piece, SeqInfo

__all__ = ["chunked", "whole", "with_context"]

Seq = Sequence | SeqInfo
Parts = dict[str, tuple[int, int]]


def whole(sequences: Iterable[Seq]) -> Iterator[Piece]:
    """Each sequence as one piece."""
    return (Piece(seq, {key: (0, length) for key, length in seq.lengths.items()}) for seq in sequences)


def with_context(pieces: Iterable[Piece], context: Mapping[str, tuple[int, int]]) -> Iterator[Piece]:
    """Each piece with frames to its left and right; a key that it lacks has nothing but these, as in RETURNN."""
    if not context:
        yield from pieces
        return
    for seq, parts in pieces:
        wider = dict(parts)
        for key, (left, right) in context.items():
            start, end = parts.get(key, (0, 0))
            wider[key] = start - left, end + right
        yield Piece(seq, wider)


def chunked(
    sequences: Iterable[Seq],
    chunks: Chunks,
    rules: PieceRules,
    keys: Iterable[str],
    random: Random,
    where: str,
) -> Iterator[Piece]:
    """Each sequence in chunks.

    Args:
        keys: those that the network uses; of others a chunk has nothing.
        random: of the epoch, for the variance of sizes.
        where: the dataset, for messages.

    Raises:
        ConfigError: the rules say nothing of a key.
        DataError: (while it is iterated) a key of a sequence does not make the same chunks as the others.
    """
    cutter = _Cutter(chunks, rules, sorted(keys), random, where)
    return (piece for seq in sequences for piece in cutter.cut(seq))


class _Cutter:
    """Sizes and steps of the current sequence; they vary from one to the next."""

    def __init__(self, chunks: Chunks, rules: PieceRules, keys: list[str], random: Random, where: str) -> None:
        self._keys, self._where = keys, where
        self._sizes = _by_key("chunking", chunks.size, keys, where)
        self._steps = _by_key("chunking", chunks.step, keys, where)
        self._size, self._step = dict(self._sizes), dict(self._steps)
        self._least = _by_key("min_chunk_size", rules.min_chunk_size, keys, where)
        self._variance = rules.variance
        self._random = random
        moved = [key for key in keys if self._steps[key] > 0]
        if not moved:
            raise ConfigError(
                "'chunking' has no step for any data key that the network uses",
                where=where,
                expected=f"a step above 0 for one of {', '.join(keys)}",
            )
        self._smallest = min(moved, key=lambda key: (self._steps[key], key))
        # for RETURNN, keys that only the config's dict has have a full chunk everywhere, which counts for limits
        others = chunks.size if isinstance(chunks.size, Mapping) else {}
        self._others = {
            key: (size, frames_of(chunks.step, key) or 0) for key, size in others.items() if key not in keys
        }

    def cut(self, seq: Seq) -> Iterator[Piece]:
        """The chunks of one sequence."""
        lengths = {key: seq.lengths[key] for key in self._keys}
        leader = self._leader()
        self._vary()
        repeated = self._repeated(lengths, leader, seq)
        start = dict.fromkeys([*self._keys, *self._others], 0)
        while lengths[leader] > start[leader]:
            parts: Parts = {
                key: (0, length) if key in repeated else (start[key], min(start[key] + self._size[key], length))
                for key, length in lengths.items()
            }
            for key, (size, step) in self._others.items():
                parts[key] = start[key], start[key] + size
                start[key] += step
            yield Piece(seq, parts)
            for key in self._keys:
                start[key] += self._step[key]
            if any(length - start[key] <= self._least[key] for key, length in lengths.items()):
                break

    def _leader(self) -> str:
        """The key that all others are compared with; RETURNN chooses it by the steps of the sequence before."""
        first = "data" if "data" in self._keys else self._keys[0]
        return first if self._step[first] else next(key for key in self._keys if self._step[key] > 0)

    def _vary(self) -> None:
        """Draw this sequence's sizes and steps; keys whose sizes are multiples keep the ratio."""
        if self._variance <= 0:
            return
        share = 1.0 - self._random.random() * self._variance
        for key in self._keys:
            self._size[key] = max(int(self._sizes[key] * share), 1)
            self._step[key] = max(int(self._steps[key] * share), 1)
        smallest = self._sizes[self._smallest]
        for key in self._keys:
            if self._sizes[key] > smallest and self._sizes[key] % smallest == 0:
                ratio = self._sizes[key] // smallest
                self._size[key] = self._size[self._smallest] * ratio
                self._step[key] = self._step[self._smallest] * ratio

    def _repeated(self, lengths: Mapping[str, int], leader: str, seq: Seq) -> set[str]:
        """The keys that every chunk has whole, because they have one frame or none; others must fit to the leader."""
        repeated = set()
        for key, length in lengths.items():
            if self._step[key] == self._step[leader]:
                if length == lengths[leader]:
                    continue
                expected = lengths[leader]
                received, what = length, "frames"
            if length <= 1:
                repeated.add(key)
                continue
            if self._step[key] != self._step[leader]:
                expected, received, what = self._count(leader, lengths), self._count(key, lengths), "chunks"
                if expected == received:
                    continue
            raise DataError(
                f"chunks of {key!r} do not fit to those of {leader!r}",
                where=f"{self._where}, sequence {seq.tag!r}",
                expected=f"{expected} {what} of {key!r}, as of {leader!r}",
                received=f"{received} {what}: {self._described(key, lengths)}; {self._described(leader, lengths)}",
            )
        return repeated

    def _count(self, key: str, lengths: Mapping[str, int]) -> int:
        """The number of chunks of a key; one that is not moved has one."""
        step = self._step[key]
        return (lengths[key] - (self._least[key] or 1)) // step + 1 if step else 1

    def _described(self, key: str, lengths: Mapping[str, int]) -> str:
        return f"{key!r} has {lengths[key]} frames, chunk size {self._size[key]}, step {self._step[key]}"


def _by_key(option: str, frames: Frames, keys: Iterable[str], where: str) -> dict[str, int]:
    """Frames of each key.

    Raises:
        ConfigError: nothing is said of one of them.
    """
    found = {}
    for key in keys:
        number = frames_of(frames, key)
        if number is None:
            raise ConfigError(
                f"{option!r} says nothing of data key {key!r}, which the network uses",
                where=where,
                expected=f"a dict with {', '.join(map(repr, keys))}",
                received=str(frames),
            )
        found[key] = number
    return found
