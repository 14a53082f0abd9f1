"""Small graphs for the tests: inputs with ragged lengths, run through the reference target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.reference.target import ReferenceTarget
from returnn_ir import ops
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, Kind
from returnn_ir.ir.graph import Graph, Output, Value

__all__ = ["Net"]

Array = NDArray[Any]
OPS = ops  # importing the package registers them


class Net:
    """A graph under construction with the data that it is going to be run on."""

    def __init__(self, batch: int = 3) -> None:
        self.graph = Graph()
        self.b = Builder(self.graph.body)
        self.batch = Dim("B", kind=Kind.BATCH)
        self.inputs: dict[str, Array] = {}
        marker = self.data("batch", np.zeros(batch, np.float32), self.batch)
        self.b.define(self.batch, self.b.op("size_of", marker, dim=self.batch))

    def data(self, name: str, array: Array, *dims: Dim) -> Value:
        """An input with its value."""
        self.inputs[name] = array
        return self.b.op("input", name=name, dtype=str(array.dtype), dims=dims)

    def time(self, name: str, lengths: Sequence[int]) -> Dim:
        """A ragged axis with a length for each sequence."""
        dim = Dim(name)
        self.b.define(dim, self.data(f"{name}/length", np.array(lengths, np.int64), self.batch))
        return dim

    def run(self, value: Value, *axes: Dim, more: Mapping[str, Array] | None = None) -> Array:
        """The value of a node, with its axes in this order."""
        self.graph.outputs = {"y": Output(value, axes)}
        executable = ReferenceTarget().lower(self.graph)
        return executable.run({**self.inputs, **(more or {})}, {})["output/y"]
