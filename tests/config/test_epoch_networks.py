"""Whether two network dicts mean the same, where dims and functions are made anew for each epoch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from returnn_ir.config.dim_tags import ImplicitDim
from returnn_ir.config.epoch_networks import network_difference, network_key, same_network
from returnn_ir.ir.dims import Dim


def _function(factor: float, dim: Dim | None = None) -> Callable[..., Any]:
    def inner(x: float) -> float:
        return x * factor if inner is not None else 0

    return lambda x, *, bias=factor: (inner(x) + bias, dim)


def _network(factor: float = 2.0, size: int = 5, feature: bool = True) -> dict[str, Any]:
    out, time = Dim("out", size, feature=feature), Dim("time")
    return {
        "a": {"class": "linear", "out_dim": out, "out_shape": {time, ImplicitDim(out)}, "n": [1, ("x", None)]},
        "b": {"class": "eval", "eval": _function(factor, out), "partial": partial(_function(factor), 1)},
        "c": {"dims": {time: 3, out: 4}, "double": 2 * out, "shorter": time - 1, "array": np.arange(3)},
    }


def test_what_is_made_anew_is_the_same() -> None:
    first, second = _network(), _network()
    assert same_network(first, second)
    assert network_key(first) == network_key(second)
    assert network_difference(first, second) == "in "


@pytest.mark.parametrize(
    "other",
    [
        _network(factor=3.0),
        _network(size=6),
        _network(feature=False),
        {**_network(), "#config": {}},
        {"a": _network()["a"], "b": _network()["b"]},
    ],
)
def test_what_differs(other: dict[str, Any]) -> None:
    assert not same_network(_network(), other)


@pytest.mark.parametrize(
    ("first", "second"),
    [(1, 1.0), (1, True), ([1], (1,)), (np.arange(2), np.arange(2.0)), ("1", 1), (None, False), ({1}, {2})],
)
def test_types_count(first: object, second: object) -> None:
    assert same_network({"x": first}, {"x": first})
    assert not same_network({"x": first}, {"x": second})


def test_a_dim_stands_for_one_other_everywhere() -> None:
    x, y, z = (Dim("d", 5) for _ in range(3))
    assert same_network([x, x], [y, y])
    assert same_network([x, y], [z, x])
    assert not same_network([x, x], [y, z])
    assert not same_network([x, y], [z, z])
    assert not same_network([x, y], [x, x])
    assert not same_network([Dim("t") - 1], [Dim("t") - 2])


def test_what_contains_itself() -> None:
    first: dict[str, Any] = {"a": 1}
    second: dict[str, Any] = {"a": 1}
    first["b"], second["b"] = first, second
    assert same_network(first, second)
    assert network_key(first) == network_key(second)


def test_details_do_not_decide_what_can_be_built() -> None:
    first = {"a": {"dropout": 0.1, "n_out": 3, "filename": "1.hdf"}}
    second = {"a": {"dropout": 0.2, "n_out": 3, "filename": "2.hdf"}}
    assert network_key(first) != network_key(second)
    assert network_key(first, details=False) == network_key(second, details=False)
    assert network_key(first, details=False) != network_key({"a": {**second["a"], "dropout": 0.0}}, details=False)
    assert network_key(first, details=False) != network_key({"a": {**second["a"], "n_out": 4}}, details=False)


def test_the_layers_that_differ() -> None:
    first = {name: {"n_out": 1} for name in "abcdefg"}
    assert network_difference(first, {**first, "c": {"n_out": 2}, "h": {}}) == "in c, h"
    assert network_difference(first, {}) == "in a, b, c, d, e ..."
