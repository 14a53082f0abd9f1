"""What follows from the number of a step alone: for all steps at once, in front of their loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from returnn_ir.ir.graph import Node, Value
from returnn_ir.ir.loop import LoopView
from returnn_ir.ir.op import Trait

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__ = ["StepTable"]

#: Of loops that may make more steps than this, nothing is computed before.
_MOST_STEPS = 1 << 20


@dataclass(frozen=True)
class StepTable:
    """Numbers of a body, each a vector with an entry for each step.

    Attributes:
        vectors: by the value in the body.
        nodes: what need not be written in the body.
    """

    vectors: dict[Value, str]
    nodes: frozenset[Node]

    @staticmethod
    def write(e: Emitter, loop: LoopView, count: str) -> StepTable:
        """Of a loop that makes ``count`` steps at most, an int64 scalar; empty where it saves a step no node."""
        limit = None if loop.end is None else loop.end.limit.node
        if limit is not None and limit.op.name == "const" and limit.attrs["value"] > _MOST_STEPS:
            return StepTable({}, frozenset())
        nodes = _of_number(loop)
        made = [n.result for n in loop.region.nodes if n in nodes]
        read = [v for v in made if v in e.used.kept or not nodes.issuperset(e.used.of_value(v))]
        if len(nodes) <= len(read):
            return StepTable({}, frozenset())
        e.bind(loop.index, e.op("Range", e.constant(0, "int64"), count, e.constant(1, "int64")))
        constants = {v.node for n in nodes for v in n.operands if v.node is not None and v.node.op.name == "const"}
        prefix = e.prefix
        e.write_nodes([n for n in loop.region.nodes if n in nodes or n in constants])
        e.prefix = prefix
        return StepTable({value: e[value] for value in read}, nodes)

    def enter(self, e: Emitter, step: str) -> None:
        """In the body: the entries of a step."""
        for value, vector in self.vectors.items():
            e.bind(value, e.op("Gather", vector, step, axis=0))


def _of_number(loop: LoopView) -> frozenset[Node]:
    """The nodes that compute scalars of the step's number, constants and scalars from outside."""
    inside = {v for n in loop.region.nodes if n.op.name != "const" for v in n.results} | {*loop.region.params}
    found: dict[Value, Node] = {}
    for node in loop.region.nodes:
        scalars = not any(v.dims for v in (*node.operands, *node.results))
        if not scalars or not node.op.has(Trait.ELEMENTWISE):
            continue
        numbers = [v for v in node.operands if v is loop.index or v in found]
        if numbers and not inside.intersection(node.operands) - {*numbers}:
            found[node.result] = node
    return frozenset(found.values())
