"""Sequences over another axis than their loop's: what is made of them alone has their axis where it leaves the loop.

RETURNN computes it outside of the loop, on the whole sequence. What is computed step by step reads as many frames as
the loop has steps: the sequence must be as long as the loop.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from returnn_ir.construct.loop_context import LoopContext
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["other_axis_of", "require_length"]


def other_axis_of(loop: LoopContext, value: Value) -> Dim | None:
    """The axis of the sequences that a value of the body is made of, if that is another one than the loop's."""
    others: set[Dim] = set()
    for param in _reached(loop, [value]):
        if param in loop.others:
            others.add(loop.others[param])
        elif param is loop.builder.index or loop.builder.sequence_of(param) is not None:
            return None
    return others.pop() if len(others) == 1 else None


def require_length(b: LayerBuilder, loop: LoopContext, values: Iterable[Value]) -> None:
    """Check, when the program runs, that sequences over other axes have a frame for each step that reads one."""
    dim, graph = loop.builder.dim, b.program.graph
    if b.region is not b.program.root:
        return
    for other in dict.fromkeys(loop.others[param] for param in _reached(loop, values) if param in loop.others):
        message = (
            f"{b.place()}: a sequence that the loop reads is shorter than the loop: dims {other.name} and {dim.name}"
        )
        if message not in dict(graph.checks):
            graph.checks.append((message, b.binary("greater_equal", b.extent(other), b.extent(dim))))


def _reached(loop: LoopContext, values: Iterable[Value]) -> list[Value]:
    """The params of the body that values are computed of, in this step or in earlier ones."""
    following = {carry.value: carry.following for carry in loop.builder.carries.values()}
    inside = set(loop.builder.region.nodes)
    seen = dict.fromkeys(values)
    pending = list(seen)
    while pending:
        value = pending.pop()
        node = value.node
        needed: list[Value | None] = [following.get(value)]
        if node is not None and node in inside:
            needed = [*node.deps(loop.builder.region.dim_defs)]
        for other in needed:
            if other is not None and other not in seen:
                seen[other] = None
                pending.append(other)
    return [value for value in seen if value.node is None]
