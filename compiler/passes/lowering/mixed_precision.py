"""Mixed precision (Micikevicius et al., arXiv:1710.03740): products in 16 bits, what sums and decides in float32."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from compiler.analysis.precision import FULL_DTYPE, PrecisionFlow, Width
from compiler.passes.base import Context, Pass
from compiler.passes.lowering.legalize import expand_refused
from compiler.target.protocol import Accept, Reject
from returnn_ir.errors import TargetError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.loop import LoopView, declare_types, loop_results
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.op import Precision, Trait
from returnn_ir.ir.types import TensorType, is_float

__all__ = ["LOW_DTYPES", "MixedPrecision"]

#: The element types of 16 bits.
LOW_DTYPES = ("bfloat16", "float16")


@dataclass(frozen=True)
class MixedPrecision(Pass):
    """Let products compute in a type of 16 bits, with casts where float32 begins and ends.

    Parameters, inputs, states, losses and whatever is fetched stay float32. A value is cast once, right behind what
    computes it: a parameter outside of the loops that use it.

    Attributes:
        dtype: the low type; without it that of the context, which has none where all stays as it is.
    """

    name: ClassVar[str] = "mixed_precision"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)  # composites are islands, or products, as a whole
    dtype: str = ""

    def run(self, graph: Graph, context: Context) -> bool:
        """The journal has every product, and every island that gets low operands."""
        low = self.dtype or context.precision
        if low is None:
            return False
        # what the target does not take whole is decided part by part
        expanded, _ = expand_refused(
            graph, context, lambda n: n.op.precision is Precision.ANY and n.op.has(Trait.COMPOSITE)
        )
        flow = PrecisionFlow(low, _Asking(low, context).takes)
        with graph.frozen():
            flow.visit(graph.body)
        if not flow.lowers:
            graph.notes.append(f"mixed_precision: nothing is computed in {low}, since no parameter is multiplied")
        casts = _Casts(low, flow)
        casts.retype(graph.body)
        casts.region(graph.body, context)
        graph.replace_roots(casts.full)
        return casts.insert(graph.body) or expanded


@dataclass(frozen=True)
class _Asking:
    """Which of the nodes that want to be low can be."""

    low: str
    context: Context

    def takes(self, node: Node, region: Region) -> bool:
        """Primitives are; a composite has a kernel, and is if the kernel is there in the low type, too."""
        if any(v.dtype == "float64" for v in node.operands):
            raise TargetError(
                f"mixed_precision lowers what computes in float32, and {node.op.name} computes in float64 here",
                where=node.origin,
                received=f"mixed_precision = {self.low!r}",
                hint="float32 for this layer and those before it, or no mixed_precision",
            )
        if any(is_float(v.dtype) and v.dtype != FULL_DTYPE for v in node.operands):
            return False  # a network's own 16 bits
        if not node.op.has(Trait.COMPOSITE):
            return True
        verdict = self.context.target.accepts(self._lowered(node), region)
        if isinstance(verdict, Reject):
            self.context.journal.add("kept in float32", node.op.name, node.origin, verdict.reason)
        return isinstance(verdict, Accept)

    def _lowered(self, node: Node) -> Node:
        """The node as it would be, which stands in no graph."""
        operands = [v.type if node.op.is_apart(k) else self._low_type(v) for k, v in enumerate(node.operands)]
        results = [self._low_type(v) for v in node.results]
        return Node(node.op, [Value(t) for t in operands], node.attrs, results, node.origin)

    def _low_type(self, value: Value) -> TensorType:
        return replace(value.type, dtype=self.low) if value.dtype == FULL_DTYPE else value.type


class _Casts:
    """The rewriting: each value gets its type, then each node what it needs of its operands."""

    def __init__(self, low: str, flow: PrecisionFlow) -> None:
        self._low, self._flow = low, flow
        self._both: set[Value] = set()  # what was float32 before: a network may have values of 16 bits of its own
        self._made: dict[tuple[Value, str], Value] = {}
        self._behind: dict[Value, list[Node]] = {}

    def retype(self, region: Region) -> None:
        """Give every value of a region its type."""
        for value in (*region.params, *(v for node in region.nodes for v in node.results)):
            if value.dtype == FULL_DTYPE:
                self._both.add(value)
                if self._flow.of(value) is Width.LOW:
                    value.type = replace(value.type, dtype=self._low)
        for node in region.nodes:
            for inner in node.regions:
                self.retype(inner)

    def region(self, region: Region, context: Context) -> None:
        """Give every node of a region its operands."""
        for node in region.nodes:
            for inner in node.regions:
                self.region(inner, context)
            if node.op.name == "loop":
                self._loop(LoopView.of(node))
            elif node.op.name == "cond":
                self._cond(node)
            elif node.op.name != "cast" and not node.op.has(Trait.DERIVATIVE):
                self._node(node, context)

    def _node(self, node: Node, context: Context) -> None:
        lowered = self._computes_low(node)
        if not any(v in self._both for v in node.operands):
            return
        if node.op.precision is Precision.ANY and lowered:
            context.journal.add(f"computes in {self._low}", node.op.name, node.origin, "its sums are float32")
        elif node.op.precision is Precision.ISLAND and any(self._is_low(v) for v in node.operands):
            context.journal.add("kept in float32", node.op.name, node.origin, f"its operands come in {self._low}")
        dtype = self._low if lowered else FULL_DTYPE
        node.operands = [v if node.op.is_apart(k) else self._as(v, dtype) for k, v in enumerate(node.operands)]

    def _computes_low(self, node: Node) -> bool:
        results = [v for v in node.results if v in self._both]
        if results:
            return self._is_low(results[0])
        # what is no float32 itself is read off what comes
        follows = node.op.precision is Precision.FOLLOW
        return follows and all(self._is_low(v) for v in node.operands if v in self._both)

    def _is_low(self, value: Value) -> bool:
        return value in self._both and value.dtype == self._low

    def _loop(self, loop: LoopView) -> None:
        node, (region,) = loop.node, loop.node.regions
        self._scan_low(loop)
        initial = [self._as(c.initial, c.param.dtype) for c in loop.carries]
        whole = [self._as(part.whole, part.param.dtype) for part in loop.slices]
        node.operands = [*initial, *whole, *([] if loop.end is None else [loop.end.limit])]
        following = [self._as(c.next, c.param.dtype) for c in loop.carries]
        region.results = loop_results(
            following, [s.inner for s in loop.stacked], None if loop.end is None else loop.end.done
        )
        declare_types(node)

    def _scan_low(self, loop: LoopView) -> None:
        """What every step would cast is cast before the loop, if the steps use it in no other way."""
        for part in loop.slices:
            casts = self._behind.get(part.param, [])
            if [cast.result.dtype for cast in casts] == [self._low] and not _uses(loop.region, part.param):
                del self._behind[part.param]
                loop.region.substitute({casts[0].result: part.param})
                part.param.type = casts[0].result.type

    def _cond(self, node: Node) -> None:
        for region in node.regions:
            region.results = [self._as(v, r.dtype) for v, r in zip(region.results, node.results, strict=True)]
        declare_types(node)

    def full(self, value: Value) -> Value:
        """The value in float32, if it is a low one."""
        return self._as(value, FULL_DTYPE)

    def _as(self, value: Value, dtype: str) -> Value:
        """What was float32 in one of the two types; any other value as it is."""
        if value not in self._both or value.dtype == dtype:
            return value
        if (value, dtype) not in self._made:
            here = Region()
            origin = None if value.node is None else value.node.origin
            self._made[value, dtype] = Builder(here, origin=origin).cast(value, dtype)
            self._behind.setdefault(value, []).extend(here.nodes)
        return self._made[value, dtype]

    def insert(self, region: Region) -> bool:
        """Put the casts behind what they cast, and an input's behind its lengths; returns whether there are any."""
        nodes, missing = [], {v for node in region.nodes for v in node.results}
        waiting = [cast for param in region.params for cast in self._behind.get(param, ())]
        for node in (None, *region.nodes):
            if node is not None:
                for inner in node.regions:
                    self.insert(inner)
                nodes.append(node)
                missing.difference_update(node.results)
                waiting += [cast for result in node.results for cast in self._behind.get(result, ())]
            ready = [cast for cast in waiting if missing.isdisjoint(cast.deps(region.dim_defs))]
            nodes += ready
            waiting = [cast for cast in waiting if cast not in ready]
        region.nodes = nodes
        return bool(self._behind)


def _uses(region: Region, value: Value) -> bool:
    """Whether a node of a region or of those in it has a value as operand, or one of them gives it."""
    used = any(value in node.operands for node in region.walk())
    return used or any(value in inner.results for inner in region.regions())
