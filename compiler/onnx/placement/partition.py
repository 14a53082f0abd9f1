"""Which nodes of a graph onnxruntime gives to the CUDA provider, after its rules.

A node with a kernel goes there, unless all that it reads is in the host's memory: the values that such kernels as
``Shape`` leave there, what nodes on the host make of them, small constants, and inputs of the graph. So
arithmetic on shapes stays where its result is needed. Half precision is no shape: such a node goes to the device. But
floating-point data that are an input count as host memory, too: what combines them with a shape is dragged to the host.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from compiler.onnx.placement.graph import GraphView, NodeView, since_version
from compiler.onnx.placement.kernels import Kernel, KernelTable, Missing
from compiler.onnx.placement.refusals import refusal

__all__ = ["Assignment", "partition"]

#: Constants up to this many entries count as small.
_SMALL = 100
_FLOATING = frozenset({"float", "double"})
_HALF = frozenset({"float16", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz"})


@dataclass(eq=False)
class Assignment:
    """Who runs the nodes of one graph.

    Attributes:
        device: the kernel of each node on the device.
        missing: why there is no kernel on the device for a node that would be there with one.
        at_host: values in the host's memory that the shape arithmetic starts from and goes through.
        dragged: nodes among the shape arithmetic that compute with floating-point data, and these data.
    """

    graph: GraphView
    device: dict[NodeView, Kernel] = field(default_factory=dict)
    missing: dict[NodeView, Missing] = field(default_factory=dict)
    at_host: set[str] = field(default_factory=set)
    dragged: dict[NodeView, str] = field(default_factory=dict)


def partition(graph: GraphView, table: KernelTable) -> Assignment:
    """Assign the nodes of one graph; those of bodies inside of it are assigned for themselves."""
    made = Assignment(graph)
    for node in graph.nodes:
        kernel = _kernel(node, table)
        if isinstance(kernel, Missing):
            made.missing[node] = kernel
        else:
            made.device[node] = kernel
    for node in _shape_arithmetic(made):
        made.device.pop(node, None)
        made.missing.pop(node, None)
    data = {name for name in graph.inputs if graph.type_of(name) in _FLOATING}
    for node in graph.nodes:
        read = next((name for _, name in node.reads() if name in data), None)
        if read is not None and node not in made.device and node not in made.missing:
            made.dragged[node] = read
            data.update(name for _, name in node.makes() if graph.type_of(name) in _FLOATING)
    return made


def _kernel(node: NodeView, table: KernelTable) -> Kernel | Missing:
    found = table.find(node.proto.domain, node.op, node.since, node.arguments)
    if isinstance(found, Missing):
        if node.since <= table.oldest_opset:
            return found
        before = since_version(node.proto.domain, node.op, node.since - 1)
        older = table.find(node.proto.domain, node.op, before, node.arguments)
        return Missing(found.reason, node.since - 1) if isinstance(older, Kernel) else found
    refused = refusal(node)
    return found if refused is None else Missing(refused)


def _shape_arithmetic(made: Assignment) -> list[NodeView]:
    """The nodes that stay on the host on purpose. A value from outside of a body counts as one of the device."""
    chosen = []
    for node, kernel in made.device.items():
        made.at_host.update(name for place, name in node.makes() if place in kernel.host_outputs)
    for node in made.graph.nodes:
        if not any(name in made.at_host for _, name in node.reads()):
            continue
        kept = _reads_host_only(node, made)
        if kept:
            chosen.append(node)
        if kept or node in made.missing:
            made.at_host.update(name for _, name in node.makes())
    return chosen


def _reads_host_only(node: NodeView, made: Assignment) -> bool:
    graph, kernel = made.graph, made.device.get(node)
    for place, name in node.reads():
        if graph.type_of(name) in _HALF:
            return False
        size = graph.initializer_size(name)
        if (size is not None and size <= _SMALL) or name in graph.inputs:
            continue
        if name not in made.at_host or (kernel is not None and place in kernel.host_inputs):
            return False
    return True
