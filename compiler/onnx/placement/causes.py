"""Why a node runs on the host, and why a value is copied: in words."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.onnx.placement.copies import Crossing, Reader
from compiler.onnx.placement.graph import NodeView, parameter_name
from compiler.onnx.placement.partition import Assignment
from compiler.onnx.placement.placement import Copy, HostNode, Why

__all__ = ["copied", "on_host"]

_COMPARISONS = frozenset({"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
#: Readers of a value that are named.
_SHOWN = 3


def on_host(node: NodeView, assignment: Assignment) -> HostNode:
    """What there is to say of a node on the host."""
    graph, missing = assignment.graph, assignment.missing.get(node)
    why, reason = _fault(node, assignment) or (Why.SHAPE, "")
    hint = f"--opset {missing.opset}" if missing is not None and missing.opset is not None else ""
    return HostNode(_layer(node), node.op, str(node.proto.name), graph.body, graph.repeated, why, reason, hint)


def _fault(node: NodeView, assignment: Assignment) -> tuple[Why, str] | None:
    """Why a node does not belong on the host; None if it does, or is on the device."""
    if node in assignment.missing:
        return Why.UNSUPPORTED, assignment.missing[node].reason
    if node in assignment.dragged:
        return Why.DRAGGED, f"{node.op} of {assignment.dragged[node]} and of values in host memory stays there"
    return None


def copied(crossing: Crossing, assignment: Assignment) -> Copy:
    """What there is to say of a Memcpy node."""
    why, reason = _cause(crossing, assignment)
    return Copy(
        layer=_layer(crossing.maker or crossing.readers[0][0]),
        value=crossing.value,
        to_host=crossing.to_host,
        body=assignment.graph.body,
        repeated=assignment.graph.repeated,
        why=why,
        reason=reason,
    )


def _layer(node: NodeView) -> str:
    """The layer that a node comes from: its name begins with the path."""
    return str(node.proto.name).rpartition("/")[0]


def _cause(crossing: Crossing, assignment: Assignment) -> tuple[Why, str]:
    maker = crossing.maker
    touched = [*([maker] if maker is not None else []), *(node for node, _ in (*crossing.readers, *crossing.partners))]
    for node in touched:
        if (fault := _fault(node, assignment)) is not None:
            return fault[0], f"for {_named(node)}"
    if maker is None:
        on_cpu, on_device = _names(crossing.partners), _names(crossing.readers)
        return Why.SHARED, f"{crossing.value}, read on the CPU by {on_cpu}, on CUDA by {on_device}"
    if crossing.to_host:
        node, place = crossing.readers[0]
        more = _and_more(len(_distinct(crossing.readers)) - 1)
        return Why.ARGUMENT, f"{parameter_name(node, place)} of {_named(node)}{more}"
    if assignment.graph.type_of(crossing.value) == "bool":
        return Why.MASK, f"{_named(_comparison(maker, assignment))}, read by {_names(crossing.readers)}"
    return Why.SHAPE, f"{_named(maker)}, read by {_names(crossing.readers)}"


def _comparison(node: NodeView, assignment: Assignment) -> NodeView:
    """The comparison that a truth value on the host comes from, itself where it comes from several or none."""
    makers = {name: held for held in assignment.graph.nodes for _, name in held.makes()}
    found = node
    while found.op not in _COMPARISONS:
        bools = [n for _, n in found.reads() if n in makers and assignment.graph.type_of(n) == "bool"]
        if len(bools) != 1:
            return node
        found = makers[bools[0]]
    return found


def _names(readers: Iterable[Reader]) -> str:
    names = _distinct(readers)
    return ", ".join(names[:_SHOWN]) + _and_more(len(names) - _SHOWN)


def _distinct(readers: Iterable[Reader]) -> list[str]:
    return list(dict.fromkeys(_named(node) for node, _ in readers))


def _and_more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _named(node: NodeView) -> str:
    return str(node.proto.name or node.op)
