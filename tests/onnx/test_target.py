"""The target as a whole: every op, every opset, names, states, refusals."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from compiler.onnx.profile import IR_VERSIONS
from compiler.onnx.registry import REFUSED, ROWS
from compiler.onnx.target import OnnxTarget
from compiler.target.protocol import Reject
from returnn_ir.errors import DataError, TargetError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.op import Trait, all_ops
from tests.onnx.graphs import Net, agree, lower


def test_every_op_has_a_row_or_a_reason() -> None:
    missing = [
        spec.name
        for spec in all_ops()
        if spec.name not in ROWS and spec.name not in REFUSED and not (spec.has(Trait.COMPOSITE) or spec.is_symbolic)
    ]
    assert not missing
    known = {spec.name for spec in all_ops()}
    assert set(ROWS) <= known
    assert set(REFUSED) <= known
    assert all(REFUSED.values())


@pytest.mark.parametrize("opset", sorted(IR_VERSIONS))
def test_opsets(opset: int) -> None:
    def build(net: Net) -> None:
        b, wide = net.b, Dim("wide", 6)
        padded = b.op("pad", net.x, dim=net.feature, out=wide, left=1, right=1)
        net.give("y", b.op("log_softmax", b.unary("exp", padded), dims=(wide,)), net.batch, net.time, wide)
        net.give("gelu", b.op("gelu", net.x), net.batch, net.time, net.feature)
        net.give("mean", b.reduce("mean", net.x, net.time), net.batch, net.feature)

    agree(build, opset=opset)
    net = Net()
    build(net)
    model = lower(net, opset=opset).model({})
    assert model.opset_import[0].version == opset
    assert model.ir_version == IR_VERSIONS[opset]


@pytest.mark.parametrize("opset", [16, 27])
def test_unknown_opset(opset: int) -> None:
    with pytest.raises(TargetError, match="17 to 26"):
        OnnxTarget(opset)


def test_the_default_opset_is_what_onnxruntime_runs_everywhere() -> None:
    """Opset 21 with IR version 10: newer ones move pooling off CUDA."""
    net = Net()
    net.give("y", net.b.unary("exp", net.x), net.batch, net.time, net.feature)
    model = OnnxTarget().lower(net.graph).model({})
    assert (model.opset_import[0].version, model.ir_version) == (21, 10)


def test_refusals_say_why() -> None:
    net = Net()
    y = net.b.op("random", kind="uniform", path="drop", dims=(net.feature,))
    z = net.b.op("const", value=np.zeros(4, np.complex64), dtype="complex64", dims=(net.feature,))
    verdicts = [OnnxTarget().accepts(v.node, net.graph.body) for v in (y, z) if v.node is not None]
    assert [isinstance(v, Reject) for v in verdicts] == [True, True]
    assert "random" in str(verdicts[0])
    assert "complex64" in str(verdicts[1])


def test_names_and_axes() -> None:
    net = Net()
    net.give("data", net.b.unary("tanh", net.x), net.time, net.batch, net.feature)
    net.give("enc/out", net.b.unary("exp", net.x), net.batch, net.time, net.feature)
    net.graph.outputs["enc/out"].lengths = {1: net.b.length(net.time)}
    net.graph.objective = net.b.reduce("sum", net.x, *net.x.dims)
    program = lower(net)
    model = program.model({})
    assert [i.name for i in model.graph.input] == ["data/size1", "data"]
    assert [o.name for o in model.graph.output] == ["output/data", "enc/out", "enc/out/size1", "objective"]
    shape = [d.dim_param or d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim]
    assert shape == ["T", "B", 4]
    assert set(program.run(net.inputs, {})) == {"output/data", "output/enc/out", "output/enc/out/size1", "objective"}


def test_state_is_an_input_with_a_default() -> None:
    net = Net()
    mean = net.param("norm/mean", net.feature)
    moved = net.b.mul(net.b.add(mean, net.b.reduce("mean", net.x, net.batch, net.time)), 0.5)
    net.graph.state_updates["norm/mean"] = moved
    net.give("y", net.b.sub(net.x, mean), net.batch, net.time, net.feature)
    program = lower(net)
    first = program.run(net.inputs, net.params)
    assert first["output/y"].shape == (3, 5, 4)
    again = program.run({**net.inputs, "state/norm/mean": first["state/norm/mean"]}, net.params)
    np.testing.assert_allclose(again["output/y"], net.inputs["data"] - first["state/norm/mean"], rtol=1e-6)
    assert [o.name for o in program.model(net.params).graph.output] == ["y", "state/norm/mean/next"]


def test_other_parameters_make_another_model() -> None:
    net = Net()
    net.give("y", net.b.mul(net.x, net.param("scale", net.feature)), net.batch, net.time, net.feature)
    program = lower(net)
    one = program.run(net.inputs, {"scale": np.ones(4, np.float32)})
    two = program.run(net.inputs, {"scale": np.full(4, 2, np.float32)})
    np.testing.assert_allclose(two["output/y"], 2 * one["output/y"])
    with pytest.raises(TargetError, match="'scale' has no value"):
        program.run(net.inputs, {})
    with pytest.raises(TargetError, match="another shape"):
        program.run(net.inputs, {"scale": np.ones(3, np.float32)})
    with pytest.raises(DataError, match="data/size1"):
        program.run({"data": net.inputs["data"]}, net.params)


def test_importing_the_target_imports_neither_onnx_nor_tensorflow() -> None:
    code = "import sys, compiler.onnx.target; print(sorted({'onnx', 'onnxruntime', 'tensorflow'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
