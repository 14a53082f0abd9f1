"""Beam search: gives the loops that choose labels a beam, in the NAMED stage, where a beam is one more dim.

The body of the loop is emitted again through the builder. A choice takes hypotheses over the beam dim before it to those
over the one behind it; whatever meets a value that is further on is gathered by the choice's back-pointers. At the end of
a step everything stands on the last beam dim, and the carries that have grown one start with it. The stacked outputs are
traced back by a second loop; what follows the loop is emitted again with the beam, until a decision takes it away.
No layer and no other op knows about beams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.beam_body import BeamBody
from compiler.passes.reemit import reemit
from returnn_ir.builder import Builder
from returnn_ir.dims import Dim, leaves
from returnn_ir.errors import IRError
from returnn_ir.graph import Graph, Node, Region, Stage, Value

__all__ = ["ExpandSearch"]


@dataclass(frozen=True)
class ExpandSearch(Pass):
    """Replace ``choice``, ``decide`` and ``beam_scores`` by beams, top-k, gathers and a back-trace."""

    name: ClassVar[str] = "expand_search"
    requires: ClassVar[tuple[Stage, ...]] = ("named",)

    def run(self, graph: Graph, context: Context) -> bool:
        """Changes nothing in a graph that does not search."""
        symbolic = ("choice", "decide", "beam_scores")
        if not any(n.op.name in symbolic for n in graph.body.walk()):
            return False
        _Expander(graph).run()
        return True


class _Expander:
    """Emits the root region again from the first search on."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.env: dict[Value, Value] = {}
        self.changed: set[Dim] = set()
        #: the hypotheses' scores [..., beam] by beam dim, and their numbers of labels
        self.scores: dict[Dim, Value] = {}
        self.lengths: dict[Dim, Value] = {}

    def run(self) -> None:
        body = self.graph.body
        nodes, body.nodes = body.nodes, []
        b = Builder(body)
        for node in nodes:
            with b.at(node.origin):
                self._node(b, node)
        self.graph.replace_roots(lambda v: self.env.get(v, v))
        self._outputs(b)

    def _node(self, b: Builder, node: Node) -> None:
        operands = [self.env.get(v, v) for v in node.operands]
        if node.op.name == "decide":
            self._replace(b.region, node, [self._decide(b, node, operands[0])])
        elif node.op.name == "beam_scores":
            self._replace(b.region, node, [self._beam_scores(node, operands[0])])
        elif node.op.name == "loop" and any(n.op.name == "choice" for n in node.regions[0].nodes):
            self._replace(b.region, node, self._search(b, node, operands))
        elif operands == node.operands and not self._mentions_changed(node):
            b.region.nodes.append(node)
        else:
            self._replace(b.region, node, reemit(b, node, operands, self.env))

    def _mentions_changed(self, node: Node) -> bool:
        mentioned = {leaf for d in node.mentioned_dims() for leaf in leaves(d)}
        inner = [v for r in node.regions for v in r.captures({}) if v in self.env]
        return bool(mentioned & self.changed or inner)

    def _replace(self, region: Region, node: Node, results: Sequence[Value]) -> None:
        for old, new in zip(node.results, results, strict=True):
            self.env[old] = new
            for dim, length in list(region.dim_defs.items()):
                if length is old:
                    region.dim_defs[dim] = new
                    self.changed.add(dim)

    # ---------------------------------------------------------------- symbolic ops

    def _beam_of(self, value: Value) -> Dim | None:
        return next((d for d in value.dims if d in self.scores), None)

    def _decide(self, b: Builder, node: Node, x: Value) -> Value:
        beam = self._beam_of(x)
        if beam is None:
            return x
        scores = self.scores[beam]
        if node.attrs["normalize"] and beam in self.lengths:
            scores = b.div(scores, b.cast(b.maximum(self.lengths[beam], 1), scores.dtype))
        best = b.op("set_sparse", b.op("argmax", scores, dim=beam, mask=False), sparse_dim=None)
        return b.op("gather", x, best, dim=beam)

    def _beam_scores(self, node: Node, x: Value) -> Value:
        beam = self._beam_of(x)
        if beam is None:
            raise IRError(f"{node.origin}: there is no beam here")
        return self.scores[beam]

    # ---------------------------------------------------------------- the loop

    def _search(self, b: Builder, node: Node, operands: list[Value]) -> list[Value]:
        body = BeamBody(b, node, operands, self.env)
        found = body.run()
        self.scores[body.beam] = found.scores
        self.lengths[body.beam] = found.lengths
        steps = found.steps
        return [*found.finals, *found.stacked, *([steps] if steps is not None else [])]

    def _outputs(self, b: Builder) -> None:
        """Outputs with a beam have it behind the batch."""
        for output in self.graph.outputs.values():
            beam = self._beam_of(output.value)
            if beam is None:
                continue
            at = next((i + 1 for i, d in enumerate(output.axes) if d.is_batch), 0)
            output.axes = (*output.axes[:at], beam, *output.axes[at:])
            output.beam, output.beam_scores = beam, self.scores[beam]
            output.lengths = {axis + (axis >= at): length for axis, length in output.lengths.items()}
