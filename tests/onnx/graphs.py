"""Small graphs in the NAMED stage, run by onnxruntime and by the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compiler.onnx.profile import Profile
from compiler.onnx.program import OnnxProgram
from compiler.onnx.target import OnnxTarget
from compiler.program.pipelines import lower_to
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Array
from returnn_ir import ops
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.ir.graph import Graph, Output, Value

__all__ = ["Build", "Net", "agree", "compare", "lower", "op_types"]

OPS = ops  # importing the package registers them


@dataclass
class Net:
    """A graph under construction, with a batch of ragged sequences as input ``data`` [B, T, F].

    Attributes:
        lengths: of the sequences; the longest is the extent in memory.
    """

    lengths: Sequence[int] = (5, 1, 3)
    seed: int = 1
    b: Builder = field(init=False)
    graph: Graph = field(default_factory=Graph)
    inputs: dict[str, Array] = field(default_factory=dict)
    params: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.b = Builder(self.graph.body)
        self.rng = np.random.default_rng(self.seed)
        self.batch = BATCH
        self.time = Dim("T")
        self.feature = Dim("F", 4, feature=True)
        sizes = self.b.op("input", name="data/size1", dtype="int64", dims=(self.batch,))
        self.inputs["data/size1"] = np.asarray(self.lengths, np.int64)
        self.b.define(self.batch, self.b.op("size_of", sizes, dim=self.batch))
        self.b.define(self.time, sizes)
        self.x = self.input("data", self.batch, self.time, self.feature)

    def extent(self, dim: Dim) -> int:
        """The size in memory of an input's axis."""
        known = {self.batch: len(self.lengths), self.time: max(self.lengths, default=0)}
        return dim.size if dim.size is not None else known[dim]

    def input(self, name: str, *dims: Dim, dtype: str = "float32", high: int = 0, sparse: Dim | None = None) -> Value:
        """An input with random values, integers from ``-high`` to below ``high`` where that is given."""
        shape = [self.extent(d) for d in dims]
        drawn = (
            self.rng.integers(-high if sparse is None else 0, high, shape) if high else self.rng.standard_normal(shape)
        )
        self.inputs[name] = np.asarray(drawn).astype(dtype)
        return self.b.op("input", name=name, dtype=dtype, dims=dims, sparse_dim=sparse)

    def param(self, name: str, *dims: Dim) -> Value:
        """A parameter with random values."""
        self.params[name] = (0.5 * self.rng.standard_normal([self.extent(d) for d in dims])).astype(np.float32)
        return self.b.op("param", name=name, dtype="float32", dims=dims)

    def give(self, name: str, value: Value, *axes: Dim) -> None:
        """A result of the graph, its axes in this order or in whatever order they are."""
        self.graph.outputs[name] = Output(value, axes or value.dims)


Build = Callable[[Net], None]


def lower(
    net: Net,
    fusion: Mapping[str, str] | None = None,
    opset: int = 21,
    profile: Profile = Profile.PORTABLE,
) -> OnnxProgram:
    """Bring a net to the ONNX target."""
    target = OnnxTarget(opset, profile)
    graph, _ = lower_to(net.graph, target, verify_each=True, fusion=fusion)
    return target.lower(graph)


def agree(
    build: Build,
    lengths: Sequence[int] = (5, 1, 3),
    *,
    rtol: float = 1e-5,
    fusion: Mapping[str, str] | None = None,
    opset: int = 21,
    profile: Profile = Profile.PORTABLE,
) -> dict[str, Array]:
    """Run on both, compare every fetch, give ONNX's."""
    nets = []
    for _ in range(2):
        net = Net(lengths)
        build(net)
        nets.append(net)
    graph, _ = lower_to(nets[0].graph, ReferenceTarget(), verify_each=True)
    expected = ReferenceTarget().lower(graph).run(nets[0].inputs, nets[0].params)
    result = lower(nets[1], fusion, opset, profile).run(nets[1].inputs, nets[1].params)
    compare(result, expected, rtol)
    return result


def compare(result: Mapping[str, Array], expected: Mapping[str, Array], rtol: float = 1e-5) -> None:
    """Equal names, element types, shapes and numbers."""
    assert set(result) == set(expected)
    for name, array in expected.items():
        assert result[name].dtype == array.dtype, name
        assert result[name].shape == array.shape, name
        np.testing.assert_allclose(result[name], array, rtol=rtol, atol=1e-5, err_msg=name)


def op_types(model: Any) -> list[str]:
    """The operators of a model, in order."""
    return [node.op_type for node in model.graph.node]
