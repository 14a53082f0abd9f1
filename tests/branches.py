"""Graphs with branches, for the tests of every target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Region, Value
from tests.loops import BuiltNet

__all__ = ["BRANCHES", "PREDICATES"]

#: What the sum of the input is compared with: the predicate holds, and it does not.
PREDICATES = (1e6, -1e6)


class _Net(BuiltNet, Protocol):
    def param(self, name: str, *dims: Dim) -> Value:
        """A parameter with random values."""


def _below(net: _Net, limit: float) -> Value:
    return net.b.binary("less", net.b.reduce("sum", net.x, *net.x.dims), limit)


def _values(net: _Net, limit: float) -> None:
    """Several results, one in another order of axes, one that a branch has from outside."""
    b, w = net.b, net.param("w", Dim("G", 4), net.feature)

    def true() -> Sequence[Value]:
        return [b.dot(net.x, w, net.feature), net.x, b.reduce("mean", net.x, net.time), b.const(True)]

    def false() -> Sequence[Value]:
        turned = b.expand(b.reduce("max", w, net.feature), net.time, net.batch)
        return [turned, b.unary("neg", net.x), b.reduce("max", b.unary("tanh", net.x), net.time), b.const(False)]

    for i, value in enumerate(b.cond(_below(net, limit), true, false)):
        net.give(f"y{i}", value)


def _repeated(net: _Net, limit: float) -> None:
    """Results that are one value, one from outside, an input, a parameter or a constant, several times each."""
    b, w = net.b, net.param("w", net.feature)
    outside = b.unary("neg", net.x)

    def true() -> Sequence[Value]:
        y = b.mul(net.x, w)
        return [y, y, outside, outside, w, w, b.length(net.time), b.const(3)]

    def false() -> Sequence[Value]:
        return [net.x, outside, net.x, net.x, w, b.unary("tanh", w), b.length(net.time), b.const(3)]

    for i, value in enumerate(b.cond(_below(net, limit), true, false)):
        net.give(f"y{i}", value)
    # the same array once more behind the branches
    net.give("outside", outside)


def _lengths(net: _Net, limit: float) -> None:
    """The branches give sequences of different length, whose lengths come out as well."""
    b, out = net.b, Dim("T'")
    regions = [Region(parent=b.region) for _ in range(2)]
    for region, dim in zip(regions, (net.time.ceildiv(2), net.time), strict=True):
        with b.inside(region):
            length = b.expand(b.length(dim), net.batch)
            b.define(out, length)
            region.results = [length, b.op("resize_axis", net.x, dim=net.time, out=out)]
    length, y = b.choose(_below(net, limit), *regions)
    b.define(out, length)
    net.give("length", length)
    net.give("y", y)
    net.give("mean", b.reduce("mean", b.unary("exp", y), out))


def _in_a_loop(net: _Net, limit: float) -> None:
    """A branch by the step's number, and one inside of a branch."""
    b = net.b

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        def first() -> Sequence[Value]:
            return [b.add(carries[0], slices[0])]

        def later() -> Sequence[Value]:
            inner = b.cond(_below(net, limit), lambda: [b.mul(carries[0], 0.5)], lambda: [b.unary("tanh", carries[0])])
            return [b.add(inner[0], slices[0])]

        (h,) = b.cond(b.binary("less", i, 2), first, later)
        return [h], [h]

    start = b.expand(b.const(0.0), net.batch, net.feature)
    (final,), (path,) = b.loop(net.time, [start], [net.x], step)
    net.give("final", final)
    net.give("path", path)


BRANCHES: dict[str, Callable[[_Net, float], None]] = {
    "values": _values,
    "repeated": _repeated,
    "lengths": _lengths,
    "in_a_loop": _in_a_loop,
}
