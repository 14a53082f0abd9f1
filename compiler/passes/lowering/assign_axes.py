"""MASKED to TARGET: dims get an order in memory, and transposes where an op needs another one.

Layouts stay as they come (time-major or batch-major): an elementwise result follows its operand with the most axes,
other ops give the order that their inference says. Every other order of a value is made once, beside the value, from
the array that was there first. So in a loop, what comes from outside can have any order without a transpose in a step:
its order is that of an operand from inside, or has the batch in front, like that of the carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from returnn_ir.errors import IRError, Origin
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import UNIT, Dim, leaves
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.loop import LoopLayout, LoopOptions, OpenLoop
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.op import Trait
from returnn_ir.ir.types import TensorType

__all__ = ["AssignAxes", "aligned", "merged_order"]


@dataclass(frozen=True)
class AssignAxes(Pass):
    """Emit the whole graph again with positional axes."""

    name: ClassVar[str] = "assign_axes"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.MASKED,)
    ensures: ClassVar[Stage | None] = Stage.TARGET

    def run(self, graph: Graph, context: Context) -> bool:
        """Graph outputs end in the order of ``Output.axes``."""
        _Assigner().graph(graph)
        return True


def merged_order(types: Sequence[TensorType]) -> tuple[Dim, ...]:
    """The order of an elementwise result's axes: that of the first operand with the most, others put in.

    A missing axis goes in front of the axis that follows it in its own operand; without such an anchor static axes
    (features) go last and others first.
    """
    order = list(max(types, key=lambda t: len(t.dims)).dims)
    for type_ in types:
        for at in range(len(type_.dims) - 1, -1, -1):
            dim = type_.dims[at]
            if dim in order:
                continue
            following = type_.dims[at + 1] if at + 1 < len(type_.dims) else None
            if following is not None:
                order.insert(order.index(following), dim)
            elif dim.is_static:
                order.append(dim)
            else:
                order.insert(0, dim)
    return tuple(order)


def aligned(dims: Sequence[Dim], order: Sequence[Dim]) -> tuple[Dim, ...]:
    """The axes of an operand under a result of the axes ``order``: UNIT for missing ones, leading ones left out."""
    own = set(dims)
    padded = [d if d in own else UNIT for d in order]
    first = next((i for i, d in enumerate(padded) if d is not UNIT), len(padded))
    return tuple(padded[first:])


def _batch_first(dims: Sequence[Dim]) -> tuple[Dim, ...]:
    """As products of batches need them, and what a beam's hypotheses are picked from."""
    return (*(d for d in dims if d.is_batch), *(d for d in dims if not d.is_batch))


