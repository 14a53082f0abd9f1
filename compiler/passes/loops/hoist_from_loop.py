"""Moving work out of loops: what does not depend on what a loop carries is computed on all steps at once.

For a loop of known length (every node is asked for its dims and traits, none for its name):

* a carry that takes a value which depends on no carry is that value one step later, so it needs no loop;
* what depends on no carry goes in front of the loop (the loop then scans it, or sees it as a whole if it is the same in
  all steps);
* what the carries do not need goes behind the loop, on stacked values;
* a loop with nothing left in it disappears.

Of a loop that finds its own end only what is the same in all steps can leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Journal, Pass
from compiler.passes.loops.lift import Lifter, RefusedError
from compiler.passes.loops.plan import LoopPlan, plan_loop
from compiler.passes.loops.rest import LoopRemainder
from compiler.passes.loops.split_concat_dot import split_concat_dot
from compiler.passes.rewrite import rewrite
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Node, Value
from returnn_ir.ir.loop import LoopLayout, LoopOptions
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.uses import Uses

__all__ = ["HoistFromLoop", "HoistInvariants"]


@dataclass(frozen=True)
class HoistFromLoop(Pass):
    """Take every loop apart, inner ones first."""

    name: ClassVar[str] = "hoist_from_loop"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)

    def run(self, graph: Graph, context: Context) -> bool:
        """The journal lists each loop's layers by where they are computed."""
        return _run(graph, context.journal, invariant=False)


@dataclass(frozen=True)
class HoistInvariants(Pass):
    """Move what is the same in all steps in front of the loops, such as masks that have become explicit."""

    name: ClassVar[str] = "hoist_invariants"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED, Stage.MASKED)

    def run(self, graph: Graph, context: Context) -> bool:
        """Loops keep their carries."""
        return _run(graph, None, invariant=True)


def _run(graph: Graph, journal: Journal | None, *, invariant: bool) -> bool:
    if not any(True for _ in graph.nodes("loop")):
        return False
    used = graph.uses()

    def hoist(b: Builder, node: Node) -> Sequence[Value] | None:
        if node.op.name != "loop" or not LoopOptions.of(node.attrs).hoist:
            return None
        return _Hoisting(b, node, used, invariant=invariant or LoopLayout.of(node.attrs).ends).run(journal)

    return rewrite(graph, hoist)


class _Hoisting:
    """One loop."""

    def __init__(self, b: Builder, loop: Node, used: Uses, *, invariant: bool) -> None:
        self.b = b
        self.loop = loop
        self.used = used
        self.invariant = invariant

    def run(self, journal: Journal | None) -> Sequence[Value] | None:
        """What the loop's results have become, or None if nothing can leave it.

        A node that turns out not to take one more dim has to stay, and the rest is planned again.
        """
        stuck: set[Node] = set()
        mark, defined = len(self.b.region.nodes), dict(self.b.region.dim_defs)
        while True:
            plan = self._plan(stuck)
            if not plan.before and not plan.behind and not self._is_smaller(plan):
                return None
            try:
                results = self._emit(plan)
            except RefusedError as refused:
                stuck.add(refused.node)
                del self.b.region.nodes[mark:]
                self.b.region.dim_defs.clear()
                self.b.region.dim_defs.update(defined)
                continue
            if journal is not None:
                _explain(journal, plan)
            return results

    def _plan(self, stuck: set[Node]) -> LoopPlan:
        plan = plan_loop(self.loop, self.used, stuck, invariant=self.invariant)
        if split_concat_dot(plan):
            plan = plan_loop(self.loop, self.used, stuck, invariant=self.invariant)
        return plan

    def _is_smaller(self, plan: LoopPlan) -> bool:
        return len(plan.carries) < plan.count

    def _emit(self, plan: LoopPlan) -> list[Value]:
        lifter = Lifter(self.b, plan.loop)
        finals: dict[int, Value] = {}
        if not self.invariant:
            with self.b.at(self.loop.origin):
                lifter.env[plan.loop.index] = self.b.iota(lifter.dim)
            lifter.env.update((part.param, part.whole) for part in plan.loop.slices)
        for item in plan.before:
            if isinstance(item, Node):
                lifter.lift(item)
            else:
                self._carry(plan, lifter, item, finals)
        return LoopRemainder(self.b, plan, lifter, self.used, invariant=self.invariant).emit(finals)

    def _carry(self, plan: LoopPlan, lifter: Lifter, k: int, finals: dict[int, Value]) -> None:
        """A carry that leaves the loop."""
        carry = plan.loop.carries[k]
        if carry.next is carry.param:
            lifter.env[carry.param] = finals[k] = lifter.value(carry.initial)
            return
        with self.b.at(carry.next.node.origin if carry.next.node is not None else self.loop.origin):
            final = lifter.shift(carry, final=carry.result in self.used)
        finals[k] = final if final is not None else carry.initial


def _explain(journal: Journal, plan: LoopPlan) -> None:
    """One entry per loop: the layers before it, in it and behind it."""
    before = [n for n in plan.before if isinstance(n, Node)]
    parts = [("before the loop", before), ("in the loop", plan.inside), ("behind the loop", plan.behind)]
    sets = [(where, _layers(nodes)) for where, nodes in parts]
    told = "; ".join(f"{where}: {', '.join(names)}" for where, names in sets if names)
    left = bool(plan.inside or plan.carries)
    journal.add("hoisted", "loop", plan.loop.node.origin, told if left else f"no loop left; {told}")


def _layers(nodes: Iterable[Node]) -> list[str]:
    """The layers of nodes that compute something from operands."""
    return list(dict.fromkeys(n.origin.layer for n in nodes if n.operands and n.origin.layer))
