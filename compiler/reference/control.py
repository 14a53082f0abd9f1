"""The loop over a dim, step by step, and the choice between two branches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.reference.named import Named, align
from compiler.reference.registry import Context, rule
from compiler.target.protocol import Array
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node
from returnn_ir.ir.types import TensorType

__all__: list[str] = []


@rule("loop")
def _loop(context: Context, node: Node, operands: Sequence[Named]) -> list[Named]:
    """A carry goes on behind a sequence's end; what is returned of it is kept from the sequence's own last step.

    A carry without the dims of the lengths has one value for all sequences, its last one.
    """
    if node.attrs["ends"]:
        return _loop_until(context, node, operands)
    dim, count = node.attrs["dim"], node.attrs["carries"]
    carries, final = list(operands[:count]), list(operands[:count])
    scanned = [x.first(dim) for x in operands[count:]]
    steps, lengths = context.extent(dim), context.length(dim)
    stacks: list[list[Named]] = [[] for _ in node.attrs["stacked"]]
    for i in range(steps):
        index = Named(np.asarray(i, np.int64))
        slices = [Named(x.array[i], x.dims[1:]) for x in scanned]
        results = context.run(node.regions[0], [index, *carries, *slices], i)
        carries = results[:count]
        final = [_own_last(i, lengths, new, old) for new, old in zip(carries, final, strict=True)]
        for stack, value in zip(stacks, results[count:], strict=True):
            stack.append(value)
    return final + [_stack(context, dim, t, s) for t, s in zip(node.attrs["stacked"], stacks, strict=True)]


def _loop_until(context: Context, node: Node, operands: Sequence[Named]) -> list[Named]:
    """How many steps there are comes out: at most the limit, the last operand."""
    *carries, limit = operands
    stacks: list[list[Named]] = [[] for _ in node.attrs["stacked"]]
    steps, done = 0, False
    while steps < int(limit.array) and not done:
        *results, last = context.run(node.regions[0], [Named(np.asarray(steps, np.int64)), *carries], steps)
        steps, done = steps + 1, bool(last.array)
        carries = results[: len(carries)]
        for stack, value in zip(stacks, results[len(carries) :], strict=True):
            stack.append(value)
    stacked = [_stack(context, node.attrs["dim"], t, s) for t, s in zip(node.attrs["stacked"], stacks, strict=True)]
    return [*carries, *stacked, Named(np.asarray(steps, np.int64))]


def _own_last(step: int, lengths: Named, new: Named, old: Named) -> Named:
    if not set(lengths.dims) <= set(new.dims):
        return new
    (running, n, o), dims = align(Named(np.asarray(step < lengths.array), lengths.dims), new, old)
    return Named(np.where(running, n, o), dims)


def _stack(context: Context, dim: Dim, type_: TensorType, values: Sequence[Named]) -> Named:
    """Axes that grow inside of the loop (a dim of the step's own) are filled up with zeros to the largest extent."""
    if not values:
        return Named(np.zeros((0, *(context.extent(d) for d in type_.dims)), type_.dtype), (dim, *type_.dims))
    arrays = [v.to(type_.dims).array for v in values]
    if not type_.dims:
        return Named(np.stack(arrays), (dim,))
    shape = tuple(max(sizes) for sizes in zip(*(a.shape for a in arrays), strict=True))
    return Named(np.stack([_filled_up(a, shape) for a in arrays]), (dim, *type_.dims))


def _filled_up(array: Array, shape: tuple[int, ...]) -> Array:
    return np.pad(array, [(0, want - have) for have, want in zip(array.shape, shape, strict=True)])


@rule("history")
def _history(context: Context, node: Node, operands: Sequence[Named]) -> Named:
    type_ = node.operands[0].type
    return _stack(context, node.attrs["dim"], type_, context.remembered(node, operands[0]))


@rule("cond")
def _cond(context: Context, node: Node, operands: Sequence[Named]) -> list[Named]:
    return context.run(node.regions[0 if operands[0].array else 1], [])
