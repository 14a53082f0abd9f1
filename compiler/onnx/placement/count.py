"""Counting the borders between host and device that a model has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from compiler.onnx.placement.copies import Crossing, crossings
from compiler.onnx.placement.graph import GraphView, NodeView, view
from compiler.onnx.placement.kernels import KernelTable, cuda_kernels
from compiler.onnx.placement.optimized import optimized
from compiler.onnx.placement.partition import Assignment, partition
from compiler.onnx.placement.placement import Copy, HostNode, Placement, Why

__all__ = ["count_borders"]


def count_borders(model: Any, table: KernelTable | None = None) -> Placement:
    """Where the nodes of a model run with onnxruntime's CUDA provider, and what is copied.

    Counted in the model after onnxruntime's basic optimizations, on which it partitions: they are those of the installed
    onnxruntime, on the CPU.

    Args:
        model: an ``onnx.ModelProto``.
        table: the kernels; None: those of the onnxruntime that the package's table is of.
    """
    table = cuda_kernels() if table is None else table
    counted = _Count(table)
    counted.graph(view(optimized(model), table), ())
    return Placement(table.version, counted.on_device, tuple(counted.on_host), tuple(counted.copies))


class _Count:
    """Goes through the graphs of a model."""

    def __init__(self, table: KernelTable) -> None:
        self._table = table
        self.on_device = 0
        self.on_host: list[HostNode] = []
        self.copies: list[Copy] = []

    def graph(self, graph: GraphView, around: Iterable[str]) -> None:
        """Count a graph and those inside of it; ``around``: what the bodies of the node around it read."""
        assignment = partition(graph, self._table)
        faults = set(_faults(assignment))
        self.on_device += len(assignment.device)
        self.on_host += [_host_node(n, assignment, n in faults) for n in graph.nodes if n not in assignment.device]
        self.copies += [_copy(one, assignment, faults) for one in crossings(assignment, around)]
        for node in graph.nodes:
            for body in node.bodies:
                self.graph(body, node.captured)


def _faults(assignment: Assignment) -> Iterator[NodeView]:
    """Nodes without a kernel that read from the device; among shape arithmetic such a node costs nothing."""
    made = {name for node in assignment.device for _, name in node.makes()} - assignment.at_host
    for node in assignment.missing:
        read = {name for _, name in node.reads()}
        outer = any(_from_outside(assignment.graph, name) for name in read)
        if not read.isdisjoint(made) or outer:
            yield node


def _from_outside(graph: GraphView, name: str) -> bool:
    return name not in graph.types and graph.initializer_size(name) is None


def _host_node(node: NodeView, assignment: Assignment, fault: bool) -> HostNode:
    missing = assignment.missing.get(node)
    hint = f"--opset {missing.last_opset}" if missing is not None and missing.last_opset is not None else ""
    return HostNode(
        layer_of(node.proto.name),
        node.op,
        node.proto.name,
        node.graph.path[-1] if node.graph.path else "",
        Why.UNSUPPORTED if fault else Why.SHAPE,
        missing.reason if missing is not None else "",
        hint,
    )


def layer_of(name: str) -> str:
    """The layer that a node or value comes from: its name begins with the path."""
    return name.rpartition("/")[0]


def _copy(crossing: Crossing, assignment: Assignment, faults: set[NodeView]) -> Copy:
    nodes = {node for node, _ in crossing.readers}
    maker = crossing.maker
    named = maker.proto.name if maker is not None else crossing.readers[0][0].proto.name
    return Copy(
        layer_of(named),
        crossing.value,
        crossing.to_host,
        assignment.graph.path[-1] if assignment.graph.path else "",
        _why(crossing, assignment, faults),
        _reason(crossing, assignment),
    )


def _why(crossing: Crossing, assignment: Assignment, faults: set[NodeView]) -> Why:
    if crossing.maker in faults or not faults.isdisjoint(node for node, _ in crossing.readers):
        return Why.UNSUPPORTED
    if crossing.maker is None:
        return Why.SHARED
    if crossing.to_host and any(node in assignment.device for node, _ in crossing.readers):
        return Why.ARGUMENT
    if not crossing.to_host and assignment.graph.type_of(crossing.value) == "bool":
        return Why.MASK
    return Why.SHAPE


def _reason(crossing: Crossing, assignment: Assignment) -> str:
    """Who makes the value and who reads it on the other side; nodes of a layer by their operators."""
    maker = "made outside" if crossing.maker is None else f"{_named(crossing.maker)} makes it"
    side = "host" if crossing.to_host else "device"
    readers: dict[str, None] = {}
    for node, place in crossing.readers:
        argument = crossing.to_host and node in assignment.device
        readers[f"{_named(node)} as its input {place}" if argument else _named(node)] = None
    shown = list(readers)[:_SHOWN]
    more = f" and {len(readers) - _SHOWN} more" if len(readers) > _SHOWN else ""
    return f"{maker}; read on the {side} by {', '.join(shown)}{more}"


#: Readers of a value that are named.
_SHOWN = 3


def _named(node: NodeView) -> str:
    return str(node.proto.name or node.op)
