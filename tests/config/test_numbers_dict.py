"""Numbers by data key: what RETURNN's class of that name answers to the same questions."""

from __future__ import annotations

import pytest

from returnn_ir.config.numbers_dict import NumbersDict


def plain(numbers: NumbersDict) -> tuple[dict[str, float], float | None]:
    return numbers.dict, numbers.value


def test_construction() -> None:
    assert plain(NumbersDict({"a": 1})) == ({"a": 1}, None)
    assert plain(NumbersDict(3)) == ({}, 3)
    assert plain(NumbersDict(numbers_dict={"a": 1}, broadcast_value=2)) == ({"a": 1}, 2)
    first = NumbersDict({"a": 1})
    second = NumbersDict(first)
    second["a"] = 5
    assert (first["a"], second["a"], first.copy()["a"]) == (1, 5, 1)
    assert plain(NumbersDict.constant_like(7, numbers_dict=first)) == ({"a": 7}, None)
    assert plain(NumbersDict.constant_like(7, numbers_dict=NumbersDict(1))) == ({}, 7)
    assert plain(NumbersDict(4).copy_like(first)) == ({"a": 4}, None)
    assert plain(NumbersDict({"b": 4}).copy_like(first)) == ({}, None)


def test_as_a_dict() -> None:
    numbers = NumbersDict(numbers_dict={"a": 1, "b": 2}, broadcast_value=9)
    assert (numbers["a"], numbers["c"], numbers.get("c", 5), "c" in numbers) == (1, 9, 9, False)
    assert (sorted(numbers.keys()), sorted(numbers.items())) == (["a", "b"], [("a", 1), ("b", 2)])
    assert (numbers.values(), numbers.max_value(), numbers.min_value()) == ([1, 2, 9], 9, 1)
    assert (numbers.pop("a"), numbers.pop("x", 3)) == (1, 3)
    del numbers["b"]
    assert (numbers.has_values(), numbers.has_value_for("z")) == (True, True)
    assert not NumbersDict({}).has_values()
    with pytest.raises(KeyError):
        NumbersDict({"a": 1})["b"]


def test_arithmetic_is_by_key() -> None:
    one, other = NumbersDict({"a": 7, "b": 3}), NumbersDict({"a": 2, "c": 5})
    assert plain(one + other) == ({"a": 9, "b": 3, "c": 5}, None)
    assert plain(one - other) == ({"a": 5, "b": 3, "c": -5}, None)
    assert plain(one * other) == ({"a": 14, "b": 3, "c": 5}, None)
    assert plain(one // other) == ({"a": 3, "b": 3, "c": 0}, None)
    assert plain(one / 2) == ({"a": 3.5, "b": 1.5}, None)
    assert plain(1 + one) == ({"a": 8, "b": 4}, None)
    assert plain(10 - one) == ({"a": 3, "b": 7}, None)
    assert plain(2 * one) == ({"a": 14, "b": 6}, None)
    assert plain(-one) == ({"a": -7, "b": -3}, None)
    assert plain(one + NumbersDict(1)) == ({"a": 8, "b": 4}, 1)
    one += other
    assert plain(one) == ({"a": 9, "b": 3, "c": 5}, None)


def test_the_smallest_and_the_largest() -> None:
    one, other = NumbersDict({"a": 7, "b": 3}), NumbersDict({"a": 2, "c": 5})
    assert plain(NumbersDict.min([one, other])) == ({"a": 2, "b": 3, "c": 5}, None)
    assert plain(NumbersDict.max([one, other, NumbersDict({"b": 4})])) == ({"a": 7, "b": 4, "c": 5}, None)
    assert plain(NumbersDict.max([one, 5])) == ({"a": 7, "b": 5}, None)
    assert plain(NumbersDict.min([one])) == ({"a": 7, "b": 3}, None)


def test_comparisons() -> None:
    one = NumbersDict({"a": 7, "b": 3})
    assert [one == NumbersDict(other) for other in ({"a": 7, "b": 3}, {"a": 7}, {"a": 6, "b": 3}, {"c": 1})] == [
        True, False, False, False,
    ]  # fmt: skip
    assert NumbersDict({"a": 2}) == NumbersDict(2) and NumbersDict({"a": 2}) != NumbersDict(3)
    assert (NumbersDict({"a": 0}) == 0, NumbersDict(0) == 0, NumbersDict({"a": 0, "b": 1}) == 0) == (True, True, False)
    assert (bool(one), bool(NumbersDict({"a": 0})), bool(NumbersDict(2))) == (True, False, True)
    assert one.any_compare(NumbersDict(5), lambda a, b: a > b)
    assert not one.any_compare(NumbersDict({"b": 5, "c": 0}), lambda a, b: a > b)
    assert NumbersDict(4).any_compare(NumbersDict(3), lambda a, b: a > b)
