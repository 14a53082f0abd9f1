"""LSTM and GRU nodes against their bodies, with ragged and empty sequences, in both directions and fused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from returnn_ir.errors import TargetError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from tests.onnx.graphs import Net, agree, lower, op_types

LENGTHS = [(5, 1, 3), (2, 0), (0, 0), (3, 3)]


def weights(net: Net, name: str, gates: int, out: Dim, state_in: Dim) -> tuple[Dim, list[Value]]:
    """The gate dim, and w, w_re, bias."""
    gate = Dim(f"{gates}H", gates * (out.size or 0))
    dims = [(net.feature, gate), (state_in, gate), (gate,)]
    return gate, [net.param(f"{name}/{i}", *d) for i, d in enumerate(dims)]


def recurrent(net: Net, op: str, name: str, *, reverse: bool, zero: bool) -> list[Value]:
    """A layer with its own weights; ``zero``: the initial states are constants."""
    out = Dim("H", 3)
    state_in = Dim("H_in", 3)
    gate, held = weights(net, name, 4 if op == "lstm" else 2, out, state_in)
    if op == "gru":
        shapes = [(net.feature, out), (state_in, out), (out,)]
        held += [net.param(f"{name}/c{i}", *d) for i, d in enumerate(shapes)]
    states = 2 if op == "lstm" else 1
    if zero:
        start = [net.b.expand(net.b.const(0.0), net.batch, out)] * states
    else:
        start = [net.input(f"{name}/s{i}", net.batch, out) for i in range(states)]
    attrs: dict[str, Any] = {"dim": net.time, "in_dim": net.feature, "out_dim": out, "gate_dim": gate}
    return net.b.emit(get_op(op), [net.x, *held, *start], {**attrs, "state_in": state_in, "reverse": reverse})


@pytest.mark.parametrize("op", ["lstm", "gru"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_one_direction(op: str, reverse: bool, zero: bool, lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        y, *last = recurrent(net, op, "rec", reverse=reverse, zero=zero)
        net.give("y", y, *y.dims)
        for i, value in enumerate(last):
            net.give(f"last/{i}", value, *value.dims)

    result = agree(build, lengths)
    y = result["output/y"]
    for i, n in enumerate(lengths):
        assert not y[n:, i].any()
    agree(build, lengths, fusion={op: "never"})


def test_one_node_with_packed_weights() -> None:
    net = Net()
    y = recurrent(net, "lstm", "rec", reverse=False, zero=True)[0]
    net.give("y", y, *y.dims)
    model = lower(net).model(net.params)
    types = op_types(model)
    assert types.count("LSTM") == 1
    assert "Loop" not in types
    shapes = sorted(tuple(t.dims) for t in model.graph.initializer if len(t.dims) > 1)
    assert shapes == [(1, 12, 3), (1, 12, 4), (1, 24)]


def test_weights_that_are_computed() -> None:
    def build(net: Net) -> None:
        out, state_in = Dim("H", 3), Dim("H_in", 3)
        gate, (w, w_re, bias) = weights(net, "rec", 4, out, state_in)
        zero = net.b.expand(net.b.const(0.0), net.batch, out)
        attrs = {"dim": net.time, "in_dim": net.feature, "out_dim": out, "gate_dim": gate, "state_in": state_in}
        doubled = net.b.mul(w, net.b.unary("exp", net.b.reduce("mean", net.x, *net.x.dims)))
        y = net.b.emit(get_op("lstm"), [net.x, doubled, w_re, bias, zero, zero], attrs)[0]
        net.give("y", y, *y.dims)

    agree(build)


def test_several_batch_axes() -> None:
    def build(net: Net) -> None:
        out, state_in, heads = Dim("H", 3), Dim("H_in", 3), Dim("heads", 2)
        gate, held = weights(net, "rec", 4, out, state_in)
        x = net.b.mul(net.x, net.param("scale", heads))
        start = [net.input(f"s{i}", heads, net.batch, out) for i in range(2)]
        attrs = {"dim": net.time, "in_dim": net.feature, "out_dim": out, "gate_dim": gate, "state_in": state_in}
        y, h, _ = net.b.emit(get_op("lstm"), [x, *held, *start], attrs)
        net.give("y", y, net.time, net.batch, heads, out)
        net.give("h", h, net.batch, heads, out)

    agree(build)


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_bidirectional(zero: bool, lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        out, state_in = Dim("H", 3), Dim("H_in", 3)
        operands: list[Value] = [net.x]
        for name in ("fw", "bw"):
            gate, held = weights(net, name, 4, out, state_in)
            if zero:
                start = [net.b.expand(net.b.const(0.0), net.batch, out)] * 2
            else:
                start = [net.input(f"{name}/s{i}", net.batch, out) for i in range(2)]
            operands += [*held, *start]
        attrs = {"dim": net.time, "in_dim": net.feature, "out_dim": out, "gate_dim": gate, "state_in": state_in}
        # one gate dim for both: the second pair of matrices is renamed to it
        renamed = [net.b.rename(v, *((d, gate) for d in v.dims if d.name == "4H")) for v in operands]
        for i, value in enumerate(net.b.emit(get_op("blstm"), renamed, attrs)):
            net.give(f"y/{i}", value, *value.dims)

    agree(build, lengths)
    agree(build, lengths, fusion={"blstm": "never"})
    net = Net(lengths)
    build(net)
    types = op_types(lower(net).model(net.params))
    assert types.count("LSTM") == 1
    assert "ReverseSequence" not in types


@pytest.mark.parametrize("front", [False, True])
@pytest.mark.parametrize("fusion", ["require", "never"])
def test_one_step(front: bool, fusion: str) -> None:
    """Also where the blocks are not the last axis, and the state has another order or lacks an axis."""

    def build(net: Net) -> None:
        out, gate, heads = Dim("H", 3), Dim("4H", 12), Dim("heads", 2)
        z = net.input("z", *((gate, net.batch, heads) if front else (net.batch, heads, gate)))
        c = net.input("c", *((out, net.batch) if front else (heads, net.batch, out)))
        results = net.b.emit(get_op("lstm_cell"), [z, c], {"out_dim": out, "gate_dim": gate})
        for name, value in zip("hc", results, strict=True):
            net.give(name, value, net.batch, heads, out)

    result = agree(build, fusion={"lstm_cell": fusion})
    net = Net()
    build(net)
    types = op_types(lower(net, fusion={"lstm_cell": fusion}).model(net.params))
    assert types.count("Sigmoid") == (1 if fusion == "require" else 3)
    z, c = (net.inputs[name] for name in "zc")
    z, c = (np.moveaxis(z, 0, -1), np.moveaxis(c, 0, -1)[:, None]) if front else (z, np.moveaxis(c, 0, 1))
    j, i, f, o = np.split(z, 4, axis=-1)
    cell = c / (1 + np.exp(-f)) + np.tanh(j) / (1 + np.exp(-i))
    np.testing.assert_allclose(result["output/c"], cell, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result["output/h"], np.tanh(cell) / (1 + np.exp(-o)), rtol=1e-5, atol=1e-6)


def test_a_step_in_another_type() -> None:
    net = Net()
    out, gate = Dim("H", 3), Dim("4H", 12)
    operands = [net.b.cast(net.input(n, net.batch, d), "float64") for n, d in (("z", gate), ("c", out))]
    h, _ = net.b.emit(get_op("lstm_cell"), operands, {"out_dim": out, "gate_dim": gate})
    net.give("h", h)
    with pytest.raises(TargetError) as caught:
        lower(net, fusion={"lstm_cell": "require"})
    assert str(caught.value) == (
        "target 'onnx' cannot run op 'lstm_cell': its nodes are written in float32, not in float64\n"
        '  try: fusion = {"lstm_cell": "prefer"} expands it'
    )


def test_numbers() -> None:
    """The node against sums written down here, not against our own loop."""
    net = Net((4, 2))
    y, h, c = recurrent(net, "lstm", "rec", reverse=True, zero=False)
    net.give("y", y, *y.dims)
    net.give("h", h, *h.dims)
    net.give("c", c, *c.dims)
    result = lower(net).run(net.inputs, net.params)
    w, w_re, bias = (net.params[f"rec/{i}"] for i in range(3))
    expected = np.zeros((4, 2, 3), np.float32)
    for b, n in enumerate((4, 2)):
        hidden, cell = net.inputs["rec/s0"][b], net.inputs["rec/s1"][b]
        for t in reversed(range(n)):
            j, i, f, o = np.split(net.inputs["data"][b, t] @ w + hidden @ w_re + bias, 4)
            gate = [1 / (1 + np.exp(-v)) for v in (i, f, o)]
            cell = gate[1] * cell + gate[0] * np.tanh(j)
            hidden = expected[t, b] = gate[2] * np.tanh(cell)
        np.testing.assert_allclose(result["output/h"][b], hidden, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(result["output/c"][b], cell, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result["output/y"], expected, rtol=1e-5, atol=1e-6)
