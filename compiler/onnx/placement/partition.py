"""Which nodes of a graph onnxruntime gives to the CUDA provider, after its rules.

A node with a kernel goes there, unless all that it reads is in the host's memory: the values that such kernels as
``Shape`` leave there, what nodes on the host make of them, small constants, and inputs of the graph. So
arithmetic on shapes stays where its result is needed. Half precision is no shape: such a node goes to the device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from compiler.onnx.placement.graph import GraphView, NodeView
from compiler.onnx.placement.kernels import Kernel, KernelTable, Missing
from compiler.onnx.placement.refusals import refusal

__all__ = ["Assignment", "partition"]

#: Constants up to this many entries count as small.
_SMALL = 100
_HALF = frozenset({"float16", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz"})


@dataclass(eq=False)
class Assignment:
    """Who runs the nodes of one graph.

    Attributes:
        device: the kernel of each node on the device.
        missing: why a node that is on the host has no kernel on the device.
        at_host: values in the host's memory that the shape arithmetic starts from and goes through.
    """

    graph: GraphView
    device: dict[NodeView, Kernel] = field(default_factory=dict)
    missing: dict[NodeView, Missing] = field(default_factory=dict)
    at_host: set[str] = field(default_factory=set)


def partition(graph: GraphView, table: KernelTable) -> Assignment:
    """Assign the nodes of one graph; those of bodies inside of it are assigned for themselves."""
    made = Assignment(graph)
    for node in graph.nodes:
        kernel = table.find(node.proto.domain, node.op, node.since, node.arguments)
        refused = refusal(node) if isinstance(kernel, Kernel) else None
        if isinstance(kernel, Missing):
            made.missing[node] = kernel
        elif refused is not None:
            made.missing[node] = Missing(refused)
        else:
            made.device[node] = kernel
    for node in _on_host(made):
        del made.device[node]
    return made


def _on_host(made: Assignment) -> list[NodeView]:
    """The nodes with kernels that stay on the host. A value from outside of a body counts as one of the device."""
    chosen = []
    for node, kernel in made.device.items():
        made.at_host.update(name for place, name in node.makes() if place in kernel.host_outputs)
    for node in made.graph.nodes:
        if not any(name in made.at_host for _, name in node.reads()):
            continue
        if node in made.device and not _reads_host_only(node, made):
            continue
        if node in made.device:
            chosen.append(node)
        made.at_host.update(name for _, name in node.makes())
    return chosen


def _reads_host_only(node: NodeView, made: Assignment) -> bool:
    return all(held for held in _host_reads(node, made))


def _host_reads(node: NodeView, made: Assignment) -> Iterator[bool]:
    graph, kernel = made.graph, made.device[node]
    for place, name in node.reads():
        size = graph.initializer_size(name)
        if graph.type_of(name) in _HALF:
            yield False
        elif (size is not None and size <= _SMALL) or name in graph.inputs:
            yield True
        else:
            yield name in made.at_host and place not in kernel.host_inputs
