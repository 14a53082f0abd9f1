"""The loop and what is built from it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from tests.reference.nets import Net

Floats = NDArray[np.float32]
LENGTHS = [3, 1, 0]


def test_final_carries_are_those_of_each_sequences_own_end() -> None:
    net = Net()
    time = net.time("T", LENGTHS)
    x = np.array([[1, 2, 3], [4, 50, 60], [70, 80, 90]], np.float32)
    start = np.array([0, 10, 20], np.float32)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        total = net.b.add(carries[0], slices[0])
        return [total, net.b.add(carries[1], 1)], [total]

    data = net.data("x", x, net.batch, time)
    carries = [net.data("start", start, net.batch), net.b.const(0, "int64")]
    (final, steps), (stacked,) = net.b.loop(time, carries, [data], step)
    np.testing.assert_array_equal(net.run(final, net.batch), [6, 14, 20])
    assert net.run(steps) == 3  # a carry without batch has one value for all
    np.testing.assert_array_equal(net.run(stacked, net.batch, time), start[:, None] + np.cumsum(x, axis=1))


def test_nested_loop_captures_outer_values() -> None:
    net = Net(batch=2)
    outer, inner = net.time("T", [2, 2]), net.time("S", [3, 1])
    x = net.data("x", np.array([[1, 2, 3], [4, 5, 6]], np.float32), net.batch, inner)
    zero = net.b.expand(net.b.const(0.0), net.batch)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        def inner_step(j: Value, c: list[Value], s: list[Value]) -> tuple[list[Value], list[Value]]:
            return [net.b.add(c[0], net.b.mul(s[0], net.b.cast(net.b.add(i, 1), "float32")))], []

        (total,), _ = net.b.loop(inner, [carries[0]], [x], inner_step)
        return [total], [total]

    (final,), (stacked,) = net.b.loop(outer, [zero], [], step)
    np.testing.assert_array_equal(net.run(stacked, outer, net.batch), [[6, 4], [18, 12]])
    np.testing.assert_array_equal(net.run(final, net.batch), [18, 12])


def test_a_dim_of_the_bodys_own() -> None:
    """Inside of the loop a dim may be as long as the step's number."""
    net = Net(batch=1)
    time = net.time("T", [4])

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        own = Dim("N")
        net.b.define(own, i)
        return [], [net.b.reduce("sum", net.b.iota(own), own)]

    _, (stacked,) = net.b.loop(time, [], [], step)
    np.testing.assert_array_equal(net.run(stacked, time), [0, 0, 1, 3])


def test_loop_without_steps() -> None:
    net = Net(batch=2)
    time, f = net.time("T", [0, 0]), Dim("F", 2)
    x = net.data("x", np.zeros((2, 0, 2), np.float32), net.batch, time, f)
    start = net.data("h", np.ones((2, 2), np.float32), net.batch, f)
    (h,), (y,) = net.b.loop(time, [start], [x], lambda i, c, s: ([net.b.add(c[0], s[0])], [s[0]]))
    np.testing.assert_array_equal(net.run(h, net.batch, f), np.ones((2, 2)))
    assert net.run(y, net.batch, time, f).shape == (2, 0, 2)


@pytest.mark.parametrize(("limit", "expected"), [(10, 3), (2, 2), (0, 0), (-1, 0)])
def test_a_loop_that_ends_by_itself(limit: int, expected: int) -> None:
    """It ends when every sequence has had as many steps as its length, or at the limit."""
    net = Net()
    time, steps_dim = net.time("T", LENGTHS), Dim("S")
    start = net.data("start", np.array([1, 10, 100], np.float32), net.batch)

    def step(i: Value, carries: list[Value]) -> tuple[list[Value], list[Value], Value]:
        total = net.b.add(carries[0], net.b.cast(net.b.add(i, 1), "float32"))
        ended = net.b.binary("greater_equal", net.b.add(i, 1), net.b.length(time))
        return [total], [total, i], net.b.reduce("all", ended, net.batch)

    (final,), (totals, numbers), steps = net.b.loop_until(steps_dim, [start], net.b.const(limit), step)
    sums = np.array([1, 10, 100]) + np.cumsum([[0], [1], [2], [3]], axis=0)
    assert net.run(steps) == expected
    np.testing.assert_array_equal(net.run(final, net.batch), sums[expected])
    np.testing.assert_array_equal(net.run(totals, steps_dim, net.batch), sums[1 : expected + 1])
    np.testing.assert_array_equal(net.run(numbers, steps_dim), np.arange(expected))
    np.testing.assert_array_equal(net.run(net.b.length(steps_dim)), expected)
    np.testing.assert_array_equal(net.run(net.b.mask(steps_dim), steps_dim), [True] * expected)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)


def _lstm(
    x: Floats, w: Floats, w_re: Floats, bias: Floats, h: Floats, c: Floats
) -> tuple[list[Floats], Floats, Floats]:
    outputs = []
    for frame in x:
        j, i, f, o = np.split(frame @ w + h @ w_re + bias, 4)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(j)
        h = _sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return outputs, h, c


@pytest.mark.parametrize("reverse", [False, True])
def test_lstm(reverse: bool) -> None:
    rng = np.random.default_rng(0)
    net = Net()
    time, fi, n, gates, n_in = net.time("T", LENGTHS), Dim("I", 2), Dim("N", 3), Dim("G", 12), Dim("N_in", 3)
    shapes = [(3, 3, 2), (2, 12), (3, 12), (12,), (3, 3), (3, 3)]
    x, w, w_re, bias, h0, c0 = (rng.normal(size=s).astype(np.float32) for s in shapes)
    operands = [
        net.data("x", x, net.batch, time, fi),
        net.data("w", w, fi, gates),
        net.data("w_re", w_re, n_in, gates),
        net.data("bias", bias, gates),
        net.data("h0", h0, net.batch, n),
        net.data("c0", c0, net.batch, n),
    ]
    attrs = {"dim": time, "in_dim": fi, "out_dim": n, "gate_dim": gates, "state_in": n_in, "reverse": reverse}
    node = net.b.op("lstm", *operands, **attrs).node
    assert node is not None
    y = net.run(node.results[0], net.batch, time, n)
    h, c = (net.run(v, net.batch, n) for v in node.results[1:])
    for b, length in enumerate(LENGTHS):
        frames = x[b, :length][::-1] if reverse else x[b, :length]
        outputs, h_end, c_end = _lstm(frames, w, w_re, bias, h0[b], c0[b])
        expected = np.zeros((3, 3), np.float32)
        if length:
            expected[:length] = outputs[::-1] if reverse else outputs
        np.testing.assert_allclose(y[b], expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(h[b], h_end, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(c[b], c_end, rtol=1e-4, atol=1e-6)
