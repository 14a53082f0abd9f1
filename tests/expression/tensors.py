"""Tensors for expressions: the same numbers as symbols of a graph and as TensorFlow's."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.program.pipelines import lower_to
from compiler.target.protocol import Target
from returnn_ir.behavior import Behavior
from returnn_ir.config import Config
from returnn_ir.construct.inputs import ExternData
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.network_keys import NetworkKeys
from returnn_ir.construct.scope import NetScope
from returnn_ir.construct.state import ProgramState
from returnn_ir.expression.evaluate import evaluate_expression
from returnn_ir.expression.namespaces import Namespace
from returnn_ir.expression.numbered import Numbered, as_numbered
from returnn_ir.expression.table import find_function, function_names
from returnn_ir.facade.access import TRUSTED, AttributeRule
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Output
from returnn_ir.ir.mode import Mode
from returnn_ir.network.net import parse_network

__all__ = ["LENGTHS", "Symbols", "numbers", "shaped"]

Array = NDArray[Any]
LENGTHS = np.array([4, 2], np.int64)
_B, _T, _F, _G = 2, 4, 3, 5

_CONFIG: dict[str, object] = {
    "extern_data": {"data": {"dim": _F}},
    "network": {"output": {"class": "copy", "from": "data"}},
    "behavior_version": 16,
}


def numbers() -> dict[str, Array]:
    """The tensors by the names that the samples use; behind a sequence's end, too, are numbers."""
    rng = np.random.default_rng(3)
    frames = (_B, _T, _F)
    return {
        "x": rng.standard_normal(frames).astype(np.float32),
        "y": rng.standard_normal(frames).astype(np.float32),
        "p": rng.uniform(0.1, 2.0, frames).astype(np.float32),  # positive
        "u": rng.uniform(-0.9, 0.9, frames).astype(np.float32),  # within one
        "e": np.resize(np.array([0, -np.inf, np.inf, np.nan, 1.5, -2.5], np.float32), frames),  # edges
        "n": rng.integers(-7, 7, frames).astype(np.int32),
        "d": rng.choice([-3, -2, 2, 3], frames).astype(np.int32),  # a divisor
        "i": rng.integers(0, _F, (_B, _T)).astype(np.int32),  # positions
        "m": rng.random(frames) < 0.5,
        "k": rng.random(frames) < 0.5,
        "v": rng.standard_normal(_F).astype(np.float32),
        "w": rng.standard_normal((_F, _G)).astype(np.float32),
        "r": rng.standard_normal((_B, _F)).astype(np.float32),
        "s": np.array(0.75, np.float32),
        "o": rng.standard_normal((_B, 1, _F)).astype(np.float32),
    }


def shaped(array: Array, value: Numbered) -> Array:
    """A result with its axes of size one, which the graph leaves out."""
    sizes = iter(array.shape)
    return array.reshape([1 if d is None else next(sizes) for d in value.axes])


class Symbols:
    """The tensors as :class:`Numbered` in a graph, and a place for results."""

    def __init__(self, mode: Mode = Mode.FORWARD) -> None:
        config = Config(Path("net.py"))
        config.update(_CONFIG)
        net = parse_network(config.network or {}, config)
        self.graph = Graph(mode=mode)
        extern = ExternData(config.extern_data_spec(), self.graph.body)
        program = ProgramState(self.graph, mode, Behavior.of(16), extern, NetworkKeys(), {}, trusted=True)
        scope = NetScope(net, program, self.graph.body, problems=[])
        self.b = LayerBuilder(program, scope, net.layers["output"])
        data = scope.get("data:data")
        batch, time, feature = data.axes
        self.inputs: dict[str, Array] = {"data/size1": LENGTHS}
        one, wide = Dim("one", 1), Dim("G", _G)
        self._axes: Mapping[str, tuple[Dim, ...]] = {
            **dict.fromkeys(("x", "y", "p", "u", "e", "n", "d", "m", "k"), (batch, time, feature)),
            "i": (batch, time),
            "v": (feature,),
            "w": (feature, wide),
            "r": (batch, feature),
            "s": (),
            "o": (batch, one, feature),
        }
        self.names: dict[str, Any] = {name: find_function(self.b, name) for name in function_names()}
        for builtin in ("abs", "range", "round"):
            del self.names[builtin]
        self.names |= {name: self._input(name, array) for name, array in numbers().items()}
        self.names["tf"] = Namespace(self.b, "tf")
        self._data = Numbered(self.b, data.value, data.axes)  # brings the batch into the graph

    def _input(self, name: str, array: Array) -> Numbered:
        self.inputs[name] = array
        axes = self._axes[name]
        return Numbered(self.b, self.b.op("input", name=name, dtype=str(array.dtype), dims=axes), axes)

    def evaluate(self, text: str, attributes: AttributeRule = TRUSTED) -> Any:
        """The value of an expression."""
        return evaluate_expression(ast.parse(text, mode="eval").body, self.names, attributes)

    def results(self, text: str) -> list[Numbered]:
        """The tensors that an expression gives; a number is one too."""
        made = self.evaluate(text)
        found = list(made) if isinstance(made, (list, tuple)) and any(isinstance(e, Numbered) for e in made) else [made]
        return [as_numbered(self.b, x) for x in found]

    def give(self, name: str, value: Numbered) -> None:
        """Make a tensor a result of the graph; its axes of size one are left out."""
        self.graph.outputs[name] = Output(value.value, tuple(d for d in value.axes if d is not None))

    def run(self, target: Target) -> dict[str, Array]:
        """All results by name, computed by a target."""
        graph, _ = lower_to(self.graph, target, verify_each=True)
        feed = {**self.inputs, "data": self.inputs["x"]}
        names = {str(node.attrs["name"]) for node in graph.nodes("input")}
        found = target.lower(graph).run({k: v for k, v in feed.items() if k in names}, {})
        return {name.removeprefix("output/"): array for name, array in found.items()}
