"""Numbers at the edges: rounding, integer division, overflow; alignment by dims."""

from __future__ import annotations

import numpy as np
import pytest

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import UNIT, Dim
from returnn_ir.ir.mode import Stage
from tests.reference.nets import Net

F = Dim("F", 4)


def test_operands_are_matched_by_dims() -> None:
    net = Net()
    a, b = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)[:, :, :], np.ones(3, np.float32)
    t = Dim("T", 2)
    y = net.b.add(net.data("a", a, t, net.batch, F), net.data("b", b, net.batch))
    np.testing.assert_array_equal(net.run(y, F, t, net.batch), (a + 1).transpose(2, 0, 1))


def test_target_stage_matches_by_position() -> None:
    net = Net()
    net.graph.stage = Stage.TARGET
    b = Builder(net.graph.body, positional=True)
    x = net.data("x", np.ones((3, 4), np.float32), net.batch, F)
    per_row = b.op("transpose", net.data("r", np.arange(3, dtype=np.float32), net.batch), dims=(net.batch, UNIT))
    y = b.op("mul", x, per_row)
    assert y.dims == (net.batch, F)
    np.testing.assert_array_equal(net.run(y, net.batch, F), np.arange(3)[:, None] * np.ones((3, 4)))


@pytest.mark.parametrize(
    ("op", "expected"), [("floordiv", [3, -4, -4, 3]), ("mod", [1, 1, -1, -1]), ("div", [3, -3, -3, 3])]
)
def test_integer_division(op: str, expected: list[int]) -> None:
    net = Net()
    a, b = np.array([7, -7, 7, -7], np.int32), np.array([2, 2, -2, -2], np.int32)
    np.testing.assert_array_equal(net.run(net.b.op(op, net.data("a", a, F), net.data("b", b, F)), F), expected)


@pytest.mark.parametrize(
    ("op", "x", "expected"),
    [
        ("round", [0.5, 1.5, -0.5, 2.6], [0, 2, 0, 3]),
        ("sigmoid", [-1000, 0, 1000, 1], [0, 0.5, 1, 0.7310586]),
        ("softplus", [-1000, 0, 1000, 1], [0, 0.6931472, 1000, 1.3132617]),
        ("erf", [0, 1, -1, 10], [0, 0.8427008, -0.8427008, 1]),
        ("rsqrt", [1, 4, 16, 100], [1, 0.5, 0.25, 0.1]),
        ("sign", [-2, 0, 3, 0.5], [-1, 0, 1, 1]),
        ("relu", [-2, 0, 3, 0.5], [0, 0, 3, 0.5]),
    ],
)
def test_functions(op: str, x: list[float], expected: list[float]) -> None:
    net = Net()
    y = net.run(net.b.unary(op, net.data("x", np.array(x, np.float32), F)), F)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-7)
