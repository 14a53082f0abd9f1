"""Convolution and pooling in TensorFlow's geometry, on axes of any length."""

from __future__ import annotations

from itertools import product

import pytest

from compiler.onnx.target import OnnxTarget
from compiler.target.protocol import Reject
from returnn_ir.ir.dims import Dim
from tests.onnx.graphs import Net, agree

LENGTHS = [(5, 1, 3), (6, 2), (1, 1), (0, 0)]
GEOMETRIES = [(3, 1, 1), (2, 2, 1), (3, 1, 2), (3, 3, 1), (4, 2, 1), (1, 2, 1), (10, 1, 1)]


def _out(net: Net, padding: str, f: int, s: int, d: int) -> Dim:
    return (net.time if padding == "same" else net.time - (f - 1) * d).ceildiv(s)


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("f", "s", "d"), GEOMETRIES)
def test_conv_over_time(lengths: tuple[int, ...], padding: str, f: int, s: int, d: int) -> None:
    def build(net: Net) -> None:
        out, channels, k, fi = _out(net, padding, f, s, d), Dim("C", 6), Dim("K", f), Dim("F/2", 2)
        w = net.param("w", k, fi, channels)
        attrs = {"dims": (net.time,), "outs": (out,), "in_dim": net.feature, "out_dim": channels, "filter_dims": (k,)}
        geometry = {"strides": (s,), "dilations": (d,), "padding": padding, "groups": 2}
        y = net.b.op("conv", net.x, w, filter_in=fi, **attrs, **geometry)
        net.give("y", y, net.batch, out, channels)

    agree(build, lengths)


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(("f", "s"), [(3, 1), (4, 1), (3, 2)])
def test_what_is_folded_into_a_convolution(lengths: tuple[int, ...], f: int, s: int) -> None:
    """Bias and norm, of which one or the other is read elsewhere too, and sums with something as long."""

    def build(net: Net) -> None:
        b, out, channels, k = net.b, net.time.ceildiv(s), Dim("C", 4), Dim("K", f)
        axes = (net.batch, out, channels)
        bias, mean, scale = (net.param(name, channels) for name in ("bias", "mean", "scale"))
        variance = b.op("exp", net.param("variance", channels))
        attrs = {"dims": (net.time,), "outs": (out,), "in_dim": net.feature, "out_dim": channels, "filter_dims": (k,)}
        for name in ("own", "both", "sum"):
            w = net.param(f"w {name}", k, net.feature, channels)
            y = b.op("conv", net.x, w, filter_in=net.feature, strides=(s,), dilations=(1,), padding="same", **attrs)
            if name == "sum":
                y = b.add(y, b.op("tanh", y))
            added = b.add(y, bias)
            normed = b.op("batch_norm", added, mean, variance, scale, bias, epsilon=1e-3)
            net.give(name, b.op("tanh", normed), *axes)
            if name == "both":
                net.give("added", added, *axes)

    agree(build, lengths, rtol=1e-4)


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(("kind", "padding"), product(["max", "avg"], ["same", "valid"]))
@pytest.mark.parametrize(("f", "s", "d"), GEOMETRIES)
def test_pool_over_time(lengths: tuple[int, ...], kind: str, padding: str, f: int, s: int, d: int) -> None:
    def build(net: Net) -> None:
        out = _out(net, padding, f, s, d)
        geometry = {"sizes": (f,), "strides": (s,), "dilations": (d,), "padding": padding}
        y = net.b.op("pool", net.x, kind=kind, dims=(net.time,), outs=(out,), **geometry)
        net.give("y", y, net.batch, out, net.feature)

    agree(build, lengths)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_several_axes(rank: int, padding: str) -> None:
    def build(net: Net) -> None:
        fixed = [Dim("W", 5), Dim("D", 4)][: rank - 1]
        x = net.input("x", net.batch, *fixed, net.time, net.feature)
        dims, sizes, strides = (*fixed, net.time), (2, 3, 2)[:rank], (2, 1, 2)[:rank]
        outs = tuple(
            (d if padding == "same" else d - (f - 1)).ceildiv(s) for d, f, s in zip(dims, sizes, strides, strict=True)
        )
        filters = tuple(Dim(f"K{i}", f) for i, f in enumerate(sizes))
        channels = Dim("C", 3)
        attrs = {"dims": dims, "outs": outs, "strides": strides, "dilations": (1,) * rank, "padding": padding}
        w = net.param("w", *filters, net.feature, channels)
        y = net.b.op(
            "conv", x, w, in_dim=net.feature, out_dim=channels, filter_dims=filters, filter_in=net.feature, **attrs
        )
        net.give("conv", y, net.batch, *outs, channels)
        for kind in ("max", "avg"):
            y = net.b.op("pool", x, kind=kind, sizes=sizes, **attrs)
            net.give(kind, y, net.batch, *outs, net.feature)

    agree(build, (5, 3))


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(
    ("f", "s", "d", "crop", "extra"), [(3, 2, 1, 0, 1), (3, 2, 1, 0, 0), (2, 3, 1, 0, 0), (4, 1, 2, 2, -1)]
)
def test_conv_transpose(lengths: tuple[int, ...], f: int, s: int, d: int, crop: int, extra: int) -> None:
    def build(net: Net) -> None:
        out, channels, k = net.time * s + extra, Dim("C", 3), Dim("K", f)
        w = net.param("w", k, channels, net.feature)
        attrs = {"dims": (net.time,), "outs": (out,), "in_dim": net.feature, "out_dim": channels, "filter_dims": (k,)}
        geometry = {"filter_in": net.feature, "strides": (s,), "dilations": (d,), "crop": (crop,), "extra": (extra,)}
        net.give("y", net.b.op("conv_transpose", net.x, w, **attrs, **geometry), net.batch, out, channels)

    agree(build, lengths)


def test_dilated_mean_before_opset_19() -> None:
    net = Net()
    y = net.b.op(
        "pool",
        net.x,
        kind="avg",
        dims=(net.time,),
        outs=(net.time,),
        sizes=(2,),
        strides=(1,),
        dilations=(2,),
        padding="same",
    )
    assert y.node is not None
    verdict = OnnxTarget(18).accepts(y.node, net.graph.body)
    assert isinstance(verdict, Reject)
    assert "opset 19" in verdict.reason
