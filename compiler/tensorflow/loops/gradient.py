"""The gradient of a loop: its steps in the opposite order, each computed again from the carries before it.

That is reverse-mode differentiation with a checkpoint at every step (Griewank and Walther 2000). Kept are the carries
only, where TensorFlow keeps every intermediate value of every step: an attention energy [batch, time, features], say.
And what a step multiplies with a matrix from outside of the loop gives that matrix its gradient as one product over all
steps behind the loop, instead of a small product and a sum as large as the matrix in each. What it looks up in a table
from outside gives that table the rows of all steps with their indices.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import tensorflow as tf

from compiler.tensorflow.align import permute
from compiler.tensorflow.entering import entering
from compiler.tensorflow.gather import clipped
from compiler.tensorflow.loops.loop import (
    Loop,
    as_list,
    element_shape,
    empty_stack,
    item,
    pop,
    push,
    reserve,
    run,
    stack,
)
from compiler.tensorflow.own_gradient import Backward, own_gradient
from compiler.tensorflow.sizes import reshape
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.op import Trait
from returnn_ir.ir.types import TensorType, is_float

__all__ = ["can_compute_again", "run_with_gradient"]

_Gradient: TypeAlias = "tf.Tensor | None"


def can_compute_again(region: Region) -> bool:
    """Whether a second run of a step does nothing but compute the same values."""
    return not any({Trait.EFFECT, Trait.DERIVATIVE} & node.op.traits for node in region.walk())


def run_with_gradient(loop: Loop, operands: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """The results of the loop's node, with the gradient of this module.

    Args:
        loop: a loop whose steps can be computed again.
        operands: initial carries, then what is scanned.
    """
    captured = [v for v in loop.view.captured() if _has_gradient(v)]
    outer = [loop.call.env.get(value) for value in captured]

    @own_gradient
    def differentiable(*args: tf.Tensor) -> tuple[list[tf.Tensor], Backward]:
        results, tapes = run(loop, args[: len(operands)], tape=True)

        def grad(*upstream: _Gradient) -> list[_Gradient]:
            return _Backward(loop, args[: len(operands)], captured).gradients(tapes, upstream)

        return results, grad

    results: list[tf.Tensor] = differentiable(*operands, *outer)
    return results


def _has_gradient(typed: Value | TensorType) -> bool:
    return is_float(typed.dtype)


@dataclass(frozen=True)
class _Product:
    """A product of each step whose second factor comes from outside of the loop."""

    node: Node

    @property
    def first(self) -> Value:
        """The factor that changes from step to step."""
        return self.node.operand("a")

    @property
    def matrix(self) -> Value:
        """The factor that does not."""
        return self.node.operand("b")

    def gradient(self, loop: Loop, first: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
        """The gradient of the matrix.

        Args:
            loop: whose steps made the product.
            first: first factors of all steps, [step, shared, own, reduced].
            upstream: gradients of the products, [step, shared, own, of the matrix].
        """
        shared = [d for d in self.matrix.dims if d in self.first.dims and d not in self.node.attrs["reduce"]]
        reduced = len(self.node.attrs["reduce"])
        rows = _with_steps_as_rows(loop, first, self.first.dims, len(shared), reduced)
        errors = _with_steps_as_rows(
            loop, upstream, self.node.result.dims, len(shared), len(self.matrix.dims) - len(shared) - reduced
        )
        return reshape(tf.matmul(rows, errors, transpose_a=True), loop.call.env.shape(self.matrix.dims))


@dataclass(frozen=True)
class _Lookup:
    """A look-up of each step in the first axis of a table that comes from outside of the loop."""

    node: Node

    @property
    def first(self) -> Value:
        """The indices, which change from step to step."""
        return self.node.operand("indices")

    @property
    def matrix(self) -> Value:
        """The table."""
        return self.node.operand("values")

    def gradient(self, loop: Loop, first: tf.Tensor, upstream: tf.Tensor) -> tf.IndexedSlices:
        """The gradient of the table, as rows.

        Args:
            first: indices of all steps, [step, *indices].
            upstream: gradients of what was found, [step, *indices, *row].
        """
        shape = [d.size or 0 for d in self.matrix.dims]
        indices = clipped(tf.reshape(first, [-1]), shape[0])
        rows = tf.reshape(upstream, [-1, *shape[1:]])
        # TensorFlow's own gradient of a loop begins with an empty row 0: to optimizers, each step uses that row
        none = tf.zeros_like(rows[:1])
        padded = tf.concat([tf.zeros([1], indices.dtype), indices], 0)
        return tf.IndexedSlices(tf.concat([none, rows], 0), padded, tf.constant(shape))


def _with_steps_as_rows(loop: Loop, x: tf.Tensor, dims: Sequence[Dim], shared: int, columns: int) -> tf.Tensor:
    """From [step, *dims] to [shared, step and the rest, columns]: the last axes as one, those between as rows."""
    moved = permute(x, [*range(1, shared + 1), 0, *range(shared + 1, len(dims) + 1)])
    shape, split = loop.call.env.shape, len(dims) - columns
    return reshape(moved, [*shape(dims[:shared]), [loop.count, *shape(dims[shared:split])], shape(dims[split:])])


def _products(region: Region, captured: Sequence[Value]) -> list[_Product | _Lookup]:
    """Products and look-ups whose matrices are used in no other way, where it takes little to keep both sides."""
    users: dict[Value, list[Node]] = {value: [] for value in captured}
    for node in region.walk():
        for operand in node.operands:
            if operand in users:
                users[operand].append(node)
    own = set(region.nodes)
    found: list[_Product | _Lookup] = []
    for value, nodes in users.items():
        if value in region.results or not all(node in own for node in nodes):
            continue
        if all(_is_product(node, value, users) for node in nodes):
            found += [_Product(node) for node in dict.fromkeys(nodes)]
        elif all(_is_lookup(node, value, users) for node in nodes):
            found += [_Lookup(node) for node in dict.fromkeys(nodes)]
    return found


def _is_lookup(node: Node, table: Value, captured: Container[Value]) -> bool:
    if node.op.name != "gather" or node.operand("values") is not table or node.attrs["dim"] is not table.dims[0]:
        return False
    indices = node.operand("indices")
    static = all(d.size is not None for d in table.dims)
    small = all(d.size is not None or d.is_batch for d in indices.dims)
    return static and small and indices not in captured and node.result.dims == (*indices.dims, *table.dims[1:])


def _is_product(node: Node, matrix: Value, captured: Container[Value]) -> bool:
    if node.op.name != "dot" or not node.attrs["reduce"]:
        return False
    first, second = node.operands
    # A factor with a ragged axis that the matrix lacks (an energy over all frames) is too large to keep for all steps.
    small = all(d.size is not None or d.is_batch or d in second.dims for d in (*first.dims, *node.result.dims))
    return second is matrix and first not in captured and small


class _Backward:
    """The loop in the opposite order."""

    def __init__(self, loop: Loop, operands: Sequence[tf.Tensor], captured: Sequence[Value]) -> None:
        self._loop = loop
        self._captured = captured
        self._products = _products(loop.region, captured)
        matrices = {p.matrix for p in self._products}
        self._summed = [value for value in captured if value not in matrices]
        self._carries = [k for k, t in enumerate(loop.carry_types) if _has_gradient(t)]
        self._scanned = [k for k, t in enumerate(loop.scanned_types) if _has_gradient(t)]
        self._stacked = [k for k, t in enumerate(loop.stacked_types) if _has_gradient(t)]
        _, whole, _ = loop.view.layout.split_operands(operands)
        self._lists = loop.lists(whole)
        # what no gradient gets to: known when the step has been emitted
        self._reached: set[Value | _Product | _Lookup | int] = set()

    def gradients(self, tapes: Sequence[tf.Tensor], upstream: Sequence[_Gradient]) -> list[_Gradient]:
        """Of the operands, then of the captured values; None where the results do not depend on one.

        Args:
            tapes: by carry, its values before each step.
            upstream: gradients of the node's results.
        """
        loop, env = self._loop, self._loop.call.env
        of_finals, of_stacks, _ = loop.view.layout.split_results(upstream)
        after = {k: of_finals[k] for k in self._carries}
        kept = [after[k] for k in loop.kept if k in after]
        running = [tf.zeros_like(d) if k in loop.kept else d for k, d in after.items()]
        made = [as_list(of_stacks[k], loop.view.stacked[k].outer.type) for k in self._stacked]
        types = [loop.scanned_types[k] for k in self._scanned]
        shapes = [element_shape(env, t) for t in types]
        slices = [reserve(t, shape, loop.count) for t, shape in zip(types, shapes, strict=True)]
        sums = [_empty_sum(env.get(value)) for value in self._summed]
        factors = [empty_stack(v.type) for p in self._products for v in (p.first, p.node.result)]
        invariants = [tf.TensorShape([d.size for d in loop.carry_types[k].dims]) for k in self._carries]
        scalar = tf.TensorShape([])
        _, running, kept, _, slices, sums, factors = tf.while_loop(
            lambda i, *_: i > 0,
            lambda i, *state: self._step(i - 1, made, *state),
            (loop.count, running, kept, list(tapes), slices, sums, factors),
            shape_invariants=(
                scalar,
                invariants,
                [s for k, s in zip(self._carries, invariants, strict=True) if k in loop.kept],
                [scalar for _ in tapes],
                [scalar for _ in slices],
                [x.shape for x in sums],
                [scalar for _ in factors],
            ),
        )
        initial = self._initial(running, kept)
        stacks = {
            k: stack(handle, shape, t)
            for k, handle, shape, t in zip(self._scanned, slices, shapes, types, strict=True)
            if k in self._reached
        }
        matrices = self._matrices(sums, factors)
        return [
            *(initial.get(k) for k in range(len(loop.view.carries))),
            *(stacks.get(k) for k in range(len(loop.view.slices))),
            *(matrices.get(value) for value in self._captured),
        ]

    def _step(
        self,
        i: tf.Tensor,
        made: Sequence[tf.Tensor],
        running: list[tf.Tensor],
        kept: list[tf.Tensor],
        tapes: list[tf.Tensor],
        slices: list[tf.Tensor],
        sums: list[tf.Tensor],
        factors: list[tf.Tensor],
    ) -> tuple[tf.Tensor, ...]:
        """Step `i`: gradients of the carries after it become those of the carries before it, and so on."""
        loop, index = self._loop, tf.cast(i, tf.int64)
        popped = [pop(handle, t) for handle, t in zip(tapes, loop.carry_types, strict=True)]
        before = [x for _, x in popped]
        scanned = [item(handle, i, t) for handle, t in zip(self._lists, loop.scanned_types, strict=True)]
        local = {value: entering(loop.call.env.get(value)) for value in self._summed}
        following, stacked, env = loop.step(index, before, scanned, local)
        running, kept = self._joined(index, [entering(d) for d in running], [entering(d) for d in kept])
        upstream = [*running, *(item(h, i, loop.stacked_types[k]) for h, k in zip(made, self._stacked, strict=True))]
        results = [*(following[k] for k in self._carries), *(stacked[k] for k in self._stacked)]
        products = [env.get(p.node.result) for p in self._products]
        carries, parts = [before[k] for k in self._carries], [scanned[k] for k in self._scanned]
        found = iter(tf.gradients(results, [*carries, *parts, *local.values(), *products], upstream))
        running = [_or_zero(next(found), x) for x in carries]
        slices = [self._written(h, i, k, next(found), x) for h, k, x in zip(slices, self._scanned, parts, strict=True)]
        sums = [self._added(total, value, next(found)) for total, value in zip(sums, self._summed, strict=True)]
        pairs = []
        for p, result in zip(self._products, products, strict=True):
            pairs += [env.get(p.first), self._reach(p, next(found), result)]
        return (
            i,
            running,
            kept,
            [rest for rest, _ in popped],
            slices,
            sums,
            [push(handle, x) for handle, x in zip(factors, pairs, strict=True)],
        )

    def _joined(
        self, index: tf.Tensor, running: Sequence[tf.Tensor], kept: Sequence[tf.Tensor]
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """At each sequence's own last step, the gradient of the value that it ends with joins that of the carry."""
        joined, waiting, ended = [], [], iter(kept)
        for k, d in zip(self._carries, running, strict=True):
            if k in self._loop.kept:
                here, last = self._loop.running(index, k), next(ended)
                waiting.append(tf.where(here, tf.zeros_like(last), last))
                d = d + tf.where(here, last, tf.zeros_like(last))
            joined.append(d)
        return joined, waiting

    def _initial(self, running: Sequence[tf.Tensor], kept: Sequence[tf.Tensor]) -> dict[int, tf.Tensor]:
        """Gradients of the initial carries; a sequence without frames ends with these."""
        ended = iter(kept)
        pairs = zip(self._carries, running, strict=True)
        return {k: d + next(ended) if k in self._loop.kept else d for k, d in pairs}

    def _matrices(self, sums: Sequence[tf.Tensor], factors: Sequence[tf.Tensor]) -> dict[Value, tf.Tensor]:
        """Gradients of the captured values that there is one for."""
        pairs = zip(self._summed, sums, strict=True)
        found = {v: tf.cast(total, v.dtype) for v, total in pairs if v in self._reached}
        for p, (first, upstream) in zip(self._products, zip(factors[::2], factors[1::2], strict=True), strict=True):
            if p in self._reached:
                a, dz = (
                    stack(handle, element_shape(self._loop.call.env, v.type), v.type)
                    for handle, v in ((first, p.first), (upstream, p.node.result))
                )
                gradient = p.gradient(self._loop, a, dz)
                found[p.matrix] = _joined(found[p.matrix], gradient) if p.matrix in found else gradient
        return found

    def _reach(self, what: Value | _Product | _Lookup | int, gradient: _Gradient, like: tf.Tensor) -> tf.Tensor:
        if gradient is not None:
            self._reached.add(what)
        return _or_zero(gradient, like)

    def _written(self, handle: tf.Tensor, i: tf.Tensor, k: int, gradient: _Gradient, like: tf.Tensor) -> tf.Tensor:
        x = self._reach(k, gradient, like)
        return tf.raw_ops.TensorListSetItem(input_handle=handle, index=i, item=x)

    def _added(self, total: tf.Tensor, value: Value, gradient: _Gradient) -> tf.Tensor:
        return total if gradient is None else total + tf.cast(self._reach(value, gradient, total), total.dtype)


def _joined(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """The sum of two gradients of a matrix, both dense or both rows."""
    if not isinstance(first, tf.IndexedSlices):
        return first + second
    values = tf.concat([first.values, second.values], 0)
    return tf.IndexedSlices(values, tf.concat([first.indices, second.indices], 0), first.dense_shape)


def _empty_sum(value: tf.Tensor) -> tf.Tensor:
    """What the gradients of all steps are added to: in 16 bits, a step's would be less than half of the last place."""
    return tf.zeros_like(value, tf.float32 if value.dtype.size == 2 else value.dtype)


def _or_zero(gradient: _Gradient, like: tf.Tensor) -> tf.Tensor:
    return tf.zeros_like(like) if gradient is None else tf.convert_to_tensor(gradient)
