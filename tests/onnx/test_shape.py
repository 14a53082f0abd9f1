"""Axes: moved, joined, cut and counted, also where sequences are empty or a window is longer than the axis."""

from __future__ import annotations

import numpy as np
import pytest

from returnn_ir.ir.dims import Dim
from tests.onnx.graphs import Net, agree, compare, lower

LENGTHS = [(5, 1, 3), (2, 2), (0, 4), (0, 0), (1,)]


@pytest.mark.parametrize("lengths", LENGTHS)
def test_merge_and_split(lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        merged = net.batch * net.time
        flat = net.b.op("merge", net.x, dims=(net.batch, net.time), out=merged)
        net.give("merged", flat, merged, net.feature)
        net.give(
            "split", net.b.op("split", flat, dim=merged, outs=(net.batch, net.time)), net.batch, net.time, net.feature
        )
        both = net.time * net.feature
        net.give("features", net.b.op("merge", net.x, dims=(net.time, net.feature), out=both), net.batch, both)
        halves = (Dim("left", 2), Dim("right", 2))
        parts = net.b.op("split", net.x, dim=net.feature, outs=halves)
        net.give("halves", parts, net.batch, net.time, *halves)
        joined = net.b.op("merge", net.b.op("tanh", parts), dims=halves, out=net.feature)
        net.give("joined", joined, net.batch, net.time, net.feature)
        swapped = net.b.op("merge", parts, dims=(halves[1], halves[0]), out=net.feature)
        net.give("swapped", swapped, net.batch, net.time, net.feature)
        rows = net.b.op("merge", parts, dims=(net.time, halves[0]), out=net.time * 2)
        net.give("rows", rows, net.batch, net.time * 2, halves[1])

    agree(build, lengths)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_split_of_a_dynamic_axis(lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        two = Dim("two", 2)
        repeated = net.b.op("merge", net.b.expand(net.x, two), dims=(net.time, two), out=net.time * two)
        net.give("repeated", repeated, net.batch, net.time * two, net.feature)
        y = net.b.op("split", repeated, dim=net.time * two, outs=(net.time, two))
        net.give("y", y, net.batch, net.time, two, net.feature)

    agree(build, lengths)


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("is_ragged", [True, False])
def test_concat(lengths: tuple[int, ...], is_ragged: bool) -> None:
    def build(net: Net) -> None:
        other = net.time + 2
        longer = net.b.op("pad", net.x, dim=net.time, out=other, left=2, value=1.0)
        out = net.time + other
        y = net.b.op("concat", net.x, longer, dims=(net.time, other), out=out, ragged=is_ragged)
        net.give("y", y, net.batch, out, net.feature)
        out = Dim("3F", 12)
        z = net.b.op("concat", net.x, net.x, net.b.unary("neg", net.x), dims=(net.feature,) * 3, out=out)
        net.give("features", z, net.time, net.batch, out)

    agree(build, lengths)


@pytest.mark.parametrize("mode", ["constant", "reflect", "symmetric", "replicate"])
@pytest.mark.parametrize("is_ragged", [True, False])
@pytest.mark.parametrize("lengths", [(5, 3, 4), (4, 4)])
def test_pad(mode: str, is_ragged: bool, lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        out = net.time + 3
        y = net.b.op("pad", net.x, dim=net.time, out=out, left=2, right=1, mode=mode, value=-1.0, ragged=is_ragged)
        net.give("y", y, net.batch, out, net.feature)
        wide = Dim("wide", 6)
        labels = net.input("labels", net.batch, net.feature, dtype="int32", high=5)
        net.give(
            "ints", net.b.op("pad", labels, dim=net.feature, out=wide, left=1, right=1, mode=mode), net.batch, wide
        )

    agree(build, lengths)


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(("start", "end", "step"), [(1, None, 1), (0, 2, 1), (0, None, 2), (-2, None, 1), (0, -1, 1)])
def test_slice(lengths: tuple[int, ...], start: int, end: int | None, step: int) -> None:
    def build(net: Net) -> None:
        out = Dim("cut")
        net.b.define(out, net.b.op("minimum", net.b.length(net.time), net.b.const(2)))
        y = net.b.op("slice", net.x, dim=net.time, out=out, start=start, end=end, step=step)
        net.give("y", y, net.batch, out, net.feature)

    agree(build, lengths)


def test_slices_of_a_whole_axis() -> None:
    """They become one op; the feature axis has four entries."""

    def build(net: Net) -> None:
        for name, (start, end) in {"middle": (1, 3), "first": (0, 1), "last": (3, None)}.items():
            out = Dim(name, (end or 4) - start)
            net.give(
                name, net.b.op("slice", net.x, dim=net.feature, out=out, start=start, end=end), net.batch, net.time, out
            )

    agree(build, (3, 1))


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("is_ragged", [True, False])
def test_reverse(lengths: tuple[int, ...], is_ragged: bool) -> None:
    def build(net: Net) -> None:
        for axes in [
            (net.batch, net.time, net.feature),
            (net.time, net.feature, net.batch),
            (net.feature, net.batch, net.time),
        ]:
            x = net.input("_".join(d.name for d in axes), *axes)
            net.give(f"y{axes[0].name}", net.b.op("reverse", x, dim=net.time, ragged=is_ragged), *axes)
        plain = net.input("plain", net.time, net.feature)
        y = net.b.op("reverse", plain, dim=net.time, ragged=is_ragged)
        net.give("plain", y, *((net.batch,) if is_ragged else ()), net.time, net.feature)

    agree(build, lengths)


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(("left", "stride", "dilation"), [(0, 1, 1), (2, 1, 1), (1, 2, 2), (5, 3, 1)])
def test_window(lengths: tuple[int, ...], left: int, stride: int, dilation: int) -> None:
    def build(net: Net) -> None:
        out, window = net.time.ceildiv(stride), Dim("W", 3)
        y = net.b.op("window", net.x, dim=net.time, out=out, window=window, left=left, stride=stride, dilation=dilation)
        net.give("y", y, net.batch, out, window, net.feature)

    agree(build, lengths)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_resize_axis(lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        for name, out in (("longer", net.time + 2), ("shorter", net.time - 2), ("fixed", Dim("three", 3))):
            net.give(name, net.b.op("resize_axis", net.x, dim=net.time, out=out), net.batch, out, net.feature)

    agree(build, lengths)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_counting(lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        b, half = net.b, net.time.ceildiv(2)
        for name, dim in (("t", net.time), ("half", half), ("less", net.time - 3), ("merged", net.batch * net.time)):
            net.give(f"length/{name}", b.length(dim))
            net.give(f"extent/{name}", b.extent(dim))
            net.give(f"iota/{name}", b.iota(dim, "float32"))
            net.give(f"mask/{name}", b.mask(dim))
        net.give("static", b.length(net.feature))
        net.give("expanded", b.expand(b.iota(half), net.batch, net.feature), net.batch, half, net.feature)
        one = Dim("one", 1)
        net.give("squeezed", b.op("squeeze", b.expand(net.x, one), dim=one), net.batch, net.time, net.feature)

    agree(build, lengths)


def test_padding_beyond_the_longest_sequence_changes_nothing() -> None:
    def build(net: Net) -> None:
        net.give("sum", net.b.reduce("sum", net.b.op("reverse", net.x, dim=net.time), net.time), net.batch, net.feature)
        net.give("y", net.b.op("exp", net.x), net.time, net.batch, net.feature)

    net = Net((4, 2))
    build(net)
    program = lower(net)
    plain = program.run(net.inputs, {})
    padded = {**net.inputs, "data": np.pad(net.inputs["data"], [(0, 0), (0, 3), (0, 0)], constant_values=7)}
    compare(program.run(padded, {}), plain)
