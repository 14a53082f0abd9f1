"""Every op on TensorFlow gives what the reference gives, and what it should give where TensorFlow alone can tell."""

from __future__ import annotations

import pytest

from compiler.tensorflow.composite import COMPOSITES
from compiler.tensorflow.table import PRIMITIVES
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.op import Trait, all_ops, get_op
from returnn_ir.ops.reduce import REDUCE_KINDS
from tests.tensorflow.graphs import Net, agree

UNARY = """neg abs sign exp sin cos tanh sigmoid softplus erf expm1 floor ceil round is_finite is_nan stop_gradient
relu silu gelu elu selu log_sigmoid softsign scale_gradient"""
BINARY = "add sub mul div maximum minimum equal not_equal less less_equal greater greater_equal"


def test_every_op_is_covered() -> None:
    for op in all_ops():
        if op.has(Trait.COMPOSITE):
            assert op.name in COMPOSITES or op.body is not None, op.name
        elif not op.is_symbolic and op.name != "external":  # what another program computes
            assert op.name in PRIMITIVES, op.name
    assert set(PRIMITIVES) | set(COMPOSITES) <= {op.name for op in all_ops()}


def test_unary() -> None:
    def build(net: Net) -> None:
        for name in UNARY.split():
            net.give(name, net.b.unary(name, net.x))
        positive = net.b.add(net.b.mul(net.x, net.x), 0.5)
        for name in ("log", "log1p", "sqrt", "rsqrt"):
            net.give(name, net.b.unary(name, positive))
        net.give("logical_not", net.b.unary("logical_not", net.b.binary("greater", net.x, 0.0)))

    agree(build)


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_binary(dtype: str) -> None:
    def build(net: Net) -> None:
        other = net.b.cast(net.b.mul(net.input("other", net.feature, net.batch), 10.0), dtype)
        x = net.b.cast(net.b.mul(net.x, 10.0), dtype)
        for name in BINARY.split():
            net.give(name, net.b.binary(name, x, other))
        for name in ("floordiv", "mod"):
            net.give(name, net.b.binary(name, x, net.b.where(net.b.binary("equal", other, 0), 3, other)))
        net.give("pow", net.b.binary("pow", net.b.unary("abs", x), 2))
        mask = net.b.binary("less", x, 0)
        net.give("logical_and", net.b.op("logical_and", mask, net.b.binary("less", other, 0)))
        net.give("logical_or", net.b.op("logical_or", mask, net.b.binary("less", other, 0)))
        net.give("where", net.b.where(mask, x, other))
        if dtype == "float32":
            net.give("atan2", net.b.binary("atan2", x, other))

    agree(build)


