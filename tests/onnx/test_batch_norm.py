"""Batch norm as one operator: the same numbers wherever the statistics' axis is, and refused for a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compiler.cli import main
from compiler.onnx.target import OnnxTarget
from compiler.target.protocol import Reject
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from tests.onnx.graphs import Net, agree, lower, op_types

LENGTHS = [(5, 1, 3), (0, 4), (0, 0)]
PLACES = ("BTF", "BFT", "FBT", "BTFC", "BT1F", "BF")


def _operands(net: Net, dim: Dim) -> list[Value]:
    """Random statistics, scale and bias [F]; the variance is positive."""
    mean, variance, scale, bias = (net.param(name, dim) for name in ("mean", "variance", "scale", "bias"))
    net.params["variance"] = abs(net.params["variance"]) + np.float32(0.1)
    return [mean, variance, scale, bias]


def _normed(net: Net, place: str) -> None:
    """The norm of an input with its axes in that order."""
    named = {"B": net.batch, "T": net.time, "F": net.feature, "C": Dim("C", 3), "1": Dim("one", 1)}
    dims = [named[letter] for letter in place]
    x = net.input("x", *dims)
    net.give("y", net.b.op("batch_norm", x, *_operands(net, net.feature), epsilon=1e-3), *dims)


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fusion", ["require", "never"])
def test_any_axis_has_the_statistics(place: str, lengths: tuple[int, ...], fusion: str) -> None:
    def build(net: Net) -> None:
        _normed(net, place)

    agree(build, lengths, fusion={"batch_norm": fusion})


@pytest.mark.parametrize("opset", [17, 21, 26])
def test_scale_and_bias_may_be_numbers(opset: int) -> None:
    def build(net: Net) -> None:
        mean, variance, *_ = _operands(net, net.feature)
        one, zero = net.b.const(1.0), net.b.const(0.0)
        y = net.b.op("batch_norm", net.x, mean, variance, one, zero, epsilon=1e-3)
        net.give("y", y, net.time, net.batch, net.feature)

    agree(build, opset=opset, fusion={"batch_norm": "require"})


def _computing(place: str) -> list[str]:
    """The operators of a file that do not only move numbers or find extents."""
    net = Net()
    _normed(net, place)
    moving = ("Concat", "Identity", "ReduceMax", "Reshape", "Shape", "Slice", "Squeeze", "Unsqueeze")
    return [name for name in op_types(lower(net).model(net.params)) if name not in moving]


@pytest.mark.parametrize("place", PLACES)
def test_one_operator_computes_it(place: str) -> None:
    assert _computing(place) == ["BatchNormalization"]


def test_a_feature_that_hardly_varies() -> None:
    """By the statistics of its own batch: rounding would be all that is left of a difference of large products."""

    def build(net: Net) -> None:
        net.inputs["data"] = (1000 + net.inputs["data"] / 512).astype(np.float32)
        mean = net.b.reduce("mean", net.x, net.batch, net.time)
        centred = net.b.sub(net.x, mean)
        variance = net.b.reduce("mean", net.b.mul(centred, centred), net.batch, net.time)
        y = net.b.op("batch_norm", net.x, mean, variance, net.b.const(1.0), net.b.const(0.0), epsilon=1e-3)
        net.give("y", y, net.batch, net.time, net.feature)

    agree(build)


def _per_frame(net: Net) -> Value:
    return net.b.op("batch_norm", net.x, net.x, *_operands(net, net.feature)[1:], epsilon=1e-3)


def _vector(net: Net) -> Value:
    return net.b.op("batch_norm", net.param("x", net.feature), *_operands(net, net.feature), epsilon=1e-3)


def _integers(net: Net) -> Value:
    x = net.input("labels", net.batch, net.feature, dtype="int32", high=9)
    return net.b.op("batch_norm", x, *_operands(net, net.feature), epsilon=1e-3)


REFUSED: dict[str, Callable[[Net], Value]] = {
    "BatchNormalization has statistics per entry of one axis of its input, not of 3": _per_frame,
    "BatchNormalization needs an axis beside the one of the statistics": _vector,
    "onnxruntime has no BatchNormalization for int32, float32": _integers,
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_the_operator_cannot_do_is_expanded(reason: str) -> None:
    def build(net: Net) -> None:
        net.give("y", REFUSED[reason](net))

    net = Net()
    build(net)
    assert OnnxTarget().accepts(net.graph.body.nodes[-1], net.graph.body) == Reject(reason)
    agree(build)


def test_a_network_tells_which_were_fused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.py"
    path.write_text(
        'extern_data = {"data": {"dim": 3}}\n'
        'network = {"given": {"class": "batch_norm", "from": "data"},\n'
        '           "output": {"class": "batch_norm", "force_sample": True, "from": "given"}}\n',
        encoding="utf-8",
    )
    assert main([str(path), "--target", "onnx", "-o", str(tmp_path / "net.onnx"), "--explain"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "batch_norm" in line]
    why = "others need x - mean too, and going on from that difference is more exact"
    assert sorted(told) == [
        "layer 'given': batch_norm fused: BatchNormalization",
        f"layer 'output': batch_norm expanded: {why}",
    ]
