"""What is left of a loop when it has been taken apart, and what follows it."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.passes.loops.lift import Lifter, labelled
from compiler.passes.loops.plan import LoopPlan
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopCarry, LoopStack, OpenLoop, loop_results
from returnn_ir.ir.op import Trait
from returnn_ir.ir.uses import Uses

__all__ = ["LoopRemainder"]


class LoopRemainder:
    """Emits the smaller loop and the nodes behind it, after the part before it has been lifted."""

    def __init__(self, b: Builder, plan: LoopPlan, lifter: Lifter, used: Uses, *, invariant: bool) -> None:
        self.b = b
        self.plan = plan
        self.lifter = lifter
        self.used = used
        self.invariant = invariant
        self.loop = plan.loop
        self.origin = plan.loop.node.origin
        self.dim = plan.loop.dim
        self._inside: set[Node | None] = set(plan.inside)
        self._crossing: list[Value] = []
        #: nodes to lift behind the loop, with those that they stand for
        self._behind: list[tuple[Node, Node]] = []
        #: carries whose values behind the loop are their next values one step later
        self._shifted: list[LoopCarry] = []
        self._scanned: list[Value] = []
        self._slices: list[Value] = []

    def emit(self, finals: Mapping[int, Value]) -> list[Value]:
        """The values instead of the loop's results; ``finals`` are those of carries that have left.

        Nothing of the loop is changed before all that can be refused has been tried.
        """
        if self.invariant:
            return self._emit_same_loop()
        self._find_crossing([s.inner for s in self.loop.stacked if s.outer in self.used])
        self._try_behind()
        found = {**finals, **self._emit_loop()}
        self._emit_behind(self.lifter)
        carries = [found.get(k, carry.result) for k, carry in enumerate(self.loop.carries)]
        stacks = [self._over_steps(s) if s.outer in self.used else s.outer for s in self.loop.stacked]
        return loop_results(carries, stacks)

    # ---------------------------------------------------------------- behind the loop

    def _find_crossing(self, stacked: list[Value]) -> None:
        """Values of the loop that are needed behind it: few, because what follows from others is computed again."""
        needed = dict.fromkeys(v for v in stacked if self._stays(v))
        for node in self.plan.behind:
            needed.update(dict.fromkeys(v for v in self.plan.deps(node) if self._stays(v)))
        for carry in (self.loop.carries[k] for k in self.plan.carries):
            if carry.param in needed and carry.next in needed and carry.next is not carry.param:
                del needed[carry.param]
                self._shifted.append(carry)
        pinned = {carry.next for carry in self._shifted}
        positions = {n: i for i, n in enumerate(self.plan.region.nodes)}
        again: set[Node] = set()
        for node in sorted({v.node for v in needed if v.node is not None}, key=lambda n: positions[n]):
            given = [v for v in self.plan.deps(node) if not self.plan.ready(v)]
            cheap = node.op.has(Trait.ELEMENTWISE) and node.result not in pinned
            if cheap and given and all(v in needed or v.node in again for v in given):
                again.add(node)
                del needed[node.result]
        for node in sorted({*self.plan.behind, *again}, key=lambda n: positions[n]):
            # what stays in the loop as well is going to be changed there
            own = node not in again
            self._behind.append((node if own else _copy(node), node))
        self._crossing = list(needed)

    def _stays(self, value: Value) -> bool:
        if self.plan.ready(value):
            return False
        return self.plan.carry_of(value) is not None or value.node in self._inside

    def _try_behind(self) -> None:
        """Lift what follows the loop on the side, over stand-ins for what the loop will give."""
        mark, defined = len(self.b.region.nodes), dict(self.b.region.dim_defs)
        trial = self.lifter.copy()
        for value in self._crossing:
            dims = (self.dim, *trial.outer_type_dims(value))
            trial.env[value] = Value(value.type.with_dims(dims))
        self._emit_behind(trial)
        del self.b.region.nodes[mark:]
        self.b.region.dim_defs.clear()
        self.b.region.dim_defs.update(defined)

    def _emit_behind(self, lifter: Lifter) -> None:
        for carry in self._shifted:
            with self.b.at(self.origin):
                lifter.shift(carry, final=False)
        for node, original in self._behind:
            lifter.lift(node)
            lifter.env.update((v, lifter.env[w]) for v, w in zip(original.results, node.results, strict=True))

    def _over_steps(self, stack: LoopStack) -> Value:
        """A stacked result: all steps of a value of the body."""
        with self.b.at(self.origin):
            y = self.b.expand(self.lifter.value(stack.inner), self.dim)
            pairs = [(self.lifter.outer_dim(d, own=True), d) for d in stack.inner.dims]
            return labelled(self.b, self.b.rename(y, *pairs), stack.outer.type.sparse_dim)

    # ---------------------------------------------------------------- the loop

    def _emit_same_loop(self) -> list[Value]:
        """The loop with fewer nodes in it and everything else as it was."""
        loop, region = self.loop.node, self.plan.region
        region.nodes = []
        inner = Builder(region, origin=self.origin)
        env = {v: self._brought_in(inner, v) for v in self._lifted(self.plan.inside, region.results)}
        region.nodes.extend(self.plan.inside)
        region.substitute(env)
        _put_in_order(region)
        with self.b.at(self.origin):
            return self.b.emit(loop.op, loop.operands, loop.attrs, loop.regions)

    def _lifted(self, nodes: list[Node], results: list[Value]) -> list[Value]:
        """What nodes and results need of what has been lifted."""
        dim_defs = self.plan.region.dim_defs
        found = [*(v for n in nodes for v in n.deps(dim_defs)), *results, *dim_defs.values()]
        return [v for v in dict.fromkeys(found) if v in self.lifter.env]

    def _brought_in(self, inner: Builder, value: Value) -> Value:
        """A lifted value as the body knew it: the slice of the step, or the whole, with the body's own dims."""
        outer = self.lifter.env[value]
        if self.dim in outer.dims:
            self._scanned.append(outer)
            outer = Value(outer.type.without([self.dim]))
            self._slices.append(outer)
        return labelled(inner, self._redimmed(inner, outer, value, outwards=False), value.type.sparse_dim)

    def _redimmed(self, inner: Builder, x: Value, value: Value, *, outwards: bool) -> Value:
        """``x`` with the dims that ``value`` has in the body (or has outside), cut or filled up to their extents."""
        for dim in value.dims:
            other = self.lifter.outer_dim(dim, own=True)
            if other is dim:
                continue
            old, new = (dim, other) if outwards else (other, dim)
            resized = any(leaf in self.lifter.dims for leaf in leaves(dim))
            x = inner.op("resize_axis", x, dim=old, out=new) if resized else inner.rename(x, (old, new))
        return x

    def _computed_again(self) -> set[Node]:
        """Nodes before the loop whose results are cheaper to compute in it than to keep for all steps.

        These are scalars that follow from the step's number, and elementwise results that are larger than each operand.
        """
        plan = self.plan
        again: set[Node] = set()
        needed = {v for n in plan.inside for v in plan.deps(n)} | {self.loop.carries[k].next for k in plan.carries}
        for node in reversed([n for n in plan.before if isinstance(n, Node)]):
            if node.operands and node.op.has(Trait.ELEMENTWISE) and needed.intersection(node.results):
                result = self.lifter.env[node.result]
                operands = [self.lifter.value(v) for v in node.operands]
                scalar = not node.result.dims
                if self.dim in result.dims and (scalar or all(set(v.dims) < set(result.dims) for v in operands)):
                    again.add(node)
                    needed.update(plan.deps(node))
        return again

    def _emit_loop(self) -> dict[int, Value]:
        """The loop over what stays; returns the final carries by index, and notes the stacked values."""
        plan, loop, region = self.plan, self.loop, self.plan.region
        if not plan.inside and not plan.carries:
            return {}
        kept = self._computed_again() | set(plan.inside)
        nodes = [n for n in region.nodes if n in kept]
        carries = [loop.carries[k] for k in plan.carries]
        following = [carry.next for carry in carries]
        own = {loop.index, *(v for n in nodes for v in n.results)}
        region.nodes = []
        inner = Builder(region, origin=self.origin)
        mentioned = _dims_of(nodes) | {leaf for v in self._crossing for d in v.dims for leaf in leaves(d)}
        region.dim_defs = {d: v for d, v in region.dim_defs.items() if d in mentioned}
        env = {v: self._brought_in(inner, v) for v in self._lifted(nodes, following) if v not in own}
        region.nodes.extend(nodes)
        leaving = [self._redimmed(inner, v, v, outwards=True) for v in self._crossing]
        initial, params = [carry.initial for carry in carries], [carry.param for carry in carries]
        left = OpenLoop(self.dim, initial, loop.index, params, self._scanned, self._slices, options=loop.options)
        with self.b.at(self.origin):
            smaller = left.close(self.b, region, following, leaving)
        region.substitute(env)
        _put_in_order(region)
        self.lifter.env.update((v, s.outer) for v, s in zip(self._crossing, smaller.stacked, strict=True))
        return {k: carry.result for k, carry in zip(plan.carries, smaller.carries, strict=True)}


def _put_in_order(region: Region) -> None:
    """Every node behind what it needs: an axis that is cut needs its new length, which may be computed further down."""
    maker = {v: n for n in region.nodes for v in n.results}
    done: dict[Node, None] = {}

    def visit(node: Node) -> None:
        for value in node.deps(region.dim_defs):
            before = maker.get(value)
            if before is not None and before not in done:
                visit(before)
        done[node] = None

    for node in region.nodes:
        if node not in done:
            visit(node)
    region.nodes = list(done)


def _copy(node: Node) -> Node:
    return Node(node.op, list(node.operands), node.attrs, [v.type for v in node.results], node.origin)


def _dims_of(nodes: list[Node]) -> set[Dim]:
    """The underived dims that nodes mention."""
    dims = [d for n in nodes for d in (*n.mentioned_dims(), *(d for v in n.operands for d in v.dims))]
    inner = {d for n in nodes for region in n.regions for d in _dims_of(region.nodes)}
    return inner | {leaf for d in dims for leaf in leaves(d)}
