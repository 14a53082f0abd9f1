"""Loops: carries, scanned and stacked values, no step at all, sequences that end early, dims of the body."""

from __future__ import annotations

import pytest

from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from tests.onnx.graphs import Net, agree, lower, op_types

LENGTHS = [(5, 1, 3), (2, 0), (0, 0), (3, 3)]


@pytest.mark.parametrize("lengths", LENGTHS)
def test_carries_and_stacks(lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        b = net.b
        w = net.param("w", net.feature, Dim("F'", 4))
        start = b.expand(b.const(0.5), net.batch, net.feature)
        counted = b.expand(b.const(0), net.batch)
        ended = b.expand(b.const(False), net.batch)

        def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            h, n, seen = carries
            mixed = b.rename(b.dot(h, w, net.feature), (w.dims[1], net.feature))
            h = b.unary("tanh", b.add(mixed, slices[0]))
            n = b.add(n, i)
            seen = b.op("logical_or", seen, b.binary("greater", b.reduce("sum", slices[0], net.feature), 1.0))
            return [h, n, seen], [h, b.add(b.reduce("sum", slices[1], net.batch), i)]

        other = net.input("other", net.time, net.batch, dtype="int64", high=5)
        finals, stacked = b.loop(net.time, [start, counted, ended], [net.x, other], step)
        for i, value in enumerate((*finals, *stacked)):
            net.give(f"y{i}", value, *value.dims)

    agree(build, lengths)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_a_dim_of_the_body(lengths: tuple[int, ...]) -> None:
    """Sums over the past: a dim whose length is the step's number plus one."""

    def build(net: Net) -> None:
        b = net.b
        captured = net.x

        def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            past = Dim("past")
            b.define(past, b.add(i, 1))
            seen = b.op("resize_axis", captured, dim=net.time, out=past)
            return [b.add(carries[0], b.reduce("max", seen, past))], [b.reduce("sum", seen, past)]

        start = b.expand(b.const(0.0), net.batch, net.feature)
        (final,), (sums,) = b.loop(net.time, [start], [], step)
        net.give("final", final, net.batch, net.feature)
        net.give("sums", sums, net.batch, net.time, net.feature)

    agree(build, lengths)


def test_nested() -> None:
    def build(net: Net) -> None:
        b, steps = net.b, Dim("steps", 3)
        start = b.expand(b.const(0.0), net.batch)

        def outer(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            def inner(j: Value, held: list[Value], parts: list[Value]) -> tuple[list[Value], list[Value]]:
                extent = b.cast(b.add(b.extent(net.time), b.mul(i, j)), "float32")
                return [b.add(held[0], b.mul(parts[0], extent))], [held[0]]

            (after,), (path,) = b.loop(net.feature, carries, [slices[0]], inner)
            return [after], [b.reduce("sum", path, net.feature)]

        (final,), (path,) = b.loop(steps, [start], [net.input("x", steps, net.batch, net.feature)], outer)
        net.give("final", final, net.batch)
        net.give("path", path, steps, net.batch)

    agree(build)


def test_what_nobody_reads_is_not_carried_twice() -> None:
    def build(net: Net, final: bool) -> None:
        def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            h = net.b.add(carries[0], slices[0])
            return [h], [h]

        start = net.b.expand(net.b.const(0.0), net.batch, net.feature)
        (last,), (path,) = net.b.loop(net.time, [start], [net.x], step)
        net.give("path", path, *path.dims)
        if final:
            net.give("last", last, *last.dims)

    for final, inputs in ((False, 3), (True, 4)):
        net = Net()
        build(net, final)
        model = lower(net).model({})
        assert op_types(model).count("Loop") == 1
        loop = next(n for n in model.graph.node if n.op_type == "Loop")
        assert len(loop.attribute[0].g.input) == inputs
