"""Reductions, order, products, reading and writing by position."""

from __future__ import annotations

import numpy as np
import pytest

from returnn_ir.ir.dims import Dim
from returnn_ir.ops.reduce import REDUCE_KINDS
from tests.onnx.graphs import Net, agree

LENGTHS = [(5, 1, 3), (0, 4), (0, 0)]


@pytest.mark.parametrize("kind", REDUCE_KINDS)
@pytest.mark.parametrize("opset", [17, 21, 26])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_reduce(kind: str, opset: int, lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        x = net.b.binary("greater", net.x, 0.0) if kind in ("any", "all") else net.x
        net.give("time", net.b.reduce(kind, x, net.time), net.batch, net.feature)
        net.give("feature", net.b.reduce(kind, x, net.feature), net.batch, net.time)
        net.give("all", net.b.reduce(kind, x, *x.dims))
        net.give("padded", net.b.reduce(kind, x, net.time, net.feature, mask=False), net.batch)
        if kind in ("sum", "max", "min", "prod"):
            ints = net.input("ints", net.batch, net.time, dtype="int64", high=4)
            net.give("ints", net.b.reduce(kind, ints, net.time), net.batch)

    agree(build, lengths, opset=opset)


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_order(dtype: str) -> None:
    def build(net: Net) -> None:
        x = net.input("x", net.batch, net.time, net.feature, dtype=dtype, high=3)
        for axis in (net.time, net.feature):
            rest = [d for d in x.dims if d is not axis]
            net.give(f"argmax/{axis.name}", net.b.op("argmax", x, dim=axis), *rest)
            net.give(f"argmin/{axis.name}", net.b.op("argmin", x, dim=axis), *rest)
            net.give(f"down/{axis.name}", net.b.op("argsort", x, dim=axis, descending=True), *rest, axis)
            net.give(f"up/{axis.name}", net.b.op("argsort", x, dim=axis), *rest, axis)
            for reverse in (False, True):
                for exclusive in (False, True):
                    y = net.b.op("cumsum", x, dim=axis, reverse=reverse, exclusive=exclusive)
                    net.give(f"cumsum/{axis.name}/{reverse}/{exclusive}", y, *x.dims)
        k = Dim("k", 3)
        y = net.b.op("top_k", x, dim=net.feature, k=k)
        for i, value in enumerate(y.node.results if y.node else []):
            net.give(f"top/{i}", value, net.batch, net.time, k)

    agree(build)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_dot(lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        b, t, f = net.batch, net.time, net.feature
        out, split = Dim("out", 3), Dim("split", 2)
        w = net.param("w", f, out)
        net.give("linear", net.b.dot(net.x, w, f), b, t, out)
        net.give("two", net.b.dot(net.x, net.param("w2", f, out, split), f), b, t, out, split)
        net.give("outer", net.b.dot(net.param("u", out), net.param("v", split)), out, split)
        net.give("inner", net.b.dot(net.param("p", f), net.param("q", f), f))
        net.give("matrices", net.b.dot(net.x, net.param("r", f, out), f), t, b, out)
        other = Dim("T'")
        net.b.define(other, net.b.length(t))
        keys = net.b.rename(net.x, (t, other))
        energy = net.b.dot(net.x, keys, f)
        net.give("energy", energy, b, t, other)
        net.give("context", net.b.dot(energy, keys, other), b, t, f)
        net.give("all", net.b.dot(net.b.reduce("sum", energy, t), keys, other), b, f)
        net.give("time", net.b.dot(net.x, net.b.rename(net.x, (f, Dim("F'", 4))), t))
        net.give("two reduced", net.b.dot(net.x, net.x, t, f), b)

    agree(build, lengths, rtol=1e-4)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_gather(lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        b, t, f, beam = net.batch, net.time, net.feature, Dim("beam", 3)
        by_batch = net.input("by_batch", b, dtype="int64", high=6)
        by_beam = net.input("by_beam", b, beam, dtype="int32", high=6)
        net.give("frame", net.b.op("gather", net.x, by_batch, dim=t), b, f)
        frames = Dim("T'")
        net.b.define(frames, net.b.length(t))
        renamed = net.b.rename(net.x, (t, frames))
        mirrored = net.b.op("gather", renamed, net.b.sub(net.b.iota(t), 2), dim=frames)
        net.give("as many", mirrored, b, t, f)
        net.give("frames", net.b.op("gather", net.x, by_beam, dim=t), b, beam, f)
        net.give("entries", net.b.op("gather", net.x, by_beam, dim=f), b, beam, t)
        table = net.param("table", Dim("V", 7), f)
        labels = net.input("labels", b, t, dtype="int32", high=7, sparse=table.dims[0])
        net.give("embedding", net.b.op("gather", table, labels, dim=table.dims[0]), b, t, f)
        net.give("scalar", net.b.op("gather", net.x, net.b.const(2), dim=f), b, t)
        net.give("each", net.b.op("gather", net.x, net.b.mul(labels, 1), dim=f), b, t)

    agree(build, lengths)


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_scatter_add(lengths: tuple[int, ...], dtype: str) -> None:
    def build(net: Net) -> None:
        b, t, f, out = net.batch, net.time, net.feature, Dim("V", 5)
        x = net.input("x", b, t, f, dtype="float32" if dtype == "bool" else dtype, high=4)
        labels = net.input("labels", b, t, dtype="int64", high=7)
        net.give("over time", net.b.op("scatter_add", x, labels, dims=(t,), out=out), b, f, out)
        net.give("over both", net.b.op("scatter_add", x, labels, dims=(b, t), out=out), f, out)
        count = net.input("count", t, dtype="float32")
        net.give("counts", net.b.op("scatter_add", count, labels, dims=(t,), out=out), b, out)

    agree(build, lengths)


def test_search_sorted() -> None:
    def build(net: Net) -> None:
        b, f, k = net.batch, net.feature, Dim("k", 6)
        ordered = net.input("ordered", b, f)
        net.inputs["ordered"].sort(axis=-1)
        values = net.input("values", b, k)
        net.inputs["values"][:, :2] = net.inputs["ordered"][:, 1:3]
        for side in ("left", "right"):
            net.give(side, net.b.op("search_sorted", ordered, values, dim=f, side=side), b, k)
            row = net.b.const(np.array([-1, 0, 0, 1], np.float32), "float32", (f,))
            net.give(f"row {side}", net.b.op("search_sorted", row, values, dim=f, side=side), b, k)

    agree(build)


def test_masked_select() -> None:
    def build(net: Net) -> None:
        b, t, f, out = net.batch, net.time, net.feature, Dim("kept")
        mask = net.b.op("logical_and", net.b.mask(t), net.b.binary("greater", net.b.iota(t), 0))
        net.b.define(out, net.b.reduce("sum", net.b.cast(mask, "int64"), b, t, mask=False))
        net.give("y", net.b.op("masked_select", net.x, mask, dims=(b, t), out=out), out, f)
        net.give("count", net.b.length(out))

    agree(build)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_softmax(name: str, lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        b, t, f = net.batch, net.time, net.feature
        net.give("feature", net.b.op(name, net.x, dims=(f,)), b, t, f)
        y = net.b.op(name, net.x, dims=(t,))
        net.give("time", net.b.where(net.b.mask(t), y, 0.0), b, t, f)
        y = net.b.op(name, net.x, dims=(t, f))
        net.give("both", net.b.where(net.b.mask(t), y, 0.0), b, t, f)

    agree(build, lengths)
    agree(build, lengths, fusion={name: "never"})


@pytest.mark.parametrize("lengths", LENGTHS)
def test_layer_norm(lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        scale, bias = net.param("scale", net.feature), net.param("bias", net.feature)
        y = net.b.op("layer_norm", net.x, scale, bias, dim=net.feature, epsilon=1e-5)
        net.give("y", y, net.batch, net.time, net.feature)

    agree(build, lengths)
