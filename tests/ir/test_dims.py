"""Derived dims: equal derivations are one dim, and what a quotient is."""

from __future__ import annotations

import pytest

from returnn_ir.errors import DimError
from returnn_ir.ir.dims import Dim


def test_quotients_that_cancel() -> None:
    t, f = Dim("T"), Dim("F", 3)
    assert t // 1 is t
    assert t.ceildiv(1) is t
    assert (2 * t) // 2 is t
    assert (2 * t - 4).ceildiv(2) is t - 2
    assert (t * f) // f is t
    assert (t * f + 2 * f) // f is t + 2
    assert (6 * t).ceildiv_right(3) is 2 * t
    assert (t * Dim("K")) // 1 is not t


def test_quotients_of_sizes() -> None:
    seven = Dim("seven", 7)
    assert (seven // 2).size == 3
    assert seven.ceildiv(2).size == 4
    assert (seven // Dim("two", 2)).size == 3
    assert seven.ceildiv(7).size == 1
    assert (Dim("none", 0) // 2).size == 0
    assert Dim("none", 0).ceildiv(2).size == 0


def test_quotients_of_lengths_are_one_dim() -> None:
    t = Dim("T")
    assert t.ceildiv(2) is t.ceildiv(2)
    assert t.ceildiv(2) is not t // 2
    assert t.ceildiv(2) is not t.ceildiv(3)
    assert t // Dim("two", 2) is t // 2
    assert t.ceildiv(2).is_dynamic
    assert (t + 1) // 2 is not t // 2


def test_a_quotient_by_another_length() -> None:
    with pytest.raises(ValueError) as caught:
        Dim("T") // Dim("S")
    assert str(caught.value) == "cannot divide T(dynamic) by S(dynamic), which is neither a factor of it nor static"


def test_a_size_that_is_required() -> None:
    assert Dim("F", 3).require_size("somewhere") == 3
    assert Dim("none", 0).require_size("somewhere") == 0
    with pytest.raises(DimError) as caught:
        Dim("T").require_size("layer 'x'")
    assert str(caught.value) == (
        "layer 'x': the size of the axis 'T' must be fixed\n"
        "  expected: a number that the config gives\n"
        "  received: T, whose size is known with the data only"
    )
