"""The extent of a derived axis, compared with the largest of what the sequences have."""

from __future__ import annotations

import pytest

from compiler.analysis.extents import derived_extent, follows_from_extents
from returnn_ir.ir.dim_values import DimAlgebra, evaluate
from returnn_ir.ir.dims import Dim, Kind

NUMBERS: DimAlgebra[int] = DimAlgebra(
    constant=lambda n: n,
    add=lambda a, b: a + b,
    mul=lambda a, b: a * b,
    floordiv=lambda a, n: a // n,
    clip_at_zero=lambda a: max(a, 0),
)
A, B = Dim("A", kind=Kind.BATCH), Dim("B", kind=Kind.BATCH)
T, S, F = Dim("T"), Dim("S"), Dim("F", 3)
#: The lengths of three sequences; the longest in T is the shortest in S.
LENGTHS: tuple[dict[Dim, int], ...] = ({T: 5, S: 1}, {T: 2, S: 4}, {T: 0, S: 3})
EXTENTS = {T: 5, S: 4, A: 3, B: 3}


def longest(dim: Dim) -> int:
    """The longest of the lengths of a derived dim, sequence by sequence."""
    return max(evaluate(dim, NUMBERS, lengths.__getitem__) for lengths in LENGTHS)


def extent(dim: Dim) -> int:
    """That of a dim that arrays have."""
    return EXTENTS[dim] if dim.size is None else dim.size


@pytest.mark.parametrize(
    ("dim", "size"),
    [
        (T - 1, 4),
        (T.ceildiv(2), 3),
        (2 * T + 3, 13),
        (T * F, 15),
        (T * T, 25),
        (T - 6, 0),
        (A * F, 9),
        (A * B, 9),
    ],
    ids=str,
)
def test_follows(dim: Dim, size: int) -> None:
    """Of one varying axis, of batches."""
    assert follows_from_extents(dim)
    assert derived_extent(dim, NUMBERS, extent, longest) == size


def test_merged_axes_have_the_padding_of_both() -> None:
    """No sequence has 5 * 4 frames, but the array has."""
    assert longest(T * S) == 8
    assert derived_extent(T * S, NUMBERS, extent, longest) == 20


def test_joined_axes_are_as_long_as_the_longest() -> None:
    """The extents would give 5 + 4, but no sequence has both."""
    assert not follows_from_extents(T + S)
    assert derived_extent(T + S, NUMBERS, extent, longest) == 6
    assert derived_extent((T + S).ceildiv(2), NUMBERS, extent, longest) == 3


def test_a_dim_of_its_own_follows_from_nothing() -> None:
    assert not follows_from_extents(T)
    assert derived_extent(T, NUMBERS, extent, longest) == 5
