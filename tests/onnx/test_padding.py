"""Integers around an axis, and where their extremes are, in files for both devices."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.onnx.profile import Format, Provider
from compiler.onnx.writer import GraphScope, Writer
from returnn_ir.ir.dims import Dim
from tests.onnx.graphs import Build, Net, agree, lower, op_types

LENGTHS = [(5, 1, 3), (0, 4), (0, 0)]
BOTH = pytest.mark.parametrize("provider", list(Provider))
INTEGERS = ["uint8", "int16", "int32", "int64"]


def _ops(build: Build, provider: Provider) -> set[str]:
    net = Net()
    build(net)
    return set(op_types(lower(net, provider=provider).model(net.params)))


@BOTH
@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("lengths", LENGTHS)
def test_padded_on_any_axis(lengths: tuple[int, ...], dtype: str, provider: Provider) -> None:
    def build(net: Net) -> None:
        b, t, f = net.batch, net.time, net.feature
        x = net.input("x", b, t, f, dtype=dtype, high=9)
        for ragged in (False, True):
            y = net.b.op("pad", x, dim=t, out=t + 3, left=2, right=1, value=7, ragged=ragged)
            net.give(f"time/{ragged}", y, b, t + 3, f)
        net.give("longer", net.b.op("resize_axis", x, dim=t, out=t + 2), b, t + 2, f)
        fixed = Dim("three", 3)
        net.give("fixed", net.b.op("resize_axis", x, dim=t, out=fixed), b, fixed, f)
        wide = Dim("wide", 6)
        net.give("feature", net.b.op("pad", x, dim=f, out=wide, left=0, right=2, value=3), b, t, wide)
        window = Dim("W", 3)
        y = net.b.op("window", x, dim=t, out=t.ceildiv(2), window=window, left=1, stride=2, dilation=2)
        net.give("window", y, b, t.ceildiv(2), window, f)

    agree(build, lengths, provider=provider)
    assert "Pad" not in _ops(build, provider)


@BOTH
@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_read_from_an_empty_axis(lengths: tuple[int, ...], dtype: str, provider: Provider) -> None:
    """Positions outside read at the ends, and zero where there is nothing; no number is rounded."""

    def build(net: Net) -> None:
        b, t, beam = net.batch, net.time, Dim("beam", 3)
        x = net.input("x", b, t, net.feature, dtype=dtype, high=9)
        net.inputs["x"] += np.asarray(np.iinfo(dtype).max - 20).astype(dtype)
        by_batch = net.input("by_batch", b, dtype="int64", high=6)
        by_beam = net.input("by_beam", b, beam, dtype="int32", high=6)
        by_none = net.input("by_none", beam, dtype="int64", high=6)
        net.give("frame", net.b.op("gather", x, by_batch, dim=t), b, net.feature)
        net.give("frames", net.b.op("gather", x, by_beam, dim=t), b, beam, net.feature)
        net.give("same", net.b.op("gather", x, by_none, dim=t), b, beam, net.feature)

    agree(build, lengths, provider=provider)
    assert "Pad" not in _ops(build, provider)


@BOTH
@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("lengths", LENGTHS)
def test_where_the_extremes_are(lengths: tuple[int, ...], dtype: str, provider: Provider) -> None:
    """The first of equal ones, the padding never, and no two numbers are taken for equal."""

    def build(net: Net) -> None:
        b, t, f = net.batch, net.time, net.feature
        x = net.input("x", b, t, f, dtype=dtype, high=3)
        limits, numbers = np.iinfo(dtype), net.inputs["x"]
        numbers[..., 1] = limits.min + abs(numbers[..., 1])
        numbers[..., 2] = limits.max - abs(numbers[..., 2])
        numbers[..., 3] = limits.min
        for op in ("argmax", "argmin"):
            net.give(f"{op}/t", net.b.op(op, x, dim=t), b, f)
            net.give(f"{op}/f", net.b.op(op, x, dim=f), b, t)

    agree(build, lengths, provider=provider)
    wanted = {"TopK"} if provider is Provider.CUDA else {"ArgMax", "ArgMin"}
    assert _ops(build, provider) & {"TopK", "ArgMax", "ArgMin"} == wanted


def test_a_block_is_made_where_its_sizes_are_known() -> None:
    """In the graph, not in each step of a loop; of known sizes it is a constant."""
    writer = Writer(Format())
    outside = writer.op("Shape", "x", start=0, end=1)
    with writer.inside(GraphScope(writer.scope)) as body:
        writer.block(0, "int64", [outside, writer.ints(1)])
        known = writer.block(3, "int32", [writer.ints(2), writer.ints(1)])
    assert body.nodes == []
    assert [node.op_type for node in writer.scope.nodes] == ["Shape", "Concat", "Expand"]
    np.testing.assert_array_equal(writer.initializers[known], np.full((2, 1), 3, "int32"), strict=True)