class _Assigner:
    """One run of the pass over a graph.

    ``env`` maps old values to new ones; ``home`` knows the region of every new value, so that another order of it is
    made there and not again in every step of a loop; ``loops`` are the builders of bodies that run many times.
    """

    def __init__(self) -> None:
        self.env: dict[Value, Value] = {}
        self.home: dict[Value, Builder] = {}
        self.orders: dict[tuple[Value, tuple[Dim, ...]], Value] = {}
        self.loops: set[Builder] = set()

    def graph(self, graph: Graph) -> None:
        """Assign axes everywhere, then to the roots."""
        builder = self.region(graph.body, [])
        graph.replace_roots(lambda v: self.env.get(v, v))
        for name, output in graph.outputs.items():
            missing = [d for d in output.axes if d not in output.value.dims]
            if missing or len(output.axes) != len(output.value.dims):
                raise IRError(f"output {name!r} has the axes {output.axes}, its value is {output.value.type}")
            output.value = self.ordered(output.value, output.axes, builder)
            output.lengths = {axis: self.like(v, output.axes, builder) for axis, v in output.lengths.items()}
            if output.beam_scores is not None:
                output.beam_scores = self.like(output.beam_scores, output.axes, builder)
        declared = {n.attrs["name"]: n.attrs["dims"] for n in graph.nodes("param")}
        for name, value in graph.state_updates.items():
            # an axis that grows or shrinks from run to run is another dim in the new value than in the old one
            other = iter([d for d in value.dims if d not in declared[name]])
            order = tuple(d if d in value.dims else next(other) for d in declared[name])
            graph.state_updates[name] = self.ordered(value, order, builder)

    def like(self, value: Value, axes: Sequence[Dim], builder: Builder) -> Value:
        """A value that belongs to an output, its axes in the output's order as far as they are the output's."""
        order = [d for d in axes if d in value.dims]
        return self.ordered(value, (*order, *(d for d in value.dims if d not in order)), builder)

    def region(self, region: Region, params: Sequence[Value], *, loop: bool = False) -> Builder:
        """Emit a region's nodes again; ``params`` replace its parameters."""
        builder = Builder(region, positional=True)
        if loop:
            self.loops.add(builder)
        for before, after in zip(region.params, params, strict=True):
            self.define(before, after, builder)
        region.params = list(params)
        region.dim_defs = {d: self.env.get(v, v) for d, v in region.dim_defs.items()}
        dims_of: dict[Value, list[Dim]] = {}
        for dim, value in region.dim_defs.items():
            dims_of.setdefault(value, []).append(dim)
        old, region.nodes = region.nodes, []
        for node in old:
            with builder.at(node.origin):
                results = self.node(builder, node)
            for before, after in zip(node.results, results, strict=True):
                self.define(before, after, builder)
                for dim in dims_of.get(before, ()):
                    region.dim_defs[dim] = after
        region.results = [self.env.get(v, v) for v in region.results]
        return builder

    def define(self, before: Value, after: Value, builder: Builder) -> None:
        """Note the new value of an old one."""
        self.env[before] = after
        self.home[after] = builder

    def node(self, b: Builder, node: Node) -> list[Value]:
        """Emit one node with its operands in the order that it needs."""
        operands = [self.env[v] for v in node.operands]
        types = [v.type for v in operands]
        if node.op.has(Trait.ELEMENTWISE) and operands:
            order = self.elementwise_order(b, operands)
            operands = [self.ordered(v, aligned(v.dims, order), b) for v in operands]
        elif node.op.order is not None:
            wanted = node.op.order(types, node.attrs)
            operands = [
                v if dims is None else self.ordered(self.expanded(v, dims, b), dims, b)
                for v, dims in zip(operands, wanted, strict=True)
            ]
        if node.regions:
            return self.loop(b, node, operands) if node.op.name == "loop" else self.cond(b, node, operands)
        return b.emit(node.op, operands, node.attrs)

    def elementwise_order(self, b: Builder, operands: Sequence[Value]) -> tuple[Dim, ...]:
        """The order of an elementwise result's axes, so that the fewest are moved here."""
        if b not in self.loops:
            return merged_order([v.type for v in operands])
        inside = [v for v in operands if self.home.get(v) is b]
        outside = [v for v in operands if self.home.get(v) is not b]
        return merged_order([*(v.type for v in inside), *(v.type.with_dims(_batch_first(v.dims)) for v in outside)])

    def loop(self, b: Builder, node: Node, operands: list[Value]) -> list[Value]:
        """A loop: carries have the batch in front, stacked values the order that they happen to have."""
        (region,), layout = node.regions, LoopLayout.of(node.attrs)
        initial, whole, limit = layout.split_operands(operands)
        initial = [self.ordered(v, _batch_first(v.dims), b) for v in initial]
        loop = OpenLoop.begin(layout.dim, initial, whole, limit, LoopOptions.of(node.attrs))
        inner = self.region(region, loop.params, loop=True)
        following, stacked, done = layout.split_results(region.results)
        following = [self.ordered(v, start.dims, inner) for v, start in zip(following, initial, strict=True)]
        return loop.close(b, region, following, stacked, done).node.results

    def cond(self, b: Builder, node: Node, operands: list[Value]) -> list[Value]:
        """Two branches: the results of both have the order that they happen to have in the first one."""
        builders = [self.region(region, []) for region in node.regions]
        first, second = node.regions
        second.results = [
            self.ordered(v, wanted.dims, builders[1]) for v, wanted in zip(second.results, first.results, strict=True)
        ]
        return b.choose(operands[0], first, second)

    def expanded(self, x: Value, dims: Sequence[Dim], b: Builder) -> Value:
        """``x`` repeated along the dims that it lacks, beside ``x`` unless only this place knows how long they are."""
        lacking = tuple(d for d in dims if d not in x.dims)
        if not lacking:
            return x
        home = self.home.get(x, b)
        if any(home.lookup(leaf) is not b.lookup(leaf) for d in lacking for leaf in leaves(d)):
            home = b
        result = home.expand(x, *lacking)
        self.home[result] = home
        return result

    def ordered(self, x: Value, dims: tuple[Dim, ...], b: Builder) -> Value:
        """``x`` with its axes in the order ``dims`` (UNIT inserts one of size one)."""
        if x.dims == dims:
            return x
        known = self.orders.get((x, dims))
        if known is not None:
            return known
        home = self.home.get(x, b)
        # what a region's results need in another order comes from where the value does
        with home.at(x.node.origin if b.origin == Origin() and x.node is not None else b.origin):
            result = home.op("transpose", x, dims=dims)
        self.orders[x, dims] = result
        return result
