"""Copying an array into one of another shape block by block, as ``copy_param_mode = "subset"`` does.

Each axis consists of blocks: the gates of an LSTM, the features of several sources. Which entries of an old array
belong together follows from the new array's blocks and the old shape alone; it is RETURNN's guess.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from compiler.target.protocol import Array
from returnn_ir.construct.state import Splits

__all__ = ["copy_blocks", "is_covered", "old_splits"]


def old_splits(new: Splits, shape: Sequence[int]) -> Splits | None:
    """The blocks of an old array of a shape, guessed from the new one's; None where that gives negative sizes.

    A size that stands for a whole axis, or for a number of equal blocks into which the old axis can be divided, has
    become what it is now, on all axes. Of the other sizes all but the last of an axis stay as they are; the last one
    takes what is left. Where all are known and do not sum up, the first is wrong.

    >>> old_splits(((3,), (4, 4, 4, 4)), (5, 24))  # an LSTM's input weights
    ((5,), (6, 6, 6, 6))
    >>> old_splits(((3, 4), (4, 4, 4, 4)), (8, 24))  # with the recurrent ones below
    ((2, 6), (6, 6, 6, 6))
    """
    became = _known_sizes(new, shape)
    found = tuple(
        (extent,) if len(sizes) == 1 else _axis_sizes(sizes, extent, became)
        for sizes, extent in zip(new, shape, strict=True)
    )
    return found if all(size >= 0 for sizes in found for size in sizes) else None


def _known_sizes(new: Splits, shape: Sequence[int]) -> dict[int, int]:
    """The old size of a new one, where an axis tells it; the last axis that does is right."""
    known: dict[int, int] = {}
    for sizes, extent in zip(new, shape, strict=True):
        if len(set(sizes)) == 1 and extent % len(sizes) == 0:
            known[sizes[0]] = extent // len(sizes)
    return known


def _axis_sizes(sizes: Sequence[int], extent: int, became: dict[int, int]) -> tuple[int, ...]:
    found = [became.get(size) for size in sizes]
    unknown = [i for i, size in enumerate(found) if size is None]
    if not unknown:
        unknown = [0]
    for i in unknown[:-1]:
        found[i] = min(sizes[i], extent - _total(found))
    found[unknown[-1]] = None
    found[unknown[-1]] = extent - _total(found)
    return tuple(size for size in found if size is not None)


def _total(sizes: Sequence[int | None]) -> int:
    return sum(size for size in sizes if size is not None)


def is_covered(new: Splits, old: Splits) -> bool:
    """Whether :func:`copy_blocks` writes every entry of the new array."""
    return all(n <= o for ns, os in zip(new, old, strict=True) for n, o in zip(ns, os, strict=True))


def copy_blocks(source: Array, old: Splits, target: Array, new: Splits) -> None:
    """Write of each block of ``source`` as much as fits into the same block of ``target``, from its beginning."""
    axes = [list(_ranges(o, n)) for o, n in zip(old, new, strict=True)]
    for block in itertools.product(*axes):
        target[tuple(to for _, to in block)] = source[tuple(read for read, _ in block)]


def _ranges(old: Sequence[int], new: Sequence[int]) -> Iterator[tuple[slice, slice]]:
    """What of an old axis goes where on the new one, block after block."""
    read = write = 0
    for before, after in zip(old, new, strict=True):
        size = min(before, after)
        yield slice(read, read + size), slice(write, write + size)
        read, write = read + before, write + after
