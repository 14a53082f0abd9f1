"""The NumPy target: takes graphs of any stage, which makes it the oracle of pass tests too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from compiler.analysis.external import external_reason
from compiler.reference.interpreter import Bodies, Environment
from compiler.reference.named import Named
from compiler.reference.registry import RULES, Session
from compiler.target.inputs import check_inputs, input_specs
from compiler.target.protocol import Accept, Array, Executable, Reject
from returnn_ir.errors import DataError, TargetError
from returnn_ir.ir.graph import Graph, Node, Region, Value

__all__ = ["ReferenceExecutable", "ReferenceTarget", "evaluate_region"]

_REFUSED = {
    "opaque": "it calls Python code that works on TensorFlow's tensors",
    "gradient": "it differentiates, which only TensorFlow does",
}


@dataclass(frozen=True)
class ReferenceTarget:
    """Accepts every op that has a meaning without TensorFlow; composites without a function of their own are evaluated
    by their bodies.
    """

    name: str = "reference"

    def accepts(self, node: Node, region: Region) -> Accept | Reject:
        """Everything but callbacks and gradients."""
        if node.op.name in RULES or node.op.body is not None:
            return Accept()
        external = external_reason(node)
        if external is not None:
            return Reject(external)
        reason = _REFUSED.get(node.op.name, "no NumPy function computes it")
        why = node.attrs.get("reason")
        return Reject(f"{reason}, which is not compiled: {why}" if why else reason)

    def lower(self, graph: Graph) -> Executable:
        """Nothing is translated; an op that is not accepted is a :class:`TargetError`."""
        for node, region in graph.body.placed():
            verdict = self.accepts(node, region)
            if isinstance(verdict, Reject):
                raise TargetError(f"the reference cannot run {node.op.name!r}: {verdict.reason}", where=node.origin)
        return ReferenceExecutable(graph)


class ReferenceExecutable:
    """A graph, ready to be interpreted."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._specs = input_specs(graph)
        self._bodies = Bodies()

    def run(self, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, Array]:
        """Run once, see :class:`compiler.target.protocol.Executable`.

        Besides the graph's inputs, ``random/seed`` and ``random/step`` (integers, 0 if absent) choose the random draws.
        A check of the graph that does not hold is a :class:`DataError` with the check's message.
        """
        session = Session(
            inputs=check_inputs(self._specs, inputs),
            params=dict(params),
            seed=int(inputs.get("random/seed", np.asarray(0))),
            step=int(inputs.get("random/step", np.asarray(0))),
        )
        env = Environment(self._graph.body, session, self._bodies)
        with np.errstate(all="ignore"):
            try:
                env.execute()
            except DataError:
                self._check(env)  # its message says more than that two axes differ
                raise
        self._check(env)
        return {name: self._fetch(env, name, value) for name, value in self._graph.fetches().items()}

    def _check(self, env: Environment) -> None:
        for message, value in self._graph.checks:
            if value in env.values and not env.values[value].array.all():
                raise DataError(message)

    def _fetch(self, env: Environment, name: str, value: Value) -> Array:
        found: Named = env.value(value)
        if name.startswith("output/"):
            layer = name.removeprefix("output/")
            output = self._graph.outputs.get(layer) or self._graph.outputs.get(layer.rpartition("/")[0])
            axes = output.axes if output is not None else ()
            # lengths and scores of hypotheses too have the output's order, as in the TARGET stage
            found = found.to((*(d for d in axes if d in found.dims), *(d for d in found.dims if d not in axes)))
        return np.ascontiguousarray(found.array) if found.dims else np.asarray(found.array)


def evaluate_region(region: Region, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> list[Named]:
    """The results of a region without a graph around it: what constant folding and tests ask for."""
    with np.errstate(all="ignore"):
        return Environment(region, Session(dict(inputs), dict(params)), Bodies()).execute()
