"""The loop over a dim, step by step, and the choice between two branches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.reference.named import Named, align
from compiler.reference.registry import Context, rule
from compiler.target.protocol import Array
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node
from returnn_ir.ir.loop import LoopLayout, loop_params, loop_results
from returnn_ir.ir.types import TensorType

__all__: list[str] = []


@rule("loop")
def _loop(context: Context, node: Node, operands: Sequence[Named]) -> list[Named]:
    """A carry goes on behind a sequence's end; what is returned of it is kept from the sequence's own last step.

    A carry without the dims of the lengths has one value for all sequences, its last one.
    """
    layout = LoopLayout.of(node.attrs)
    carries, whole, limit = layout.split_operands(operands)
    if limit is not None:
        return _loop_until(context, node, carries, int(limit.array))
    dim, final = layout.dim, carries
    scanned = [x.first(dim) for x in whole]
    steps, lengths = context.extent(dim), context.length(dim)
    stacks: list[list[Named]] = [[] for _ in layout.stacked]
    for i in range(steps):
        index = Named(np.asarray(i, np.int64))
        slices = [Named(x.array[i], x.dims[1:]) for x in scanned]
        results = context.run(node.regions[0], loop_params(index, carries, slices), i)
        carries, made, _ = layout.split_results(results)
        final = [_own_last(i, lengths, new, old) for new, old in zip(carries, final, strict=True)]
        for stack, value in zip(stacks, made, strict=True):
            stack.append(value)
    return loop_results(final, [_stack(context, dim, t, s) for t, s in zip(layout.stacked, stacks, strict=True)])


def _loop_until(context: Context, node: Node, initial: list[Named], limit: int) -> list[Named]:
    """How many steps there are comes out: at most the limit."""
    layout, carries = LoopLayout.of(node.attrs), initial
    stacks: list[list[Named]] = [[] for _ in layout.stacked]
    steps, done = 0, False
    while steps < limit and not done:
        given = loop_params(Named(np.asarray(steps, np.int64)), carries, [])
        carries, made, last = layout.split_results(context.run(node.regions[0], given, steps))
        steps, done = steps + 1, last is not None and bool(last.array)
        for stack, value in zip(stacks, made, strict=True):
            stack.append(value)
    stacked = [_stack(context, layout.dim, t, s) for t, s in zip(layout.stacked, stacks, strict=True)]
    grows = node.regions[0].redefines
    finals = [old if any(map(grows, old.dims)) else new for old, new in zip(initial, carries, strict=True)]
    return loop_results(finals, stacked, Named(np.asarray(steps, np.int64)))


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
