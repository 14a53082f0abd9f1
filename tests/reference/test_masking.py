"""Reductions and products over ragged axes see the valid frames only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from returnn_ir.ir.dims import Dim
from tests.reference.nets import Net

Floats = NDArray[Any]
LENGTHS = [4, 1, 0]


@pytest.fixture
def x() -> Floats:
    array = np.random.default_rng(1).normal(size=(3, 4, 2)).astype(np.float32)
    array[2] = np.nan  # nothing of the empty sequence may be read
    array[1, 1:] = np.nan
    return array


@pytest.mark.parametrize("kind", ["sum", "mean", "max", "min", "prod", "logsumexp"])
def test_reduce_sees_valid_frames(kind: str, x: Floats) -> None:
    net = Net()
    time, feature = net.time("T", LENGTHS), Dim("F", 2)
    value = net.data("x", x, net.batch, time, feature)
    y = net.run(net.b.reduce(kind, value, time), net.batch, feature)
    formulas: dict[str, Callable[[Floats], Floats]] = {
        "sum": lambda v: v.sum(0),
        "mean": lambda v: v.mean(0) if len(v) else np.zeros(2),
        "max": lambda v: v.max(0) if len(v) else np.full(2, np.finfo(np.float32).min),
        "min": lambda v: v.min(0) if len(v) else np.full(2, np.finfo(np.float32).max),
        "prod": lambda v: v.prod(0),
        "logsumexp": lambda v: np.log(np.exp(v).sum(0)) if len(v) else np.full(2, -np.inf),
    }
    for b, n in enumerate(LENGTHS):
        np.testing.assert_allclose(y[b], formulas[kind](x[b, :n]), rtol=1e-6)


def test_mean_over_batch_and_time_counts_valid_frames() -> None:
    net = Net()
    time = net.time("T", [3, 1, 2])
    x = np.arange(9, dtype=np.float32).reshape(3, 3)
    y = net.run(net.b.reduce("mean", net.data("x", x, net.batch, time), net.batch, time))
    np.testing.assert_allclose(y, (0 + 1 + 2 + 3 + 6 + 7) / 6)


def test_mask_off_means_the_axis_in_memory() -> None:
    net = Net()
    time = net.time("T", [3, 1, 2])
    x = np.arange(9, dtype=np.float32).reshape(3, 3)
    y = net.run(net.b.reduce("mean", net.data("x", x, net.batch, time), time, mask=False), net.batch)
    np.testing.assert_allclose(y, x.mean(1))


def test_reducing_over_a_dim_brings_the_dims_of_its_length() -> None:
    """A causal mask is nothing but a dim whose length is i + 1."""
    net = Net(batch=1)
    outer, inner = Dim("T", 4), Dim("N")
    net.b.define(inner, net.b.add(net.b.iota(outer), 1))
    x = np.array([1.0, 10, 100, 1000], np.float32)
    value = net.data("x", x, inner)
    np.testing.assert_array_equal(net.run(net.b.reduce("sum", value, inner), outer), np.cumsum(x))


def test_dot_over_ragged_frames(x: Floats) -> None:
    net = Net()
    time, f, g = net.time("T", LENGTHS), Dim("F", 2), Dim("G", 2)
    a, b = net.data("a", x, net.batch, time, f), net.data("b", 2 * x, net.batch, time, g)
    y = net.run(net.b.dot(a, b, time), net.batch, f, g)
    for i, n in enumerate(LENGTHS):
        np.testing.assert_allclose(y[i], 2 * x[i, :n].T @ x[i, :n], rtol=1e-5)


def test_dot_of_operands_without_batch_gains_it() -> None:
    net = Net()
    time = net.time("T", [3, 1, 2])
    a = np.array([1.0, 2, 3], np.float32)
    y = net.run(net.b.dot(net.data("a", a, time), net.data("b", a, time), time), net.batch)
    np.testing.assert_array_equal(y, [14, 1, 5])


def test_softmax_over_two_dims() -> None:
    net = Net()
    time, f = net.time("T", [2, 1, 0]), Dim("F", 3)
    x = np.random.default_rng(2).normal(size=(3, 2, 3)).astype(np.float32)
    y = net.run(net.b.op("softmax", net.data("x", x, net.batch, time, f), dims=(time, f)), net.batch, time, f)
    for b, n in enumerate([2, 1, 0]):
        e = np.exp(x[b, :n])
        np.testing.assert_allclose(y[b, :n], e / e.sum(), rtol=1e-5)
        assert not y[b, n:].any()


def test_argmax_first_of_equals_and_top_k() -> None:
    net = Net()
    time, k = net.time("T", [4, 2, 1]), Dim("K", 2)
    x = np.array([[1, 5, 5, 0], [0, 3, 9, 9], [2, 7, 7, 7]], np.float32)
    value = net.data("x", x, net.batch, time)
    np.testing.assert_array_equal(net.run(net.b.op("argmax", value, dim=time), net.batch), [1, 1, 0])
    positions = net.b.op("top_k", value, dim=time, k=k).node
    assert positions is not None
    np.testing.assert_array_equal(net.run(positions.results[1], net.batch, k), [[1, 2], [1, 0], [0, 1]])


def test_argsort_keeps_what_is_behind_the_end() -> None:
    net = Net()
    time = net.time("T", [4, 2, 0])
    x = np.array([[3, 1, 2, 1], [5, 4, 0, 1], [2, 1, 0, 3]], np.int32)
    value = net.data("x", x, net.batch, time)
    up = net.run(net.b.op("argsort", value, dim=time), net.batch, time)
    np.testing.assert_array_equal(up[:2], [[1, 3, 2, 0], [1, 0, 2, 3]])
    down = net.run(net.b.op("argsort", value, dim=time, descending=True), net.batch, time)
    np.testing.assert_array_equal(down[:2, :2], [[0, 2], [0, 1]])


@pytest.mark.parametrize("masked", [True, False])
def test_softmax_over_a_ragged_axis(masked: bool) -> None:
    """Over the valid frames, or over all that are in memory; behind the ends is nothing: zero, or minus infinity."""
    net = Net(batch=2)
    time = net.time("T", [4, 2])
    array = np.random.default_rng(1).normal(size=(2, 4)).astype(np.float32)
    x = net.data("x", array, net.batch, time)
    valid = np.arange(4) < np.array([4, 2])[:, None] if masked else np.ones((2, 4), bool)
    exp = np.exp(array) * valid
    expected = exp / exp.sum(axis=1, keepdims=True)
    softmax = net.run(net.b.op("softmax", x, dims=(time,), mask=masked), net.batch, time)
    np.testing.assert_allclose(softmax, expected, rtol=1e-5)
    log_softmax = net.run(net.b.op("log_softmax", x, dims=(time,), mask=masked), net.batch, time)
    np.testing.assert_allclose(np.exp(log_softmax), expected, rtol=1e-5)
