"""What is left of the nodes of one graph: fewer of them, and the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from compiler.onnx import tidy
from compiler.onnx.profile import Format
from compiler.onnx.writer import Writer
from compiler.target.protocol import Array

#: Writes nodes that read ``x`` [2, 3, 8] and gives the names of the results.
Write = Callable[[Writer], list[str]]


def attention(w: Writer) -> list[str]:
    """Heads of queries, keys and values from one product; softmax between two products of single rows."""
    heads = w.op("Reshape", "x", w.ints(-1, 3, 2, 4), allowzero=1)
    query, key, value = w.multi("Split", [heads, w.ints(1, 1, 2)], 3, axis=3)
    energy = w.op("MatMul", w.unsqueeze(w.op("Mul", query, w.constant(0.5, "float32")), [3]), w.unsqueeze(key, [3]))
    weights = w.op("Softmax", w.squeeze(energy, [3]), axis=3)
    context = w.squeeze(w.op("MatMul", w.unsqueeze(weights, [3]), w.unsqueeze(value, [3])), [3])
    return [w.op("Reshape", context, w.ints(-1, 3, 4), allowzero=1)]


def given(w: Writer) -> list[str]:
    """What the graph gives stays, although the axis is inserted again."""
    row = w.squeeze(w.op("Reshape", "x", w.ints(-1, 1, 8), allowzero=1), [1])
    return [row, w.unsqueeze(row, [1])]


def read_otherwise(w: Writer) -> list[str]:
    """Half of a split is read without the axis."""
    left, right = w.multi("Split", ["x", w.ints(5, 3)], 2, axis=2)
    return [w.unsqueeze(left, [1]), w.op("Tanh", right)]


def own_axes(w: Writer) -> list[str]:
    """A shape that takes axes over from its operand is no reshaping of something else."""
    flat = w.op("Reshape", "x", w.ints(-1, 8), allowzero=1)
    return [w.op("Reshape", flat, w.ints(0, 2, 4))]


def axes_in_front(w: Writer) -> list[str]:
    """Axes that a shape takes over are the same ones in front of a squeezed axis, not behind it."""
    single = w.op("Reshape", "x", w.ints(-1, 3, 1, 8), allowzero=1)
    row = w.squeeze(single, [2])
    return [w.op("Reshape", row, w.ints(0, 0, 2, 4)), w.op("Reshape", row, w.ints(0, 0, 0, 1))]


def two_arrays(w: Writer) -> list[str]:
    """A sum of two arrays that both have axes."""
    total = w.op("Add", "x", w.op("Tanh", "x"))
    return [w.unsqueeze(total, [0]), w.unsqueeze(w.op("LogSoftmax", total, axis=-1), [3])]


def evaluated(nodes: list[Any], names: list[str], constants: dict[str, Array], x: Array) -> list[Array]:
    kinds = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 3, 8])]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
    held = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", kinds, outputs, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(names, {"x": x}))


@pytest.mark.parametrize("batch", [2, 0])
@pytest.mark.parametrize(
    ("write", "left"),
    [
        (attention, ["Reshape", "Split", "Mul", "MatMul", "Softmax", "MatMul", "Reshape"]),
        (given, ["Reshape", "Squeeze", "Identity"]),
        (read_otherwise, ["Split", "Unsqueeze", "Tanh"]),
        (own_axes, ["Reshape", "Reshape"]),
        (axes_in_front, ["Reshape", "Squeeze", "Reshape", "Reshape"]),
        (two_arrays, ["Tanh", "Add", "Unsqueeze", "LogSoftmax", "Unsqueeze"]),
    ],
)
def test_the_same_numbers_of_fewer_nodes(write: Write, left: list[str], batch: int) -> None:
    writer = Writer(Format(21))
    names = writer.results(write(writer))
    before = [onnx.NodeProto.FromString(node.SerializeToString()) for node in writer.scope.nodes]
    after = writer.tidied(writer.scope.nodes, names)
    assert [node.op_type for node in after] == left
    x = np.random.default_rng(1).standard_normal((batch, 3, 8)).astype(np.float32)
    expected = evaluated(before, names, writer.initializers, x)
    for y, z in zip(expected, evaluated(after, names, writer.initializers, x), strict=True):
        np.testing.assert_array_equal(y, z)


def test_what_nobody_reads_goes() -> None:
    writer = Writer(Format(21))
    kept = writer.op("Tanh", "x")
    writer.op("Exp", kept)
    assert [node.op_type for node in writer.tidied(writer.scope.nodes, [kept])] == ["Tanh"]


def test_the_work_grows_with_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An axis that moves over a chain: how often the names that a node reads are asked for, however long it is."""
    asked = 0
    reads = tidy._reads

    def counted(nodes: Iterable[Any]) -> Iterator[str]:
        nonlocal asked
        asked += 1
        return reads(nodes)

    monkeypatch.setattr(tidy, "_reads", counted)

    def chain(length: int) -> int:
        nonlocal asked
        asked, writer = 0, Writer(Format(21))
        x = writer.op("Reshape", "x", writer.ints(-1, 8), allowzero=1)
        for i in range(length):
            x = writer.op("Mul", x, writer.constant(1.0 + i, "float32"))
        left = writer.tidied(writer.scope.nodes, [writer.op("Tanh", writer.unsqueeze(x, [1]))])
        assert [node.op_type for node in left] == ["Reshape", *["Mul"] * length, "Tanh"]
        return asked

    assert chain(400) <= 2 * chain(200) <= 4 * chain(100) <= 4 * 100 * 10
