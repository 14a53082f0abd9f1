"""Every elementwise op and element type against the reference."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.onnx.profile import Provider
from compiler.onnx.target import OnnxTarget
from compiler.target.protocol import Reject
from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Trait, all_ops, get_op
from tests.onnx.graphs import Net, agree, lower, op_types

DTYPES = ("bool", "int8", "uint8", "int16", "uint16", "int32", "int64", "float32", "float64")
SPECIAL = ("cast", "set_sparse", "label_index", "where", "complex", "real", "imag")
NAMES = [s.name for s in all_ops() if s.has(Trait.ELEMENTWISE) and s.name not in SPECIAL and not s.has(Trait.COMPOSITE)]
COMPOSITES = [s for s in all_ops() if s.has(Trait.ELEMENTWISE) and s.has(Trait.COMPOSITE)]
ACTIVATIONS = [s.name for s in COMPOSITES if len(s.operands) == 1]


ON_BOOLS = ("logical_not", "logical_and", "logical_or", "equal", "not_equal", "maximum", "minimum", "stop_gradient")
#: In front of and behind 0, tan(pi / 8), 1, and beyond what has a square in float32.
SLOPES = np.concatenate([[0, np.inf, -np.inf, np.nan, 1, -1, 1e-30, 1e30, -1e30], np.linspace(-4, 4, 240)])
LONG = (40, 7, 33)
POSITIVE = ("log", "sqrt", "rsqrt", "log1p", "pow")


def _operands(net: Net, name: str, dtype: str) -> list[Value]:
    arity = len(get_op(name).operands)
    values = []
    for i in range(arity):
        high = 1 if dtype == "bool" else 0 if dtype.startswith("float") else 9
        values.append(net.input(f"x{i}", net.batch, net.time, dtype=dtype, high=high))
        array = net.inputs[f"x{i}"]
        if name in POSITIVE or dtype.startswith("u"):
            array[...] = abs(array.astype("int64" if dtype.startswith("u") else dtype)) % 9
        if i == 1 and name in ("floordiv", "mod", "div"):
            array[array == 0] = 3
    return values


def _takes(name: str, dtype: str) -> bool:
    """Whether the op has a meaning for the element type."""
    if dtype == "bool" and name not in ON_BOOLS:
        return False
    try:
        net = Net()
        net.b.op(name, *_operands(net, name, dtype))
    except IRError:
        return False
    return not (name == "div" and not dtype.startswith("float"))


@pytest.mark.parametrize("name", NAMES)
def test_primitive(name: str) -> None:
    done = []
    for dtype in DTYPES:
        if not _takes(name, dtype):
            continue

        def build(net: Net, dtype: str = dtype) -> None:
            net.give("y", net.b.op(name, *_operands(net, name, dtype)))

        net = Net()
        build(net)
        verdict = OnnxTarget().accepts(net.graph.body.nodes[-1], net.graph.body)
        if isinstance(verdict, Reject):
            assert dtype in verdict.reason
        else:
            agree(build)
            done.append(dtype)
    assert "float32" in done or "bool" in done


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("opset", [17, 21, 26])
def test_activation(name: str, opset: int) -> None:
    agree(lambda net: net.give("y", net.b.op(name, net.x)), opset=opset)
    agree(lambda net: net.give("y", net.b.op(name, net.x)), opset=opset, fusion={name: "never"})


@pytest.mark.parametrize("dtype", DTYPES)
def test_where(dtype: str) -> None:
    def build(net: Net) -> None:
        condition = net.input("c", net.batch, net.time, dtype="bool", high=1)
        net.inputs["c"][0] = False
        a = net.input("a", net.batch, net.time, net.feature, dtype=dtype, high=100)
        b = net.input("b", net.time, net.feature, dtype=dtype, high=2)
        net.give("y", net.b.op("where", condition, a, b), net.time, net.batch, net.feature)

    agree(build)


@pytest.mark.parametrize("old", DTYPES)
def test_cast(old: str) -> None:
    def build(net: Net) -> None:
        x = net.input("x", net.batch, net.time, dtype=old, high=100)
        for dtype in DTYPES:
            if not (old.startswith("float") and dtype.startswith("u")):
                net.give(dtype, net.b.cast(net.b.op("abs", x) if old[0] in "if" else x, dtype))

    agree(build)


def test_extreme_values() -> None:
    def build(net: Net) -> None:
        spots = Dim("spots", 8)
        x = net.b.const(np.array([-np.inf, -90, -1e-8, 0, 1e-8, 0.3, 90, np.inf], np.float32), "float32", (spots,))
        for name in ("expm1", "tanh", "softplus", "is_finite", "is_nan"):
            net.give(name, net.b.op(name, x))
        net.give("log1p", net.b.op("log1p", net.b.op("maximum", x, net.b.const(-1.0, "float32"))))

    result = agree(build)
    assert result["output/log1p"][1] == -np.inf


def test_angles_on_cuda() -> None:
    """In other ops, as CUDA has none for them: to the last bits, of slopes of any size and of what is no number."""

    def build(net: Net) -> None:
        y, x = (net.input(name, net.batch, net.time, net.feature) for name in ("y", "x"))
        net.inputs["y"] = np.resize(SLOPES, net.inputs["y"].shape).astype(np.float32)
        net.inputs["x"] = np.resize([1, -1, 0.5, -3, 0], net.inputs["x"].shape).astype(np.float32)
        net.give("angle", net.b.op("atan2", y, x))

    net = Net(LONG)
    build(net)
    program = lower(net, provider=Provider.CUDA)
    assert "Atan" not in op_types(program.model({}))
    wanted = np.arctan2(net.inputs["y"].astype(np.float64), net.inputs["x"].astype(np.float64))
    counts = np.arange(max(LONG)) < np.asarray(LONG)[:, None]
    found = program.run(net.inputs, {})["output/angle"]
    np.testing.assert_allclose(found[counts], wanted[counts], rtol=4e-7, atol=0)
