"""Beam search: gives the loops that choose labels a beam, in the NAMED stage, where a beam is one more dim.

Which carries depend on a choice is found first (``compiler.analysis.carried_dims``); then the body of the loop is
emitted again through the builder, once. A choice takes hypotheses over the beam dim before it to those over the one
behind it; whatever meets a value that is further on is gathered by the choice's back-pointers. At the end of a step
everything stands on the last beam dim, and the carries that depend on a choice start with it. The stacked outputs are
traced back by a second loop; what follows the loop is emitted again with the beam, until a decision takes it away.
No layer and no other op knows about beams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.reemit import Special, reemit
from compiler.passes.search.body import BeamBody
from compiler.passes.search.python_calls import call_over_hypotheses, call_types
from compiler.passes.search.symbolic_ops import BeamTable, Hypotheses, is_symbolic
from returnn_ir.errors import ConfigError, IRError, Origin
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.hypotheses import ENDS
from returnn_ir.ir.loop import LoopLayout, loop_results
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.types import TensorType
from returnn_ir.ops.search import searches

__all__ = ["BATCH_SCORES", "ExpandSearch"]

#: What the journal says of a choice whose scores are not those of the sequence alone.
BATCH_SCORES = "depends on the batch"
_BATCH_REASON = (
    "scores are divided by the longest length, and a known length has one more frame, as in RETURNN; "
    'search_scores = "independent" does neither'
)


@dataclass(frozen=True)
class ExpandSearch(Pass):
    """Replace the symbolic ops of searches by beams, top-k, gathers and a back-trace."""

    name: ClassVar[str] = "expand_search"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)

    def run(self, graph: Graph, context: Context) -> bool:
        """Changes nothing in a graph that does not search."""
        if not any(is_symbolic(n) for n in graph.body.walk()):
            return False
        for loop in filter(searches, graph.body.nodes):
            if any(n.op.name == "history" for n in loop.regions[0].nodes):
                raise IRError("a search takes carries, not histories: run history_to_carry{searching=true} before it")
            for node in filter(lambda n: n.op.name == "choice", loop.regions[0].nodes):
                if not node.attrs["independent"] and (node.attrs["normalize"] or not LoopLayout.of(loop.attrs).ends):
                    context.journal.add(BATCH_SCORES, "choice", node.origin, _BATCH_REASON)
        _Expander(graph).run()
        return True


class _Expander:
    """Emits the root region again from the first search on."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.env: dict[Value, Value] = {}
        self.changed: set[Dim] = set()
        self.table = BeamTable()
        self.special = Special(self._emit_symbolic, self._symbolic_types)
        #: which loop searched for the hypotheses along a beam
        self.searches: dict[Dim, Origin] = {}
        self._searched_on = _searched_on(graph.body)

    def run(self) -> None:
        body = self.graph.body
        nodes, body.nodes = body.nodes, []
        b = Builder(body)
        for node in nodes:
            with b.at(node.origin):
                self._node(b, node)
        self.graph.replace_roots(lambda v: self.env.get(v, v))
        self._outputs()

    def _node(self, b: Builder, node: Node) -> None:
        operands = [self.env.get(v, v) for v in node.operands]
        if searches(node):
            self._replace(b.region, node, self._search(b, node, operands))
        elif operands == node.operands and not self._concerned(node):
            b.region.nodes.append(node)
        else:
            self._replace(b.region, node, reemit(b, node, operands, self.env, self.special))

    def _emit_symbolic(self, b: Builder, node: Node, operands: Sequence[Value]) -> list[Value] | None:
        if not is_symbolic(node):
            return call_over_hypotheses(b, self.table, node, operands)
        if node.op.name == "choice":
            raise ConfigError(
                "a choice must stand in a recurrent subnetwork of the root network itself", where=node.origin
            )
        return self.table.expand(b, node, operands)

    def _symbolic_types(self, node: Node, operands: Sequence[TensorType]) -> list[TensorType] | None:
        if not is_symbolic(node) or node.op.name == "choice":
            return call_types(self.table, node, operands)
        return self.table.types(node, operands)

    def _concerned(self, node: Node) -> bool:
        if is_symbolic(node) or any(is_symbolic(n) for region in node.regions for n in region.walk()):
            return True
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

    def _search(self, b: Builder, node: Node, operands: list[Value]) -> list[Value]:
        self._refuse_beams(b, node)
        body = BeamBody(b, node, operands, self.env, self.table)
        found = body.run()
        if body.beam.size == 1 and node in self._searched_on:
            found = found.decided(b, body.beam)
            self.table.decided.update(dict.fromkeys(node.results, found.scores))
        else:
            self.table.known[body.beam] = Hypotheses(found.scores, None, found.lengths)
            self.searches[body.beam] = node.origin
        return loop_results(found.finals, found.stacked, found.steps)

    def _refuse_beams(self, b: Builder, node: Node) -> None:
        """A search that depends on hypotheses that nobody has decided between would need a beam for each of them.

        RETURNN cannot do it either. A single hypothesis is decided on.
        """
        for value in node.deps(b.region.dim_defs):
            beam = self.table.beam_of(self.env.get(value, value))
            if beam is None:
                continue
            first = self.searches[beam].layer
            readers = [n.origin.layer for r in node.regions for n in r.walk() if value in n.operands]
            raise ConfigError(
                f"a search over the hypotheses of another search ({first!r}) is not supported",
                where=node.origin,
                expected="values that do not depend on a choice, on one that is decided, or on one with beam_size 1",
                received=f"hypotheses of {first!r} in {next(iter(readers), node.origin.layer)!r}",
                hint=f'{{"class": "decide", "from": "{first}"}}, and read that',
            )

    def _outputs(self) -> None:
        """Outputs with a beam have it behind the batch."""
        for output in self.graph.outputs.values():
            beam = self.table.beam_of(output.value)
            if beam is None:
                continue
            at = next((i + 1 for i, d in enumerate(output.axes) if d.is_batch), 0)
            output.axes = (*output.axes[:at], beam, *output.axes[at:])
            output.beam, output.beam_scores = beam, self.table.known[beam].scores
            output.lengths = {axis + (axis >= at): length for axis, length in output.lengths.items()}


def _searched_on(body: Region) -> set[Node]:
    """The searches on whose hypotheses, not decided between, another search depends."""
    found: set[Node] = set()
    origins: dict[Value, set[Node]] = {}
    for node in body.nodes:
        own = set().union(*(origins.get(value, ()) for value in node.deps(body.dim_defs)))
        if searches(node):
            found |= own
            own = {node}
        if own and node.op.name not in ENDS:
            origins.update(dict.fromkeys(node.results, own))
    return found
