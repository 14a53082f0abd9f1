"""Arithmetic on shapes that are known: nothing is left of it, and the numbers are those of onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from compiler.onnx.settle_shapes import settle_shapes

#: Nodes from x [2, 3, 4] to y; a, b and c are integers, f is a float.
NODES = {
    "reshape by the shape": [
        ("Shape", ["x"], ["s"], {"start": 0, "end": 1}),
        ("Concat", ["s", "a"], ["t"], {"axis": 0}),
        ("Reshape", ["x", "t"], ["y"], {}),
    ],
    "divided towards zero": [
        ("Shape", ["x"], ["s"], {"start": 1, "end": 2}),
        ("Sub", ["s", "b"], ["d"], {}),
        ("Div", ["d", "c"], ["q"], {}),
        ("Abs", ["q"], ["n"], {}),
        ("Cast", ["n"], ["g"], {"to": TensorProto.FLOAT}),
        ("Mul", ["x", "g"], ["y"], {}),
    ],
    "a choice that is made": [
        ("Shape", ["x"], ["s"], {"start": 2, "end": 3}),
        ("Greater", ["s", "b"], ["g"], {}),
        ("Where", ["g", "f", "x"], ["h"], {}),
        ("Neg", ["h"], ["y"], {}),
    ],
    "nothing is cut, nothing padded": [
        ("Shape", ["x"], ["s"], {}),
        ("Slice", ["x", "z3", "s"], ["p"], {}),
        ("Sub", ["s", "s"], ["n"], {}),
        ("Concat", ["n", "n"], ["n2"], {"axis": 0}),
        ("Pad", ["p", "n2"], ["q"], {}),
        ("Neg", ["q"], ["y"], {}),
    ],
    "reversed": [
        ("Shape", ["x"], ["s"], {"start": 0, "end": 1}),
        ("Slice", ["x", "m", "l", "z", "m"], ["p"], {}),
        ("Neg", ["p"], ["y"], {}),
    ],
    "counted": [
        ("Shape", ["x"], ["s"], {"start": 2, "end": 3}),
        ("Squeeze", ["s", "z"], ["n"], {}),
        ("Range", ["o", "n", "i"], ["r"], {}),
        ("Cast", ["r"], ["g"], {"to": TensorProto.FLOAT}),
        ("Add", ["x", "g"], ["y"], {}),
    ],
}
LEFT = {
    "reshape by the shape": ["Reshape"],
    "divided towards zero": ["Abs", "Cast", "Mul"],
    "a choice that is made": ["Neg"],
    "nothing is cut, nothing padded": ["Neg"],
    "reversed": ["Slice", "Neg"],
    "counted": ["Add"],
}
CONSTANTS: dict[str, Any] = {
    "a": np.array([12]),
    "b": np.array([10]),
    "c": np.array([2]),
    "f": np.float32(7),
    "z": np.array([0]),
    "z3": np.array([0, 0, 0]),
    "m": np.array([-1]),
    "l": np.array([-9]),
    "o": np.array(0),
    "i": np.array(1),
}


def model(nodes: list[tuple[str, list[str], list[str], dict[str, Any]]]) -> Any:
    """A model with one input and one output."""
    read = {name for _, inputs, _, _ in nodes for name in inputs}
    graph = helper.make_graph(
        [helper.make_node(op, inputs, outputs, **attrs) for op, inputs, outputs, attrs in nodes],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in CONSTANTS.items() if name in read],
    )
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21)])


@pytest.mark.parametrize("case", NODES)
def test_known_shapes(case: str) -> None:
    given = model(NODES[case])
    settled = settle_shapes(given)
    assert [node.op_type for node in settled.graph.node] == LEFT[case]
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    runs = [onnxruntime.InferenceSession(m.SerializeToString()).run(None, {"x": x})[0] for m in (given, settled)]
    np.testing.assert_array_equal(runs[1], runs[0])


def test_shapes_that_are_not_known() -> None:
    """They stay, and so does a result."""
    given = model([("Shape", ["x"], ["s"], {}), ("Reshape", ["x", "s"], ["y"], {})])
    given.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "T"
    assert settle_shapes(given) is given
