"""Labels out of range: found where they enter, and else where they are used.

In front of the pipeline stands :class:`KnownLabels`: labels that come from the inputs are the host's to check (it knows
the sequence), so their range is written to the ``input`` nodes. What the network computes itself gets a run-time check
by :class:`ComputedLabels`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.analysis.labels import LabelSources, label_sources
from compiler.passes.base import Context, Pass
from compiler.passes.cleanup.dce import Liveness
from compiler.passes.rewrite import rewrite
from returnn_ir.errors import ConfigError, DataError, ProblemList, UserError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.loop import LoopView, loop_results
from returnn_ir.ir.mode import Stage

__all__ = ["ComputedLabels", "KnownLabels", "resolve_labels"]


@dataclass(frozen=True)
class KnownLabels(Pass):
    """Take away each ``label_index`` that is in range if the inputs are, and say of the inputs what that means."""

    name: ClassVar[str] = "known_labels"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)

    def run(self, graph: Graph, context: Context) -> bool:
        """The attribute ``labels`` of an input is the smallest number that one of its uses allows."""
        return resolve_labels(graph)


def resolve_labels(graph: Graph) -> bool:
    """What :class:`KnownLabels` does.

    Raises:
        ProblemList: constants that are no labels of what they index.
    """
    live = Liveness.of(graph)
    places = {node: sources for node, sources in label_sources(graph).items() if live.node_lives(node)}
    problems = list(_constants_outside(places))
    if problems:
        raise ProblemList(problems)
    known = {node for node, sources in places.items() if sources.certainly_inside(node.attrs["labels"])}
    for node in known:
        for source in places[node].inputs:
            labels = source.attrs["labels"]
            source.attrs["labels"] = min(node.attrs["labels"], node.attrs["labels"] if labels is None else labels)
    return rewrite(graph, lambda b, node: [_plain(b, node.operands[0])] if node in known else None)


def _constants_outside(places: Mapping[Node, LabelSources]) -> list[UserError]:
    found: list[UserError] = []
    for node, sources in places.items():
        labels = node.attrs["labels"]
        outside = sources.certainly_outside(labels)
        if outside is not None:
            constant, value = outside
            where = constant.origin if constant.origin.layer else node.origin
            user = node.origin.layer
            used = f", which layer {user!r} looks up" if user not in (None, where.layer) else ""
            problem = f"the label is out of range{used}"
            found.append(ConfigError(problem, where=where, expected=f"0 to {labels - 1}", received=value))
    return found


def _plain(b: Builder, x: Value) -> Value:
    return b.op("set_sparse", x, sparse_dim=None)


@dataclass(frozen=True)
class ComputedLabels(Pass):
    """Make the remaining ``label_index`` a check of the program, of the frames that count.

    A loop tells of each step whether its labels are in range. In a branch, or in a loop inside of another one, the op
    stays and the target's kernel refuses; there too labels behind a sequence's end are zero.
    """

    name: ClassVar[str] = "computed_labels"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)

    def run(self, graph: Graph, context: Context) -> bool:
        """After the loops have been taken apart: what left them needs no telling."""
        return rewrite(graph, _Checks(graph))


class _Checks:
    """Handles the places where labels index something, and then the loops that they stand in."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._loops = {n.regions[0]: n for n in graph.nodes("loop")}
        self._told: dict[Region, list[tuple[str, Value]]] = {}

    def __call__(self, b: Builder, node: Node) -> Sequence[Value] | None:
        if node.op.name == "loop":
            return self._with_checks(b, node, self._told.get(node.regions[0], []))
        if node.op.name != "label_index":
            return None
        x, labels = _counted(b, node.operands[0], self._loops), node.attrs["labels"]
        body, root = b.region, self._graph.body
        if body is not root and (body not in self._loops or body.parent is not root):
            return None if x is node.operands[0] else [b.op("label_index", x, labels=labels)]
        inside = b.binary("logical_and", b.binary("greater_equal", x, 0), b.binary("less", x, labels))
        message = str(DataError("a label is out of range", where=node.origin, expected=f"0 to {labels - 1}"))
        holds = b.reduce("all", inside, *inside.dims, mask=False) if inside.dims else inside
        if body is root:
            self._graph.checks.append((message, holds))
        else:
            self._told.setdefault(body, []).append((message, holds))
        return [_plain(b, x)]

    def _with_checks(self, b: Builder, node: Node, told: list[tuple[str, Value]]) -> Sequence[Value] | None:
        """The loop, which stacks what the steps tell behind its other results."""
        if not told:
            return None
        old = LoopView.of(node)
        new = old.stacking(b, [holds for _, holds in told])
        if new.end is not None:  # the length of what is stacked is the number of steps
            b.define(new.dim, new.end.steps)
        own = len(old.stacked)
        for (message, _), holds in zip(told, new.stacked[own:], strict=True):
            self._graph.checks.append((message, b.reduce("all", holds.outer, new.dim, mask=False)))
        finals, stacks = [c.result for c in new.carries], [s.outer for s in new.stacked[:own]]
        return loop_results(finals, stacks, None if new.end is None else new.end.steps)


def _counted(b: Builder, x: Value, loops: Mapping[Region, Node]) -> Value:
    """``x``, zero in frames and steps behind a sequence's end; what all sequences share counts up to the longest."""
    for dim in x.dims:
        if b.needs_mask(dim) and set(b.length(dim).dims) <= set(x.dims):
            x = b.where(b.mask(dim), x, 0)
    region: Region | None = b.region
    while region is not None:
        loop = LoopView.of(loops[region]) if region in loops else None
        if loop is not None and loop.end is None:
            lengths = b.length(loop.dim)
            if lengths.dims and set(lengths.dims) <= set(x.dims):
                x = b.where(b.binary("less", loop.index, lengths), x, 0)
        region = region.parent
    return x
