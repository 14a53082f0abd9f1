"""A graph means the same in every stage: NAMED by tags, TARGET by positions with its masks spelled out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from compiler.program.pipelines import lower_to
from compiler.reference.target import ReferenceTarget
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Output, Value
from tests.reference.nets import Net

LENGTHS = [4, 2, 0]
F = Dim("F", 3)


def _data(net: Net) -> tuple[Dim, Value]:
    time = net.time("T", LENGTHS)
    x = np.random.default_rng(0).normal(size=(3, 4, 3)).astype(np.float32)
    return time, net.data("x", x, net.batch, time, F)


def _reduced(kind: str) -> Callable[[Net], tuple[Value, tuple[Dim, ...]]]:
    def build(net: Net) -> tuple[Value, tuple[Dim, ...]]:
        time, x = _data(net)
        return net.b.reduce(kind, x, time), (F, net.batch)

    return build


def _mean_of_everything(net: Net) -> tuple[Value, tuple[Dim, ...]]:
    time, x = _data(net)
    return net.b.reduce("mean", x, net.batch, time, F), ()


def _softmax(net: Net) -> tuple[Value, tuple[Dim, ...]]:
    time, x = _data(net)
    return net.b.op("softmax", x, dims=(time,)), (time, net.batch, F)


def _attention(net: Net) -> tuple[Value, tuple[Dim, ...]]:
    time, x = _data(net)
    keys = Dim("keys")
    net.b.define(keys, net.b.length(time))
    other = net.b.rename(x, (time, keys))
    weights = net.b.op("softmax", net.b.dot(x, other, F), dims=(keys,))
    return net.b.dot(weights, other, keys), (net.batch, time, F)


def _causal(net: Net) -> tuple[Value, tuple[Dim, ...]]:
    time, x = _data(net)
    past = Dim("past")
    net.b.define(past, net.b.add(net.b.iota(time), 1))
    wide = net.b.op("resize_axis", x, dim=time, out=past)
    return net.b.reduce("mean", wide, past), (net.batch, time, F)


def _lstm(net: Net) -> tuple[Value, tuple[Dim, ...]]:
    time, x = _data(net)
    n, gates, n_in = Dim("N", 2), Dim("G", 8), Dim("N_in", 2)
    rng = np.random.default_rng(1)
    weights = [
        net.data(name, rng.normal(size=[d.size or 0 for d in dims]).astype(np.float32), *dims)
        for name, dims in [("w", (gates, F)), ("w_re", (n_in, gates)), ("bias", (gates,))]
    ]
    zero = net.b.expand(net.b.const(0.0), net.batch, n)
    attrs = {"dim": time, "in_dim": F, "out_dim": n, "gate_dim": gates, "state_in": n_in, "reverse": True}
    return net.b.op("lstm", x, *weights, zero, zero, **attrs), (net.batch, time, n)


def _concat(net: Net) -> tuple[Value, tuple[Dim, ...]]:
    time, x = _data(net)
    other = net.time("S", [1, 3, 2])
    y = net.data("y", np.ones((3, 3), np.float32), net.batch, other)
    return net.b.op("concat", x, y, dims=(time, other), out=time + other, ragged=True), (net.batch, time + other, F)


def _gathered(net: Net) -> tuple[Value, tuple[Dim, ...]]:
    time, x = _data(net)
    new = Dim("new", 2)
    at = net.data("at", np.array([[0, 3], [1, 0], [5, 1]], np.int32), net.batch, new)
    return net.b.mul(net.b.op("gather", x, at, dim=time), net.b.iota(F, "float32")), (F, net.batch, new)


BUILDS: dict[str, Callable[[Net], tuple[Value, tuple[Dim, ...]]]] = {
    **{f"reduce_{kind}": _reduced(kind) for kind in ("sum", "mean", "max", "min", "logsumexp")},
    "mean_of_everything": _mean_of_everything,
    "softmax": _softmax,
    "attention": _attention,
    "causal": _causal,
    "lstm": _lstm,
    "concat": _concat,
    "gather": _gathered,
}


@pytest.mark.parametrize("fusion", ["prefer", "never"])
@pytest.mark.parametrize("name", BUILDS)
def test_lowered_graph_gives_the_same(name: str, fusion: str) -> None:
    net = Net()
    value, axes = BUILDS[name](net)
    expected = net.run(value, *axes)
    net.graph.outputs = {"y": Output(value, axes)}
    target = ReferenceTarget()
    lowered, _ = lower_to(net.graph, target, fusion={"softmax": fusion, "lstm": fusion})
    result = target.lower(lowered).run(net.inputs, {})["output/y"]
    time_axes = [i for i, d in enumerate(axes) if d.is_dynamic]
    if time_axes and name not in ("softmax", "lstm", "concat"):  # what stands behind the ends is nobody's business
        for batch, length in enumerate(LENGTHS):
            np.testing.assert_allclose(result[batch, :length], expected[batch, :length], rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
