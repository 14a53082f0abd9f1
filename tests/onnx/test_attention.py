"""Attention as onnxruntime's MultiHeadAttention: the numbers of the reference, and refused for a reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from compiler.onnx.profile import Profile
from compiler.onnx.target import OnnxTarget
from compiler.target.protocol import Reject
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from tests.onnx.graphs import Build, Net, agree, lower, op_types

HEADS, FEATURES, VALUES = Dim("H", 2), Dim("K", 4), Dim("V", 3)
#: Of the keys: sequences without any, and a batch without any.
LENGTHS = [(5, 1, 3), (4, 0, 2), (0, 0)]


def _operands(net: Net, *heads: Dim, scale: float = 1.0) -> tuple[Value, Value, Value]:
    """Queries of 3 rows; keys and values over the net's time."""
    rows = Dim("rows", 3)
    query = net.input("q", net.batch, rows, *heads, FEATURES)
    key, value = (net.input(name, net.batch, net.time, *heads, last) for name, last in (("k", FEATURES), ("v", VALUES)))
    net.inputs["q"] = (net.inputs["q"] * scale).astype("float32")
    return query, key, value


def _plain(net: Net, **attrs: object) -> Value:
    return net.b.op("attention", *_operands(net, HEADS), features=(FEATURES,), keys=net.time, **attrs)


def _large(net: Net) -> Value:
    """Energies beside which onnxruntime's usual -10000 for a key that does not count is a large one."""
    return net.b.op("attention", *_operands(net, HEADS, scale=1e5), features=(FEATURES,), keys=net.time)


def _gaps(net: Net) -> Value:
    """What stands behind the ends is no number."""
    operands = _operands(net, HEADS)
    behind = np.arange(net.extent(net.time)) >= np.asarray(net.lengths, int)[:, None]
    for name in ("k", "v"):
        net.inputs[name][behind] = np.nan
    return net.b.op("attention", *operands, features=(FEATURES,), keys=net.time)


def _further(net: Net, *dims: Dim, masks: int = 0, zeroed: bool = False) -> Value:
    query, key, value = _operands(net, HEADS)
    named = {"B": net.batch, "T": net.time, "H": HEADS, "rows": query.dims[1]}
    term = net.input("term", *(named[d.name] for d in dims if d.name in named), net.time)
    allowed = [net.b.binary("greater", net.input(f"m{i}", net.batch, net.time), -0.5) for i in range(masks)]
    fills = (-1e30,) * masks
    attrs = {"features": (FEATURES,), "keys": net.time, "fills": fills, "zeroed": zeroed, "scale": 0.5}
    return net.b.op("attention", query, key, value, term, *allowed, **attrs)


def _causal(net: Net) -> Value:
    query = net.input("q", net.time, net.batch, HEADS, FEATURES)
    seen = Dim("seen")
    net.b.define(seen, net.b.iota(net.time))  # the first frame sees nothing
    key, value = (
        net.b.rename(net.input(name, net.time, net.batch, HEADS, last), (net.time, seen))
        for name, last in (("k", FEATURES), ("v", VALUES))
    )
    return net.b.op("attention", query, key, value, features=(FEATURES,), keys=seen)


BATCH, ROWS = Dim("B"), Dim("rows")
CASES: dict[str, Callable[[Net], Value]] = {
    "plain": _plain,
    "scaled": lambda net: _plain(net, scale=0.3),
    "all keys": lambda net: _plain(net, mask=False),
    "large": _large,
    "gaps": _gaps,
    "no heads": lambda net: net.b.op("attention", *_operands(net), features=(FEATURES,), keys=net.time),
    "two axes of heads": lambda net: net.b.op(
        "attention", *_operands(net, HEADS, Dim("G", 3)), features=(FEATURES,), keys=net.time
    ),
    "term per key": _further,
    "term per head": lambda net: _further(net, HEADS),
    "term per row": lambda net: _further(net, ROWS),
    "term of all": lambda net: _further(net, BATCH, HEADS, ROWS),
    "mask": lambda net: _further(net, masks=1),
    "masks, zeroed": lambda net: _further(net, BATCH, masks=2, zeroed=True),
    "causal": _causal,
}


#: A softmax of nothing is no number.
RUNS = [(case, lengths) for case in CASES for lengths in LENGTHS if any(lengths) or case != "all keys"]


@pytest.mark.parametrize(("case", "lengths"), RUNS)
def test_the_numbers_of_the_reference(case: str, lengths: tuple[int, ...]) -> None:
    def build(net: Net) -> None:
        net.give("y", CASES[case](net))

    agree(build, lengths, rtol=1e-4, fusion={"attention": "require"}, profile=Profile.ONNXRUNTIME)


def _computing(build: Build) -> list[str]:
    net = Net()
    build(net)
    moving = ("Cast", "Concat", "Expand", "Identity", "ReduceMax", "Reshape", "Shape", "Slice", "Squeeze", "Unsqueeze")
    model = lower(net, profile=Profile.ONNXRUNTIME).model(net.params)
    return [name for name in op_types(model) if name not in (*moving, "Transpose", "Range", "Less")]


def test_one_op_computes_it() -> None:
    found = _computing(lambda net: net.give("y", _plain(net)))
    assert found == ["Where", "Where", "MultiHeadAttention"]  # zeros behind the ends of keys and values


def _wide(net: Net) -> Value:
    operands = [net.b.cast(x, "float64") for x in _operands(net, HEADS)]
    return net.b.op("attention", *operands, features=(FEATURES,), keys=net.time)


REFUSED: dict[str, Callable[[Net], Value]] = {
    "onnxruntime has no MultiHeadAttention for float64 on a CPU": _wide,
    "MultiHeadAttention drops no weights": lambda net: _plain(net, dropout=0.5, path="d", drawn=(HEADS,)),
    "MultiHeadAttention takes a scale of 0 for none given": lambda net: _plain(net, scale=0.0),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused(reason: str) -> None:
    net = Net()
    node = REFUSED[reason](net).node
    assert node is not None
    assert OnnxTarget(profile=Profile.ONNXRUNTIME).accepts(node, net.graph.body) == Reject(reason)


def test_no_operator_of_other_runtimes() -> None:
    net = Net()
    node = _plain(net).node
    assert node is not None
    assert OnnxTarget().accepts(node, net.graph.body) == Reject(
        "ONNX has no operator for it, the profile onnxruntime has"
    )
