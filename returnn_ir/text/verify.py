"""The verifier: every node's type is inferred again, and each stage has a few laws of its own.

A violation is an :class:`IRError` (a bug of ours), shown with the lines of IR around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from returnn_ir.errors import DimError, IRError
from returnn_ir.ir.dims import UNIT, Dim, leaves
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.loop import LoopLayout
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.op import Trait
from returnn_ir.ir.types import TensorType
from returnn_ir.text.printer import print_lines

__all__ = ["EXCERPT_LINES", "verify"]

#: So many lines before and behind the faulty one are shown.
EXCERPT_LINES = 5


@dataclass
class _Scope:
    """What inference may ask, for the place of one region."""

    region: Region
    positional: bool

    def lookup(self, dim: Dim) -> Value | None:
        return self.region.lookup(dim)


class _Violation(Exception):
    def __init__(self, node: Node | None, what: str) -> None:
        self.node = node
        self.what = what
        super().__init__(what)


def verify(graph: Graph, *, after: str | None = None) -> None:
    """Check the whole graph.

    Args:
        graph: in any stage.
        after: the pass that ran last, for the message.

    Raises:
        IRError: names the node and shows the IR around it.
    """
    try:
        visible = _region(graph, graph.body, set())
        _roots(graph, visible)
    except _Violation as violation:
        raise IRError(_message(graph, violation, after)) from violation.__cause__


def _region(graph: Graph, region: Region, outer: set[Value]) -> set[Value]:
    visible = outer | set(region.params)
    for node in region.nodes:
        _operands(node, visible)
        _lengths(node, region, visible)
        _attributes(graph, node, region)
        for inner in node.regions:
            if inner.parent is not region:
                raise _Violation(node, "a nested region has another parent")
            _region(graph, inner, visible)
        _types(graph, node, region)
        if node.op.name == "loop":
            _loop(graph, node, region)
        elif node.op.name == "cond":
            _cond(graph, node)
        visible.update(node.results)
    for value in region.results:
        if value not in visible:
            raise _Violation(None, "a region yields a value that it does not define")
    for dim, length in region.dim_defs.items():
        if length not in visible:
            raise _Violation(length.node, f"the lengths of {dim} are a value that is not in the graph")
        if length.dtype != "int64":
            raise _Violation(length.node, f"the lengths of {dim} are {length.type}, expected int64")
    return visible


def _operands(node: Node, visible: set[Value]) -> None:
    signature = node.op.signature
    if (problem := signature.wrong_operands(len(node.operands))) is not None:
        raise _Violation(node, problem)
    for number, value in enumerate(node.operands):
        if value not in visible:
            raise _Violation(node, f"has an operand {signature.operand_name(number)!r} that is not defined before it")


def _lengths(node: Node, region: Region, visible: set[Value]) -> None:
    """Lengths are implicit operands. Inputs come before them: the extents are read off the inputs.

    How many labels there are need not be known to number them.
    """
    if node.op.has(Trait.INPUT):
        return
    labels = node.attrs.get("sparse_dim")
    held = {dim for value in (*node.operands, *node.results) for dim in value.dims}
    for dim in node.mentioned_dims():
        if dim is labels and dim not in held:
            continue
        for leaf in leaves(dim):
            length = region.lookup(leaf)
            if length is None and leaf.is_dynamic:
                raise _Violation(node, f"dim {leaf} has no lengths here")
            if length is not None and length not in visible and length not in node.results:
                raise _Violation(node, f"the lengths of dim {leaf} are not defined before it")


def _attributes(graph: Graph, node: Node, region: Region) -> None:
    if (problem := node.op.signature.wrong_attributes(node.attrs)) is not None:
        raise _Violation(node, problem)
    if graph.stage != Stage.NAMED and node.op.is_symbolic:
        raise _Violation(node, f"is not allowed in stage {graph.stage}")
    if graph.stage == Stage.TARGET:
        if node.op.has(Trait.MASKED) and node.attrs["mask"]:
            _no_implicit_mask(node, region)
        return
    if node.op.has(Trait.TARGET_ONLY):
        raise _Violation(node, f"is not allowed in stage {graph.stage}")
    if any(UNIT in v.dims for v in node.results):
        raise _Violation(node, f"the inserted axis is not allowed in stage {graph.stage}")
    if graph.stage == Stage.MASKED and node.op.has(Trait.MASKED) and node.attrs["mask"]:
        _no_implicit_mask(node, region)


def _no_implicit_mask(node: Node, region: Region) -> None:
    for dim in node.addressed_dims():
        if region.is_ragged(dim):
            raise _Violation(node, f"means valid frames of {dim} only, which has to be explicit by now")


def _types(graph: Graph, node: Node, region: Region) -> None:
    scope = _Scope(region, positional=graph.stage == Stage.TARGET)
    try:
        inferred = node.op.infer(scope, [v.type for v in node.operands], node.attrs)
    except (IRError, DimError, ValueError, KeyError) as error:
        raise _Violation(node, f"inference fails: {error}") from error
    if len(inferred) != len(node.results):
        raise _Violation(node, f"has {len(node.results)} results, inference gives {len(inferred)}")
    for value, type_ in zip(node.results, inferred, strict=True):
        _same(graph, node, "is stored as", value.type, "inference gives", type_)
        real = [d for d in type_.dims if d is not UNIT]
        if len(set(real)) < len(real):
            raise _Violation(node, f"gives {type_}, which has an axis twice")


def _same(graph: Graph, node: Node | None, what: str, a: TensorType, other: str, b: TensorType) -> None:
    if not (a == b if graph.stage == Stage.TARGET else a.same_as(b)):
        raise _Violation(node, f"{what} {a}, {other} {b}")


def _loop(graph: Graph, node: Node, around: Region) -> None:
    """The params, and the next carries, have the types of the carries that the loop starts with."""
    (region,), layout = node.regions, LoopLayout.of(node.attrs)
    *_, steps = layout.split_results(node.results)
    if steps is not None and around.lookup(layout.dim) is not steps:
        raise _Violation(node, f"finds out how many steps there are, but {layout.dim} has other lengths")
    initial, whole, _ = layout.split_operands([v.type for v in node.operands])
    _pairwise(graph, node, "params", [v.type for v in region.params], layout.param_types(initial, whole))
    _pairwise(graph, node, "results", [v.type for v in region.results], layout.step_types(initial))


def _cond(graph: Graph, node: Node) -> None:
    """Two branches without params that give what the node says."""
    if len(node.regions) != 2:
        raise _Violation(node, f"has {len(node.regions)} regions, expected 2")
    for region in node.regions:
        _pairwise(graph, node, "params", [v.type for v in region.params], [])
        _pairwise(graph, node, "results", [v.type for v in region.results], [v.type for v in node.results])


def _pairwise(graph: Graph, node: Node, what: str, found: Sequence[TensorType], expected: Sequence[TensorType]) -> None:
    exact = graph.stage == Stage.TARGET
    if len(found) != len(expected):
        raise _Violation(node, f"its region has {len(found)} {what}, expected {len(expected)}")
    for number, (a, b) in enumerate(zip(found, expected, strict=True)):
        if not (a == b if exact else a.same_as(b)):
            raise _Violation(node, f"its region's {what}: number {number} is {a}, expected {b}")


def _roots(graph: Graph, visible: set[Value]) -> None:
    for name, value in graph.fetches().items():
        if value not in visible:
            raise _Violation(value.node, f"{name} is a value that is not in the graph")
    for name, output in graph.outputs.items():
        axes = TensorType(output.value.dtype, output.axes, output.value.type.sparse_dim)
        _same(graph, output.value.node, f"output {name!r} is", output.value.type, "its axes say", axes)
        if (output.beam is None) != (output.beam_scores is None):
            raise _Violation(output.value.node, f"output {name!r} has a beam without scores, or scores without a beam")
        if output.beam is not None and output.beam not in output.axes:
            raise _Violation(output.value.node, f"the beam {output.beam} of output {name!r} is none of its axes")
        if output.beam_scores is not None and output.beam not in output.beam_scores.dims:
            raise _Violation(output.beam_scores.node, f"the scores of output {name!r} have no axis {output.beam}")


def _message(graph: Graph, violation: _Violation, after: str | None) -> str:
    node = violation.node
    head = f"op {node.op.name!r} {violation.what}" if node is not None else violation.what
    place = f" ({node.origin})" if node is not None and str(node.origin) else ""
    culprit = f"after pass {after!r}: " if after else ""
    lines = print_lines(graph)
    at = next((i for i, (_, owner) in enumerate(lines) if node is not None and owner is node), None)
    if at is None:
        return f"{culprit}{head}{place}"
    first = max(0, at - EXCERPT_LINES)
    shown = [
        f"{'>' if number == at else ' '} {text}"
        for number, (text, _) in enumerate(lines[first : at + EXCERPT_LINES + 1], first)
    ]
    return "\n".join([f"{culprit}{head}{place}", *shown])