@pytest.mark.parametrize("lengths", [(5, 1, 3), (4,)])
def test_reductions(lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        for kind in REDUCE_KINDS:
            x = net.b.binary("greater", net.x, 0.0) if kind in ("any", "all") else net.x
            net.give(f"{kind}_time", net.b.reduce(kind, x, net.time))
            net.give(f"{kind}_feature", net.b.reduce(kind, x, net.feature))
            net.give(f"{kind}_all", net.b.reduce(kind, x, net.batch, net.time, net.feature))
            net.give(f"{kind}_raw", net.b.reduce(kind, x, net.time, mask=False))
        for name in ("argmax", "argmin"):
            net.give(name, net.b.op(name, net.x, dim=net.time))
        net.give("argsort", net.b.op("argsort", net.x, dim=net.time, descending=True))
        net.give("argsort_up", net.b.op("argsort", net.x, dim=net.feature))
        for flags in ({"reverse": True}, {"exclusive": True}, {"reverse": True, "exclusive": True}):
            net.give(f"cumsum_{'_'.join(flags)}", net.b.op("cumsum", net.x, dim=net.time, **flags))
        values, positions = net.b.emit(get_op("top_k"), [net.x], {"dim": net.feature, "k": Dim("K", 2)})
        net.give("top_k", values)
        net.give("positions", positions)

    agree(build, lengths)


def test_softmax_over_each_dim() -> None:
    def build(net: Net) -> None:
        for name in ("softmax", "log_softmax"):
            net.give(f"{name}_feature", net.b.op(name, net.x, dims=(net.feature,)))
            over_time = net.b.op(name, net.x, dims=(net.time,))
            net.give(f"{name}_time", net.b.where(net.b.mask(net.time), over_time, 0.0))
            both = net.b.op(name, net.x, dims=(net.time, net.feature))
            net.give(f"{name}_both", net.b.where(net.b.mask(net.time), both, 0.0))

    agree(build)


def test_axes() -> None:
    def build(net: Net) -> None:
        b, x = net.b, net.x
        other, left, right = Dim("F2", 4), Dim("a", 2), Dim("b", 2)
        net.give("rename", b.rename(x, (net.feature, other)))
        net.give("expand", b.expand(b.reduce("sum", x, net.time), Dim("E", 3), net.time))
        net.give("merge", b.op("merge", x, dims=(net.batch, net.time), out=net.batch * net.time))
        net.give("merge_swapped", b.op("merge", x, dims=(net.feature, net.time), out=net.feature * net.time))
        net.give("split", b.op("split", x, dim=net.feature, outs=(left, right)))
        one = Dim("one", 1)
        net.give("squeeze", b.op("squeeze", net.input("narrow", net.batch, one, net.time), dim=one))
        net.give("iota", b.op("iota", dim=net.time, dtype="float32"))
        net.give("length", b.length(net.time.ceildiv(2)))
        net.give("extent", b.extent(net.time + 2))
        net.give("mask", b.mask(net.time))
        net.give("derived_mask", b.mask(net.time.ceildiv(2)))

    agree(build)


def _parts(*sizes: int) -> tuple[Dim, ...]:
    return tuple(Dim(f"part{i}", size) for i, size in enumerate(sizes))


def test_cutting() -> None:
    def build(net: Net) -> None:
        b, x, time = net.b, net.x, net.time
        net.give("slice", b.op("slice", x, dim=time, out=time - 1, start=1))
        net.give("slice_step", b.op("slice", x, dim=net.feature, out=Dim("s", 2), start=-1, end=None, step=-2))
        for i, part in enumerate(b.emit(get_op("sections"), [x], {"dim": net.feature, "outs": _parts(1, 3)})):
            net.give(f"section_{i}", part)
        for i, part in enumerate(b.emit(get_op("sections"), [x], {"dim": net.feature, "outs": _parts(2, 2)})):
            net.give(f"half_{i}", part)
        net.give("reverse", b.op("reverse", x, dim=time))
        net.give("reverse_raw", b.op("reverse", x, dim=time, ragged=False))
        net.give("resize_up", b.op("resize_axis", x, dim=time, out=time + 2))
        net.give("resize_down", b.op("resize_axis", x, dim=time, out=time.ceildiv(2)))
        window = Dim("w", 3)
        net.give("window", b.op("window", x, dim=time, out=time, window=window, left=1))
        strided = {"out": time.ceildiv(2), "window": window, "left": 2, "stride": 2, "dilation": 2}
        net.give("window_strided", b.op("window", x, dim=time, **strided))
        for ragged in (False, True):
            pad = {"dim": time, "out": time + 3, "left": 2, "right": 1, "value": 7.0, "ragged": ragged}
            net.give(f"pad_{ragged}", b.op("pad", x, **pad))
        for mode in ("reflect", "symmetric", "replicate"):
            out = Dim("p", 7)
            pad = {"dim": net.feature, "out": out, "left": 2, "right": 1, "mode": mode}
            net.give(f"pad_{mode}", b.op("pad", x, **pad))
        pad = {"dim": time, "out": time + 2, "left": 1, "right": 1, "mode": "replicate", "ragged": True}
        net.give("pad_ragged_replicate", b.op("pad", x, **pad))

    agree(build)


def test_concat() -> None:
    def build(net: Net) -> None:
        b, x, time = net.b, net.x, net.time
        other = Dim("G", 2)
        y = net.input("y", other, net.batch)
        net.give("features", b.op("concat", x, y, dims=(net.feature, other), out=net.feature + other))
        shorter = time - 1
        cut = b.op("slice", x, dim=time, out=shorter, start=1)
        net.give("ragged", b.op("concat", x, cut, dims=(time, shorter), out=time + shorter, ragged=True))

    agree(build)


def test_indexing() -> None:
    def build(net: Net) -> None:
        b, x, time = net.b, net.x, net.time
        labels, vocabulary, rest = Dim("L", 3), Dim("V", 6), Dim("E", 2)
        at = net.input("at", net.batch, labels, dtype="int32", high=9)
        net.give("gather_shared", b.op("gather", x, at, dim=time))
        table = net.param("table", vocabulary, rest)
        net.give("gather_rows", b.op("gather", table, at, dim=vocabulary))
        net.give("gather_last", b.op("gather", x, b.sub(at, 3), dim=net.feature))
        position = b.sub(net.input("position", net.batch, time, dtype="int64", high=8), 1)
        net.give("scatter_add", b.op("scatter_add", x, position, dims=(time,), out=vocabulary))
        sums = b.reduce("sum", x, net.feature)
        net.give("scatter_both", b.op("scatter_add", sums, position, dims=(net.batch, time), out=vocabulary))
        steps = b.iota(vocabulary, "float32")
        net.give("search_left", b.op("search_sorted", steps, b.mul(x, 3.0), dim=vocabulary))
        net.give("search_right", b.op("search_sorted", steps, b.cast(at, "float32"), dim=vocabulary, side="right"))
        packed = Dim("packed")
        mask = b.mask(time)
        count = b.reduce("sum", b.cast(mask, "int64"), net.batch, time, mask=False)
        b.define(packed, count)
        net.give("masked_select", b.op("masked_select", x, mask, dims=(net.batch, time), out=packed))

    agree(build)


def test_dot() -> None:
    def build(net: Net) -> None:
        b, x, time = net.b, net.x, net.time
        out, heads, keys = Dim("O", 3), Dim("H", 2), Dim("K", 2)
        net.give("linear", b.dot(x, net.param("W", net.feature, out), net.feature))
        net.give("transposed", b.dot(x, net.param("V", out, net.feature), net.feature))
        net.give("two_dims", b.dot(x, net.param("U", heads, net.feature, keys), net.feature))
        weights = b.reduce("sum", x, net.feature)
        net.give("over_time", b.dot(x, weights, time))
        net.give("outer", b.dot(x, net.param("q", out)))
        net.give("full", b.dot(x, x, net.batch, time, net.feature))
        split = b.op("split", x, dim=net.feature, outs=(heads, keys))
        memory = Dim("T'")
        b.define(memory, b.lookup(time) or b.length(time))
        energy = b.dot(split, b.rename(split, (time, memory)), keys)
        net.give("attention", b.dot(energy, b.rename(split, (time, memory)), memory))

    agree(build)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_windows(padding: str, stride: int, dilation: int) -> None:
    def build(net: Net) -> None:
        b, x, time = net.b, net.x, net.time
        taps, channels = Dim("taps", 3), Dim("C", 6)
        reach = 0 if padding == "same" else 2 * dilation
        out = (time - reach).ceildiv(stride) if reach else time.ceildiv(stride)
        moves = {"dims": (time,), "outs": (out,), "strides": (stride,), "dilations": (dilation,), "padding": padding}
        pooled = time.ceildiv(stride) if padding == "same" else (time - dilation).ceildiv(stride)
        for groups in (1, 2):
            filter_in = Dim("I", 4 // groups)
            kernel = net.param(f"W{groups}", taps, filter_in, channels)
            ends = {"in_dim": net.feature, "out_dim": channels, "filter_dims": (taps,), "filter_in": filter_in}
            net.give(f"conv{groups}", b.op("conv", x, kernel, **moves, **ends, groups=groups))
        for kind in ("max", "avg"):
            net.give(kind, b.op("pool", x, kind=kind, sizes=(2,), **{**moves, "outs": (pooled,)}))

    agree(build, (9, 1, 6))


def test_windows_over_two_axes() -> None:
    def build(net: Net) -> None:
        b, time, feature = net.b, net.time, net.feature
        one, taps, taps2, channels = Dim("one", 1), Dim("a", 3), Dim("b", 2), Dim("C", 2)
        x = b.expand(net.x, one)
        moves = {"dims": (time, feature), "outs": (time, Dim("F'", 2)), "strides": (1, 2), "padding": "same"}
        ends = {"in_dim": one, "out_dim": channels, "filter_dims": (taps, taps2), "filter_in": one}
        kernel = net.param("W", taps, taps2, one, channels)
        net.give("conv", b.op("conv", x, kernel, dilations=(1, 1), **moves, **ends))
        net.give("dilated", b.op("conv", x, kernel, dilations=(2, 1), **moves, **ends))
        net.give("pool", b.op("pool", net.x, kind="avg", sizes=(3, 2), dilations=(1, 1), **moves))

    agree(build)


@pytest.mark.parametrize(
    ("stride", "dilation", "crop", "extra"), [(1, 1, 1, 0), (2, 1, 0, 1), (3, 1, 1, 2), (2, 2, 1, 4)]
)
def test_transposed_convolution(stride: int, dilation: int, crop: int, extra: int) -> None:
    def build(net: Net) -> None:
        taps, channels, filter_in = Dim("taps", 3), Dim("C", 5), Dim("I", 4)
        kernel = net.param("W", taps, channels, filter_in)
        ends = {"in_dim": net.feature, "out_dim": channels, "filter_dims": (taps,), "filter_in": filter_in}
        moves = {
            "dims": (net.time,),
            "outs": (net.time * stride + extra,),
            "strides": (stride,),
            "dilations": (dilation,),
        }
        net.give("y", net.b.op("conv_transpose", net.x, kernel, crop=(crop,), extra=(extra,), **moves, **ends))

    agree(build)
