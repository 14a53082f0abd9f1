"""TensorFlow's kernel of attention against the body of the composite, gradients included."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from compiler.target.protocol import Reject
from compiler.tensorflow.kernels.attention import drop_threshold
from compiler.tensorflow.target import TensorFlowTarget
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Value
from tests.tensorflow.graphs import Net, agree, lower

HEADS, FEATURES, VALUES, ROWS = Dim("H", 2), Dim("K", 4), Dim("V", 3), Dim("rows", 3)


def _operands(net: Net, *heads: Dim) -> list[Value]:
    """Inputs times parameters, so that all of them have gradients."""
    shapes = {"q": (ROWS, *heads, FEATURES), "k": (net.time, *heads, FEATURES), "v": (net.time, *heads, VALUES)}
    b = net.b
    return [b.mul(net.input(n, net.batch, *dims), net.param(f"{n}/gain", dims[-1])) for n, dims in shapes.items()]


def _attention(net: Net, *further: Value, heads: Sequence[Dim] = (HEADS,), **attrs: object) -> Value:
    operands = [*_operands(net, *heads), *further]
    return net.b.op("attention", *operands, features=(FEATURES,), keys=net.time, **attrs)


def _masked(net: Net, *, zeroed: bool) -> Value:
    allowed = net.b.binary("greater", net.input("m", net.batch, net.time), 0.5)  # here and there no key at all
    terms = [net.param("slopes", HEADS), net.param("matrix", ROWS, HEADS)]
    b = net.b
    full = b.mul(net.input("full", net.batch, HEADS, ROWS, net.time), net.param("f", HEADS))
    return _attention(net, *terms, full, allowed, fills=(-1e30,), zeroed=zeroed, scale=0.5)


def _own_lengths(net: Net) -> Value:
    seen = Dim("seen")
    net.b.define(seen, net.b.iota(net.time))  # the first frame sees nothing
    query, key, value = (
        net.b.mul(net.input(name, net.batch, net.time, HEADS, last), net.param(f"{name}/gain", last))
        for name, last in (("q", FEATURES), ("k", FEATURES), ("v", VALUES))
    )
    key, value = (net.b.rename(x, (net.time, seen)) for x in (key, value))
    return net.b.op("attention", query, key, value, features=(FEATURES,), keys=seen)


CASES: dict[str, Callable[[Net], Value]] = {
    "plain": _attention,
    "no heads": lambda net: _attention(net, heads=()),
    "two axes of heads": lambda net: _attention(net, heads=(HEADS, Dim("G", 3))),
    "all keys": lambda net: _attention(net, mask=False),
    "masks": lambda net: _masked(net, zeroed=False),
    "masks of weights": lambda net: _masked(net, zeroed=True),
    "lengths by query": _own_lengths,
    "dropout": lambda net: _attention(net, dropout=0.3, path="d", drawn=(net.time, net.batch, HEADS, ROWS)),
    "dropout for all alike": lambda net: _attention(net, dropout=0.3, path="d", drawn=(net.time,)),
}


#: A softmax of nothing is no number.
RUNS = [(case, lengths) for case in CASES for lengths in ((5, 1, 0, 3), (0, 0)) if any(lengths) or case != "all keys"]


@pytest.mark.parametrize(("case", "lengths"), RUNS)
def test_the_same_as_the_body(case: str, lengths: tuple[int, ...]) -> None:
    found = []
    for fusion in ("require", "never"):
        net = Net(lengths)
        y = CASES[case](net)
        net.give("y", y)
        net.lose(y)
        program = lower(net, {"attention": fusion})
        found.append((program.run(net.inputs, net.params), program.gradients(net.inputs, net.params)))
    for fused, spelled in zip(*found, strict=True):
        assert fused.keys() == spelled.keys()
        for key, array in spelled.items():
            np.testing.assert_allclose(fused[key], array, rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("kept", [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.999])
def test_dropout_keeps_what_the_sum_says(kept: float) -> None:
    """All 2^23 numbers that are drawn."""
    drawn = np.arange(2**23, dtype=np.float32) * np.float32(2.0**-23)
    np.testing.assert_array_equal(drawn >= np.float32(drop_threshold(kept)), drawn + np.float32(kept) >= 1)


def _node(value: Value) -> Node:
    assert value.node is not None
    return value.node


def test_many_axes() -> None:
    """More than oneDNN's softmax takes, also where it is written out."""
    heads = [Dim(f"H{i}", 2) for i in range(4)]
    agree(lambda net: net.give("y", _attention(net, heads=heads)))
    agree(lambda net: net.give("y", net.b.op("softmax", net.input("x", net.batch, *heads, net.time), dims=(net.time,))))


def test_refused_in_loops() -> None:
    net = Net()
    query, key, value = _operands(net)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        y = net.b.op("attention", net.b.add(query, slices[0]), key, value, features=(FEATURES,), keys=net.time)
        verdict = TensorFlowTarget().accepts(_node(y), net.b.region)
        reason = "in a loop what does not change from step to step is computed once, before it"
        assert verdict == Reject(reason)
        return [], [y]

    other = Dim("S")
    net.b.define(other, net.b.length(net.time))
    net.b.loop(other, [], [net.b.rename(net.input("x", net.batch, net.time), (net.time, other))], step)


def test_what_is_no_number_behind_the_end() -> None:
    """No key or value there counts, with a scale as without."""
    net = Net((5, 1, 0))
    y = _attention(net, scale=0.5)
    net.give("y", y)
    program = lower(net, {"attention": "require"})
    (expected,) = program.run(net.inputs, net.params).values()
    for sequence, length in enumerate(net.lengths):
        net.inputs["k"][sequence, length:] = np.nan
        net.inputs["v"][sequence, length:] = np.inf
    (found,) = program.run(net.inputs, net.params).values()
    np.testing.assert_array_equal(found, expected)
