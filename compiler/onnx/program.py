"""A lowered graph: builds the model once per set of parameters and runs it with onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from compiler.onnx.memory import Memory
from compiler.onnx.model import batch_axes, build_model, signature
from compiler.onnx.profile import Format
from compiler.target.fixed_batch import sequences
from compiler.target.inputs import check_inputs, input_specs
from compiler.target.protocol import Array
from returnn_ir.errors import DataError
from returnn_ir.ir.graph import Graph

__all__ = ["OnnxProgram"]


class OnnxProgram:
    """A graph as ONNX.

    Attributes:
        graph: what was lowered.
        format: what its files are written in.
        memory: what is known of the extents of axes.
        signature: the model's inputs and outputs.
    """

    def __init__(self, graph: Graph, format_: Format, memory: Memory | None = None) -> None:
        self.graph = graph
        self.format = format_
        self.memory = memory or Memory()
        self.signature = signature(graph)
        self._specs = input_specs(graph)
        self._names = [str(node.attrs["name"]) for node in graph.nodes("param")]
        self._params: dict[str, Array] = {}
        self._model: Any = None
        self._session: Any = None

    def model(self, params: Mapping[str, Array]) -> Any:
        """The ``onnx.ModelProto`` with these parameters as initializers, as it was made for the last equal ones.

        Equal in every bit, whether the arrays are the same or not: a parameter may be changed in place. Comparing takes
        a hundredth of a second per 100 MB.
        """
        used = {name: params[name] for name in self._names if name in params}
        same = used.keys() == self._params.keys() and all(_equal(v, used[k]) for k, v in self._params.items())
        if self._model is None or not same:
            self._model = build_model(self.graph, params, self.format, self.memory)
            self._params = {name: np.array(value) for name, value in used.items()}
            self._session = None
        return self._model

    def save(self, path: str | Path, params: Mapping[str, Array]) -> None:
        """Write the model file."""
        Path(path).write_bytes(self.model(params).SerializeToString())

    def run(self, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, np.ndarray[Any, Any]]:
        """Run on the CPU; see :class:`compiler.target.protocol.Executable`.

        Raises:
            DataError: an input does not fit, or a check of the graph does not hold.
        """
        session = self._open(params)
        results = session.run(list(self.signature.fetches.values()), self.feeds(session, inputs))
        found = dict(zip(self.signature.fetches, results, strict=True))
        if self.memory.fixed is not None:
            axes = batch_axes({fetch: self.signature.outputs[n] for fetch, n in self.signature.fetches.items()})
            found = self.memory.fixed.cut(found, axes, sequences(self._specs, inputs))
        self.require_checks(found)
        return found

    def require_checks(self, results: Mapping[str, Array]) -> None:
        """What the program checks while it runs, by the results of a run.

        Raises:
            DataError: a check of the graph does not hold.
        """
        for index, (message, _) in enumerate(self.graph.checks):
            if not results[f"check/{index}"].all():
                raise DataError(message)

    def feeds(self, session: Any, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """What a session of this model takes of ``inputs``, states where they are given, in the model's types.

        Raises:
            DataError: an input does not fit.
        """
        types = {**self.signature.inputs, **self.signature.states}
        wanted = [i.name for i in session.get_inputs()]
        # onnxruntime's LSTM and GRU end the process on an empty batch
        checked = check_inputs([s for s in self._specs if s.name in wanted], inputs, empty_batch=False)
        if self.memory.fixed is not None:
            checked = self.memory.fixed.pad([s for s in self._specs if s.name in wanted], checked)
        optional = [i.name for i in session.get_overridable_initializers() if i.name in inputs]
        return {name: np.asarray(checked[name], types[name].dtype) for name in (*wanted, *optional)}

    def _open(self, params: Mapping[str, Array]) -> Any:
        from compiler.onnx.session import open_session

        model = self.model(params)
        if self._session is None:
            self._session = open_session(model.SerializeToString())
        return self._session


def _equal(held: Array, given: Array) -> bool:
    """Whether two arrays are the same bits; as numbers, NaN would differ from itself."""
    other = np.asarray(given)
    return held.dtype == other.dtype and held.shape == other.shape and np.array_equal(_bits(held), _bits(other))


def _bits(array: Array) -> Array:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
