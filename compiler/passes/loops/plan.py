"""Which part of a loop's body can be computed before the loop, which has to stay, and which can follow behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from returnn_ir.ir.dims import leaves
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopView
from returnn_ir.ir.op import Trait
from returnn_ir.ir.uses import Uses

__all__ = ["LoopPlan", "plan_loop"]

#: A draw is another one in each step, what has an effect happens in each step, a choice belongs to its search.
_STAYS = (Trait.RANDOM, Trait.EFFECT, Trait.DERIVATIVE, Trait.SEARCH, Trait.HISTORY)


@dataclass
class LoopPlan:
    """How a loop is taken apart.

    Attributes:
        loop: its parts.
        before: what does not depend on what the loop carries, in an order of computation: nodes, and indices of
            carries that are nothing but such a value one step later (or that never change).
        inside: the nodes that stay, in their order.
        carries: indices of the carries that stay.
        behind: nodes that only follow from what the loop computes, in their order.
    """

    loop: LoopView
    before: list[Node | int] = field(default_factory=list)
    inside: list[Node] = field(default_factory=list)
    carries: list[int] = field(default_factory=list)
    behind: list[Node] = field(default_factory=list)
    #: values of the body that the part before the loop gives
    available: set[Value] = field(default_factory=set)
    _own: set[Value] = field(default_factory=set)
    _numbers: dict[Value, int] = field(default_factory=dict)
    _deps: dict[Node, list[Value]] = field(default_factory=dict)

    @property
    def region(self) -> Region:
        """The body."""
        return self.loop.region

    @property
    def count(self) -> int:
        """The number of carries that the loop has now."""
        return len(self.loop.carries)

    def deps(self, node: Node) -> list[Value]:
        """What a node of the body needs, lengths of the body's dims included."""
        if node not in self._deps:
            self._deps[node] = node.deps(self.region.dim_defs)
        return self._deps[node]

    def ready(self, value: Value) -> bool:
        """Whether it is there before the loop."""
        return value not in self._own or value in self.available

    def carry_of(self, value: Value) -> int | None:
        """The index of the carry that the value is in the body, if any."""
        return self._numbers.get(value)


def plan_loop(loop: Node, used: Uses, stuck: set[Node], *, invariant: bool) -> LoopPlan:
    """Take a loop apart.

    Args:
        used: what the graph needs.
        stuck: nodes that have to stay where they are.
        invariant: only what is the same in all steps may leave.
    """
    plan = LoopPlan(LoopView.of(loop))
    region = plan.region
    plan._numbers = {carry.param: k for k, carry in enumerate(plan.loop.carries)}
    plan._own = {*region.params, *(v for n in region.nodes for v in n.results)}
    if not invariant:
        plan.available.update((plan.loop.index, *(part.param for part in plan.loop.slices)))
    held = stuck | _below_derivatives(region)
    _find_before(plan, held, shifts=not invariant)
    if invariant:
        kept = {n for n in region.nodes if n not in plan.before}
        plan.carries = list(range(plan.count))
    else:
        kept = _find_inside(plan, used, held)
    plan.inside = [n for n in region.nodes if n in kept]
    return plan


def _below_derivatives(region: Region) -> set[Node]:
    """What a derivative in the body is taken through: moving a part of it away would cut it off."""
    found: set[Node] = set()
    for node in reversed(region.nodes):
        if node.op.has(Trait.DERIVATIVE):
            found.add(node)
        if node in found:
            found.update(v.node for v in node.operands if v.node is not None)
    return found


def _movable(node: Node, held: set[Node]) -> bool:
    """Whether it may leave the loop at all."""
    if node in held:
        return False
    inner = [n for region in node.regions for n in region.walk()]
    if any(n.op.has(trait) for n in inner for trait in _STAYS):
        return False
    return node.op.name == "history" or not any(node.op.has(trait) for trait in _STAYS)


