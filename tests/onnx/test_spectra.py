"""Complex numbers on ONNX: pairs of real ones."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.program.pipelines import lower_to
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Array
from returnn_ir.errors import TargetError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from tests.onnx.graphs import Build, Net, agree, lower


def _z(net: Net, name: str = "z") -> Value:
    shape = (net.batch, net.time, net.feature)
    return net.b.op("complex", net.input(f"{name}/re", *shape), net.input(f"{name}/im", *shape))


def _parts(build: Build) -> None:
    """Complex results are real ones with both parts behind all other axes."""
    nets: list[Net] = [Net(), Net()]
    for net in nets:
        build(net)
    graph, _ = lower_to(nets[0].graph, ReferenceTarget(), verify_each=True)
    expected = ReferenceTarget().lower(graph).run(nets[0].inputs, nets[0].params)
    received = lower(nets[1]).run(nets[1].inputs, nets[1].params)
    assert set(received) == set(expected)
    for name, array in expected.items():
        value: Array = np.stack([array.real, array.imag], -1) if array.dtype.kind == "c" else array
        assert received[name].dtype == np.float32, name
        np.testing.assert_allclose(received[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


def test_arithmetic() -> None:
    def build(net: Net) -> None:
        b, z, w = net.b, _z(net), _z(net, "w")
        for name in ("add", "sub", "mul", "div"):
            net.give(name, b.binary(name, z, w), *net.x.dims)
        net.give("dot", b.dot(z, w, net.feature), net.batch, net.time)
        net.give("sum", b.reduce("sum", z, net.time), net.batch, net.feature)
        net.give("constant", b.mul(z, b.const(1 + 2j, "complex64")), *net.x.dims)
        net.give("cast", b.mul(z, b.cast(net.x, "complex64")), *net.x.dims)
        net.give("again", b.cast(b.unary("neg", z), "complex64"), *net.x.dims)

    _parts(build)


def test_axes() -> None:
    def build(net: Net) -> None:
        b, z, time = net.b, _z(net), net.time
        halves = Dim("half", 2), Dim("pair", 2)
        net.give("split", b.op("split", z, dim=net.feature, outs=halves), net.batch, time, *halves)
        first, second = Dim("first", 1), Dim("second", 3)
        cut = b.emit(get_op("sections"), [z], {"dim": net.feature, "outs": (first, second)})
        net.give("section", cut[1], net.batch, time, second)
        wide = time + 2
        net.give("pad", b.op("pad", z, dim=time, out=wide, left=2, value=7.0), net.batch, wide, net.feature)
        net.give("where", b.where(b.mask(time), z, b.const(0, "complex64")), *net.x.dims)

    _parts(build)


def test_what_is_made_of_them() -> None:
    def build(net: Net) -> None:
        bins, back = Dim("bins", 5), Dim("back", 8)
        spectrum = net.b.op("rfft", net.x, dim=net.feature, out=bins, size=8)
        for name in ("real", "imag", "abs"):
            net.give(name, net.b.unary(name, spectrum))
        net.give("back", net.b.op("irfft", net.b.mul(spectrum, spectrum), dim=bins, out=back))

    agree(build)


def test_what_has_no_rule_is_refused() -> None:
    net = Net()
    net.give("y", net.b.unary("real", net.b.unary("exp", _z(net))))
    with pytest.raises(TargetError, match="complex"):
        lower(net)
