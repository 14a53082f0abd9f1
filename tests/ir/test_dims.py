"""Derived dims: equal derivations are one dim, and what a quotient is."""

from __future__ import annotations

import pytest

from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dim_values import settled
from returnn_ir.ir.dims import BATCH, Dim, leaves, rebuild


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
    with pytest.raises(DimError) as caught:
        Dim("T") // Dim("S")
    assert str(caught.value) == (
        "a dim divided by one of varying length that is not its last factor\n"
        "  expected: a number, a dim of fixed size, or a factor\n"
        "  received: T(dynamic) and S(dynamic)"
    )
    with pytest.raises(DimError) as caught:
        Dim("T").div_left(0)
    assert str(caught.value) == "a dim is divided by a number above zero\n  received: T(dynamic) and 0"


def test_copies() -> None:
    feature, time = Dim("F", 4, feature=True), Dim("T")
    other = feature.copy(match_priority=1)
    assert other is feature.copy(match_priority=1) is not feature
    assert other.base is feature is other.copy(match_priority=0) is feature.copy()
    assert (other + 1, other * 2, other.ceildiv(3)) == (feature + 1, feature * 2, feature.ceildiv(3))
    assert leaves(time.copy(match_priority=1)) == [time]
    space = Dim("S")
    assert rebuild(time.copy(match_priority=1), {time: space}.__getitem__) is space.copy(match_priority=1)
    assert BATCH.copy(match_priority=1) is BATCH


def test_dims_that_are_declared_to_be_the_same() -> None:
    time, other, third = Dim("T"), Dim("S"), Dim("U")
    time.declare_same_as(other)
    other.declare_same_as(third)
    assert settled(time.ceildiv(2) + 1, {}) is third.ceildiv(2) + 1
    assert settled(time, {third: Dim("V")}).name == "V"
    time.declare_same_as(Dim("W"))  # what was said before stays
    assert settled(time, {}) is settled(other, {}) is settled(third, {})
    third.declare_same_as(time)  # in a circle
    assert settled(time, {}).name == "W"
    derived = (time + 1) * 2
    derived.declare_same_as(space := Dim("X"))
    assert settled(space, {}) is settled(derived, {})
    (batch := Dim("N")).declare_same_as(BATCH)
    assert settled(batch, {}) is BATCH is BATCH.meant
    first, second = Dim("first"), Dim("second")
    first.declare_same_as(second + 1)
    second.declare_same_as(last := Dim("last"))
    with pytest.raises(ConfigError, match="each of them is derived"):
        last.declare_same_as(first)
    with pytest.raises(ConfigError) as caught:
        time.meant.declare_same_as(time.meant + 1)
    assert str(caught.value) == (
        "dims are declared to be the same, and each of them is derived from others\n"
        "  expected: one that is not derived, and is not in the other one\n  received: W(dynamic) and W+1(dynamic)"
    )
    with pytest.raises(ConfigError) as caught:
        Dim("F", 3).declare_same_as(Dim("G", 4))
    assert str(caught.value) == (
        "dims of different sizes are declared to be the same\n  expected: F(3)\n  received: G(4)"
    )


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
