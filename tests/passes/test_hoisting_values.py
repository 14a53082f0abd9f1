"""The graphs of the hoisting tests compute the same before and after, on every target that needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from compiler.passes.base import Context, run_pass
from compiler.passes.loops.history_to_carry import HistoryToCarry
from compiler.program.pipelines import lower_to
from compiler.program.program import make_target
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Array
from returnn_ir.ir.graph import Graph
from returnn_ir.text.parser import parse_graph
from tests.filecheck import RefusingTarget

FILES = sorted(Path(__file__).parent.glob("hoist_*.ir"))
LENGTHS = {"data/size1": [4, 1, 3], "enc/size1": [2, 5, 1]}


def _values(graph: Graph, op: str) -> dict[str, Array]:
    rng = np.random.default_rng(1)
    sizes = {"B": 3, "T": 4, "S": 5}
    found: dict[str, Array] = {}
    for node in graph.nodes(op):
        name, dims = node.attrs["name"], node.attrs["dims"]
        shape = [d.size or sizes[d.name] for d in dims]
        found[name] = np.asarray(LENGTHS[name]) if name in LENGTHS else rng.normal(size=shape).astype("float32")
    return found


def _valid(graph: Graph, results: Mapping[str, Array]) -> dict[str, Array]:
    found = {}
    for name, output in graph.outputs.items():
        array, axes = results[f"output/{name}"], [d.name for d in output.axes]
        if axes[:2] == ["T", "B"]:
            mask = np.arange(array.shape[0])[:, None] < np.asarray(LENGTHS["data/size1"])[None, :]
            array = np.where(mask.reshape(*mask.shape, *[1] * (array.ndim - 2)), array, 0)
        found[name] = array
    return found


@pytest.mark.parametrize("target", ["reference", "onnx"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_values(path: Path, target: str) -> None:
    source = path.read_text(encoding="ascii")
    if target == "onnx" and "random(" in source:
        pytest.skip("draws are inputs of an ONNX graph")
    plain, graph = parse_graph(source), parse_graph(source)
    inputs, params = _values(plain, "input"), _values(plain, "param")
    run_pass(HistoryToCarry(), plain, Context(RefusingTarget()))
    expected = _valid(plain, ReferenceTarget().lower(plain).run(inputs, params))

    made = make_target(target)
    lower_to(graph, made, verify_each=True)
    received = _valid(graph, made.lower(graph).run(inputs, params))
    for name, array in expected.items():
        np.testing.assert_allclose(received[name], array, rtol=1e-4, atol=1e-5, err_msg=name)
