"""Whether an axis that is given another length is only cut: nothing then has to be put behind it."""

from __future__ import annotations

from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopView
from returnn_ir.ir.op import Trait

__all__ = ["is_cut"]


def is_cut(dim: Dim, out: Dim, region: Region) -> bool:
    """Whether the longest sequence along ``out`` is known to be no longer than the axis ``dim``.

    So it is where the lengths are some of those of ``dim``, and where they count the steps of the loop that ``dim`` is.
    """
    steps, length = region.lookup(dim), region.lookup(out)
    if dim.expr is not None or out.expr is not None or steps is None or length is None:
        return False
    source = _moved(length)
    if source is steps:
        return True
    node = source.node
    if node is None:
        return False
    if node.op.name == "length":
        return node.attrs["dim"] is dim
    return node is steps.node and node.op.name == "loop" and _counts(LoopView.of(node), source)


def _moved(value: Value) -> Value:
    """What the entries of a value are entries of."""
    node = value.node
    while node is not None and len(node.results) == 1 and node.op.has(Trait.MOVES):  # zeros beside them are no longer
        value = node.operands[0]
        node = value.node
    return value


def _counts(loop: LoopView, result: Value) -> bool:
    """Whether a final carry starts with nothing and gets at most one more in each step."""
    for carry in loop.carries:
        if carry.result is result:
            start = _moved(carry.initial).node
            return start is not None and _is_at_most(start, 0) and _adds_one(carry.next, carry.param)
    return False


def _adds_one(value: Value, before: Value) -> bool:
    value = _moved(value)
    node = value.node
    if value is before:
        return True
    if node is None:
        return False
    if node.op.name == "where":
        return all(_adds_one(v, before) for v in node.operands[1:])
    if node.op.name != "add":
        return False
    one, other = node.operands
    return any(_moved(x) is before and _is_one(y) for x, y in ((one, other), (other, one)))


def _is_one(value: Value) -> bool:
    node = _moved(value).node
    if node is not None and node.op.name == "where":
        return all(_is_one(v) for v in node.operands[1:])
    return node is not None and (_is_at_most(node, 1) or (node.op.name == "cast" and node.operands[0].dtype == "bool"))


def _is_at_most(node: Node, number: int) -> bool:
    return node.op.name == "const" and not node.result.dims and bool(node.attrs["value"] <= number)
