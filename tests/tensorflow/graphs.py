"""Small graphs in the NAMED stage for the tests of a target, and running them on two targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from compiler.program.pipelines import lower_to
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Array
from compiler.tensorflow.composite import COMPOSITES
from compiler.tensorflow.device import Device
from compiler.tensorflow.program import TensorFlowProgram
from compiler.tensorflow.target import TensorFlowTarget
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, Kind
from returnn_ir.ir.graph import Graph, Output, Value

__all__ = ["Net", "agree", "lower", "no_fusion"]

#: Composites that always expand: the other side of an equality test.
no_fusion = dict.fromkeys(COMPOSITES, "never")


@dataclass
class Net:
    """A graph under construction, with a batch of ragged sequences as input ``data``.

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
        self.batch = Dim("B", kind=Kind.BATCH)
        self.time = Dim("T")
        self.feature = Dim("F", 4, feature=True)
        sizes = self.b.op("input", name="data/size1", dtype="int64", dims=(self.batch,))
        self.inputs["data/size1"] = np.asarray(self.lengths, np.int32)
        self.b.define(self.batch, self.b.op("size_of", sizes, dim=self.batch))
        self.b.define(self.time, sizes)
        self.x = self.input("data", self.batch, self.time, self.feature)

    def extent(self, dim: Dim) -> int:
        """The size in memory of an input's axis."""
        known = {self.batch: len(self.lengths), self.time: max(self.lengths, default=0)}
        return dim.size if dim.size is not None else known[dim]

    def input(self, name: str, *dims: Dim, dtype: str = "float32", high: int = 0, sparse: Dim | None = None) -> Value:
        """An input with random values, integers below ``high`` where that is given."""
        shape = [self.extent(d) for d in dims]
        drawn = self.rng.integers(0, high, shape) if high else self.rng.standard_normal(shape)
        self.inputs[name] = drawn.astype(dtype)
        return self.b.op("input", name=name, dtype=dtype, dims=dims, sparse_dim=sparse)

    def param(self, name: str, *dims: Dim) -> Value:
        """A trainable parameter with random values."""
        self.params[name] = (0.5 * self.rng.standard_normal([self.extent(d) for d in dims])).astype(np.float32)
        self.graph.trainable.append(name)
        return self.b.op("param", name=name, dtype="float32", dims=dims)

    def give(self, name: str, value: Value) -> None:
        """A result of the graph, in whatever order its axes are."""
        self.graph.outputs[name] = Output(value, value.dims)

    def lose(self, value: Value) -> None:
        """Make a sum of a smooth function of a value's entries the objective."""
        squared = self.b.mul(self.b.unary("sin", value), value)
        self.graph.objective = self.b.reduce("sum", squared, *value.dims)


Build = Callable[[Net], None]


def lower(net: Net, fusion: Mapping[str, str] | None = None, device: str = "cpu") -> TensorFlowProgram:
    """Bring a net to the TensorFlow target."""
    target = TensorFlowTarget(Device(device))
    graph, _ = lower_to(net.graph, target, verify_each=True, fusion=fusion)
    return target.lower(graph)


def agree(
    build: Build, lengths: Sequence[int] = (5, 1, 3), more: Mapping[str, Array] | None = None
) -> dict[str, Array]:
    """Run on TensorFlow and on the reference (with ``more`` inputs), compare every fetch, give TensorFlow's."""
    found: list[dict[str, Array]] = []
    for target in (ReferenceTarget(), TensorFlowTarget()):
        net = Net(lengths)
        build(net)
        graph, _ = lower_to(net.graph, target, verify_each=True)
        found.append(target.lower(graph).run({**net.inputs, **(more or {})}, net.params))
    expected, result = found
    assert set(result) == set(expected)
    for name, array in expected.items():
        assert result[name].dtype == array.dtype, name
        assert result[name].shape == array.shape, name
        np.testing.assert_allclose(result[name], array, rtol=1e-5, atol=1e-5, err_msg=name)
    return result
