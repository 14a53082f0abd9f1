"""Loops that end by themselves, and dims of a loop's body: against the reference, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest

from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from tests.loops import BODY_DIMS, LENGTHS, REPEATED, UNTIL
from tests.tensorflow.graphs import Net, agree, lower

NETS = {**UNTIL, **BODY_DIMS, **REPEATED}


@pytest.mark.parametrize("lengths", LENGTHS[:2])
@pytest.mark.parametrize("name", NETS)
def test_agrees_with_the_reference(name: str, lengths: tuple[int, ...]) -> None:
    agree(NETS[name], lengths)


def test_one_trace_for_every_number_of_steps() -> None:
    net = Net()
    UNTIL["ends_by_itself"](net)
    program = lower(net)
    for lengths in ((5, 1, 3), (2,), (7, 7, 7, 1)):
        result = program.run(Net(lengths).inputs, net.params)
        assert result["output/y5"] == max(lengths)
        assert result["output/y2"].shape == (max(lengths), len(lengths), 4)


def _until(net: Net, limit: int) -> None:
    """In every step of an outer loop one that ends by itself; attention over the past inside of that."""
    b, feature = net.b, net.feature
    rows = Dim("F'", 4)
    weights = net.param("W", rows, feature)

    def outer(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        def inner(j: Value, held: list[Value]) -> tuple[list[Value], list[Value], Value]:
            past, dim = Dim("past"), net.time
            b.define(past, b.add(j, 1))
            seen = b.op("resize_axis", net.x, dim=dim, out=past)
            attended = b.dot(b.op("softmax", b.dot(seen, held[0], feature), dims=(past,)), seen, past)
            mixed = b.dot(b.rename(b.add(held[0], attended), (feature, rows)), weights, rows)
            after = b.unary("tanh", b.add(mixed, slices[0]))
            return [after], [after, b.reduce("sum", after, feature)], b.binary("greater_equal", j, i)

        dim = Dim("inner")
        (after,), (path, sums), steps = b.loop_until(dim, carries, b.const(limit), inner)
        both = b.add(b.reduce("sum", path, dim), b.reduce("sum", b.mul(sums, b.cast(b.iota(dim), "float32")), dim))
        return [after], [b.add(both, b.cast(steps, "float32"))]

    start = b.expand(b.const(0.5), net.batch, feature)
    (final,), (path,) = b.loop(net.time, [start], [net.x], outer)
    net.give("final", final)
    net.lose(b.add(b.reduce("sum", path, net.time), final))


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_gradient(limit: int) -> None:
    """Against central differences."""
    net = Net((3, 1))
    _until(net, limit)
    program = lower(net)
    found = program.gradients(net.inputs, net.params)["grad/W"]
    differences = np.zeros_like(found)
    for at in np.ndindex(found.shape):
        values = []
        for sign in (1, -1):
            moved = net.params["W"].copy()
            moved[at] += sign * 1e-2
            values.append(float(program.run(net.inputs, {"W": moved})["objective"]))
        differences[at] = (values[0] - values[1]) / 2e-2
    np.testing.assert_allclose(found, differences, atol=2e-2 * np.abs(differences).max() + 1e-6)
    assert found.any() == (limit > 0)
