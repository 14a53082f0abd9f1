"""Where onnxruntime puts a Memcpy node: one for every value of a graph that both sides of the border need.

A node on the device may have inputs and outputs in the host's memory, which are on the host's side. An input of a graph,
and what a body reads from outside, is copied only if both sides read it in this graph: else it comes to the right side by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from compiler.onnx.placement.graph import NodeView
from compiler.onnx.placement.partition import Assignment

__all__ = ["Crossing", "crossings"]


@dataclass(eq=False)
class Crossing:
    """A Memcpy node.

    Attributes:
        maker: the node that makes the value; None for an input, an initializer, or a value from outside.
        readers: who reads it on the other side, with the place among its inputs.
    """

    value: str
    to_host: bool
    maker: NodeView | None
    readers: list[tuple[NodeView, int]] = field(default_factory=list)


@dataclass(eq=False)
class _Side:
    """What is read and made on one side of the border."""

    read: dict[str, list[tuple[NodeView, int]]] = field(default_factory=dict)
    made: dict[str, NodeView] = field(default_factory=dict)


def crossings(assignment: Assignment, around: Iterable[str]) -> Iterator[Crossing]:
    """The Memcpy nodes of one graph.

    Args:
        around: what the node whose body it is reads for its bodies.
    """
    host, device = _Side(), _Side()
    for node in assignment.graph.nodes:
        kernel = assignment.device.get(node)
        for place, name in node.reads():
            side = host if kernel is None or place in kernel.host_inputs else device
            side.read.setdefault(name, []).append((node, place))
        for place, name in node.makes():
            side = host if kernel is None or place in kernel.host_outputs else device
            side.made[name] = node
    for name, maker in host.made.items():
        if name in device.read:
            yield Crossing(name, False, maker, device.read[name])
    for name, maker in device.made.items():
        if name in host.read:
            yield Crossing(name, True, maker, host.read[name])
    for name in sorted({*assignment.graph.inputs, *around}):
        if name in device.read and name in host.read:
            yield Crossing(name, False, None, device.read[name])