def _find_before(plan: LoopPlan, held: set[Node], *, shifts: bool) -> None:
    """To the fixpoint: a carry that has become a shifted value makes more nodes independent."""
    region = plan.region
    nodes = [n for n in region.nodes if _movable(n, held)]
    carries = list(range(plan.count))
    while True:
        known = len(plan.before)
        for node in nodes:
            if all(plan.ready(v) for v in plan.deps(node)):
                plan.before.append(node)
                plan.available.update(node.results)
        for k in carries:
            carry = plan.loop.carries[k]
            if carry.next is carry.param or (shifts and plan.ready(carry.next)):
                plan.before.append(k)
                plan.available.add(carry.param)
        if len(plan.before) == known:
            return
        done = set(plan.before[known:])
        nodes = [n for n in nodes if n not in done]
        carries = [k for k in carries if k not in done]


# ---------------------------------------------------------------- inside and behind


class _Inside:
    """Collects what has to stay: nodes and carries, with everything that they need."""

    def __init__(self, plan: LoopPlan) -> None:
        self.plan = plan
        self.nodes: set[Node] = set()
        self.carries: set[int] = set()

    def need(self, values: Iterable[Value]) -> None:
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            if self.plan.ready(value):
                continue
            k = self.plan.carry_of(value)
            if k is not None:
                if k not in self.carries:
                    self.carries.add(k)
                    waiting.append(self.plan.loop.carries[k].next)
            elif value.node is not None and value.node not in self.nodes:
                self.nodes.add(value.node)
                waiting.extend(self.plan.deps(value.node))


def _find_inside(plan: LoopPlan, used: Uses, held: set[Node]) -> set[Node]:
    region, gone = plan.region, {k for k in plan.before if isinstance(k, int)}
    inside = _Inside(plan)
    asked = {k: c.next for k, c in enumerate(plan.loop.carries) if k not in gone and c.result in used}
    inside.need(asked.values())
    inside.carries.update(asked)
    for node in region.nodes:
        if node.op.has(Trait.EFFECT) or any(n.op.has(Trait.EFFECT) for r in node.regions for n in r.walk()):
            inside.nodes.add(node)
            inside.need(plan.deps(node))
    stacked = [s.inner for s in plan.loop.stacked if s.outer in used]
    searches = any(n.op.has(Trait.SEARCH) for n in region.nodes)
    while True:
        plan.behind = _find_behind(plan, stacked, inside)
        refused = [n for n in plan.behind if searches or not _movable(n, held) or _has_unknown_dim(plan, n)]
        if not refused:
            break
        for node in refused:
            inside.need(node.results)
    _keep_reductions(plan, stacked, inside)
    plan.carries = sorted(inside.carries)
    return inside.nodes


def _find_behind(plan: LoopPlan, stacked: list[Value], inside: _Inside) -> list[Node]:
    """What the stacked values need besides; a carry that is read there stays."""
    needed = set(stacked)
    found = []
    for node in reversed(plan.region.nodes):
        if node in inside.nodes or not needed.intersection(node.results) or plan.ready(node.results[0]):
            continue
        found.append(node)
        needed.update(plan.deps(node))
    inside.need(v for v in needed if plan.carry_of(v) is not None)
    return [n for n in reversed(found) if n not in inside.nodes]


def _has_unknown_dim(plan: LoopPlan, node: Node) -> bool:
    """Whether it has an axis whose lengths only the running loop finds out."""
    dims = [*node.mentioned_dims(), *(d for v in node.operands for d in v.dims)]
    lengths = [plan.region.dim_defs.get(leaf) for d in dims for leaf in leaves(d)]
    return any(v is not None and not plan.ready(v) for v in lengths)


def _keep_reductions(plan: LoopPlan, stacked: list[Value], inside: _Inside) -> None:
    """A node behind the loop that takes away a dynamic axis goes back, so that less is stacked."""
    for node in list(plan.behind):
        deps = [v for v in plan.deps(node) if not plan.ready(v)]
        from_inside = [v for v in deps if v.node in inside.nodes or plan.carry_of(v) is not None]
        if len(from_inside) < len(deps):
            continue
        others = [n for n in plan.behind if n is not node]
        alone = [v for v in deps if v not in stacked and not any(v in plan.deps(n) for n in others)]
        left = {d for v in node.results for d in v.dims if not d.is_static}
        if any(left < {d for d in v.dims if not d.is_static} for v in alone):
            inside.nodes.add(node)
            plan.behind.remove(node)
