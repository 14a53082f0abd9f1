"""Counting the borders between host and device that a model has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from compiler.onnx.placement.causes import copied, on_host
from compiler.onnx.placement.copies import crossings
from compiler.onnx.placement.graph import GraphView, view
from compiler.onnx.placement.kernels import KernelTable, cuda_kernels
from compiler.onnx.placement.optimized import optimized
from compiler.onnx.placement.partition import Assignment, partition
from compiler.onnx.placement.placement import Copy, HostNode, Placement

__all__ = ["count_borders"]


def count_borders(model: Any) -> Placement:
    """Where the nodes of a model run with onnxruntime's CUDA provider, and what is copied.

    It is counted in the model as onnxruntime's basic optimizations leave it, for that is what it partitions; the
    installed onnxruntime does them, on the CPU.

    Args:
        model: an ``onnx.ModelProto``.
    """
    import onnxruntime

    table = cuda_kernels()
    device, host, copies = 0, list[HostNode](), list[Copy]()
    for assignment, around in _assignments(view(optimized(model), table), table, ()):
        held = [node for node in assignment.graph.nodes if node not in assignment.device]
        device += len(assignment.device)
        host += [on_host(node, assignment) for node in held]
        copies += [copied(crossing, assignment) for crossing in crossings(assignment, around)]
    return Placement(table.version, onnxruntime.__version__, device, tuple(host), tuple(copies))


def _assignments(
    graph: GraphView, table: KernelTable, around: Iterable[str]
) -> Iterator[tuple[Assignment, Iterable[str]]]:
    """A graph's and those of all graphs inside; with what the bodies of the node around it read from outside."""
    yield partition(graph, table), around
    for node in graph.nodes:
        for body in node.bodies:
            yield from _assignments(body, table, node.captured)
