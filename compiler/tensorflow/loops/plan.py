"""What the gradient of a loop keeps of each step, and what it leaves for behind the loop: found in the body's IR.

A matrix from outside gets its gradient as one product over all steps, a bias as one sum. For that the gradients of what
they made are kept, which often are those of a later sum: ``x + h * W + c * V + bias`` has one, for all of these. Where
a sum is made of products its value is kept, too, and no step makes a product a second time.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import tensorflow as tf

from compiler.tensorflow.align import permute
from compiler.tensorflow.environment import Environment
from compiler.tensorflow.gather import clipped
from compiler.tensorflow.sizes import Size, reshape
from returnn_ir.ir.dims import UNIT, Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopView
from returnn_ir.ir.types import TensorType, is_float

__all__ = ["Gradient", "Plan", "Source", "has_gradient"]

#: A gradient, all of it or as rows.
Gradient: TypeAlias = "tf.Tensor | tf.IndexedSlices"


@dataclass(frozen=True)
class Product:
    """A product of each step whose second factor comes from outside of the loop.

    Attributes:
        error: the value whose gradient is that of the node's result.
    """

    node: Node
    error: Value
    by_rows: ClassVar[bool] = False

    @property
    def first(self) -> Value | None:
        """The factor that changes from step to step."""
        return self.node.operand("a")

    def gradient(self, env: Environment, count: Size, first: tf.Tensor, upstream: tf.Tensor) -> Gradient:
        """The gradient of the matrix.

        Args:
            count: the number of steps.
            first: first factors of all steps, [step, shared, own, reduced].
            upstream: gradients of the products, [step, shared, own, of the matrix].
        """
        a, matrix = self.node.operands
        shared = [d for d in matrix.dims if d in a.dims and d not in self.node.attrs["reduce"]]
        reduced = len(self.node.attrs["reduce"])
        rows = _with_steps_as_rows(env, count, first, a.dims, len(shared), reduced)
        own = len(matrix.dims) - len(shared) - reduced
        errors = _with_steps_as_rows(env, count, upstream, self.node.result.dims, len(shared), own)
        return reshape(tf.matmul(rows, errors, transpose_a=True), env.shape(matrix.dims))


@dataclass(frozen=True)
class Lookup:
    """A look-up of each step in the first axis of a table that comes from outside of the loop."""

    node: Node
    error: Value
    by_rows: ClassVar[bool] = True

    @property
    def first(self) -> Value | None:
        """The indices, which change from step to step."""
        return self.node.operand("indices")

    def gradient(self, env: Environment, count: Size, first: tf.Tensor, upstream: tf.Tensor) -> Gradient:
        """The gradient of the table, as rows.

        Args:
            first: indices of all steps, [step, *indices].
            upstream: gradients of what was found, [step, *indices, *row].
        """
        shape = [d.size or 0 for d in self.node.operand("values").dims]
        indices = clipped(tf.reshape(first, [-1]), shape[0])
        rows = tf.reshape(upstream, [-1, *shape[1:]])
        # TensorFlow's own gradient of a loop begins with an empty row 0: to optimizers, each step uses that row
        none = tf.zeros_like(rows[:1])
        padded = tf.concat([tf.zeros([1], indices.dtype), indices], 0)
        return tf.IndexedSlices(tf.concat([none, rows], 0), padded, tf.constant(shape))


@dataclass(frozen=True)
class Summand:
    """A value from outside of the loop that each step adds to one of its own."""

    node: Node
    error: Value
    value: Value
    by_rows: ClassVar[bool] = False
    first: ClassVar[Value | None] = None

    def gradient(self, env: Environment, count: Size, first: None, upstream: tf.Tensor) -> Gradient:
        """The gradient of the summand from those of the sums [step, *sum]."""
        own, dims = self.value.dims, self.node.result.dims
        missing = len(dims) - len(own)
        repeated = [k for k, d in enumerate(own) if d is UNIT and dims[missing + k] is not UNIT]
        low = upstream.dtype.size == 2
        if not low and not repeated and len(own) == 1:
            # as a product, which is twice as fast as TensorFlow's sum over the first axis
            rows = tf.reshape(upstream, [-1, upstream.shape[-1] or env.extent(dims[-1])])
            return tf.reshape(tf.matmul(tf.ones_like(rows[:, :1]), rows, transpose_a=True), [-1])
        # in 16 bits, a sum of many would stop where one of them is less than half of its last place
        total = tf.reduce_sum(tf.cast(upstream, tf.float32) if low else upstream, axis=list(range(missing + 1)))
        total = tf.reduce_sum(total, axis=repeated, keepdims=True) if repeated else total
        return tf.cast(total, upstream.dtype)


#: How a step uses a value from outside that gets its gradient behind the loop.
Use: TypeAlias = "Product | Lookup | Summand"


def _with_steps_as_rows(
    env: Environment, count: Size, x: tf.Tensor, dims: Sequence[Dim], shared: int, columns: int
) -> tf.Tensor:
    """From [step, *dims] to [shared, step and the rest, columns]: the last axes as one, those between as rows."""
    moved = permute(x, [*range(1, shared + 1), 0, *range(shared + 1, len(dims) + 1)])
    shape, split = env.shape, len(dims) - columns
    return reshape(moved, [*shape(dims[:shared]), [count, *shape(dims[shared:split])], shape(dims[split:])])


def has_gradient(typed: Value | TensorType) -> bool:
    """Whether there can be a gradient of it."""
    return is_float(typed.dtype) or typed.dtype.startswith("complex")


@dataclass(frozen=True)
class Source:
    """Where the values of all steps are.

    Attributes:
        kind: kept of a ``carry`` or of another value (``kept``), scanned (``slice``), stacked (``stack``), or nowhere,
            so that each ``step`` of the gradient gives its own.
        number: of the carry, the slice or the stack.
        value: the value of the body.
    """

    kind: Literal["carry", "kept", "slice", "stack", "step"]
    number: int
    value: Value


@dataclass(frozen=True)
class Plan:
    """How the gradient of a loop is computed.

    Attributes:
        summed: captured values whose gradient is a sum that each step adds to.
        uses: those of the other captured values.
        errors: values of the body whose gradients of all steps are kept.
        kept: those of them whose own values are kept for the steps that are computed again.
        sources: by first factor, where those of all steps are.
        sliced: by number of a slice, the error that is its gradient.
        level: how many kept values there are on the way to a value of the body.
    """

    summed: tuple[Value, ...]
    uses: dict[Value, tuple[Use, ...]]
    errors: tuple[Value, ...]
    kept: tuple[Value, ...]
    sources: dict[Value, Source]
    sliced: dict[int, Value]
    level: dict[Value, int]

    @classmethod
    def of(cls, view: LoopView) -> Plan:
        """Of a loop whose steps can be computed again."""
        body = _Body(view.region)
        captured = [v for v in view.captured() if has_gradient(v) and not _is_constant(v)]
        uses = {value: found for value in captured if (found := body.uses(value, captured)) is not None}
        errors = dict.fromkeys(use.error for found in uses.values() for use in found)
        products = {use.error for found in uses.values() for use in found if isinstance(use, Product)}
        kept = tuple(value for value in errors if value in products and body.is_read(value))
        firsts = dict.fromkeys(use.first for found in uses.values() for use in found)
        sources = {first: _source(view, first, kept) for first in firsts if first is not None}
        roots = {k: body.same_gradient(part.param) for k, part in enumerate(view.slices) if has_gradient(part.param)}
        sliced = {k: root for k, root in roots.items() if root in errors}
        summed = tuple(v for v in captured if v not in uses)
        return cls(summed, uses, tuple(errors), kept, sources, sliced, body.levels(kept))

    @property
    def pushed(self) -> list[Value]:
        """First factors that nothing but the step itself has."""
        return [source.value for source in dict.fromkeys(self.sources.values()) if source.kind == "step"]

    @property
    def top(self) -> int:
        """The highest level of anything that a step yields."""
        return max(self.level.values(), default=0) + 1

    def crossing(self, region: Region) -> list[list[Value]]:
        """By level, the values that nodes of the body made on lower ones, and that a node of this one reads."""
        found: list[dict[Value, None]] = [{} for _ in range(self.top + 1)]
        made = {value for node in region.nodes for value in node.results if has_gradient(value)}
        for node in region.nodes:
            level = self.level[node.results[0]] if node.results else 0
            found[level].update(dict.fromkeys(v for v in _reads(node) if v in made and self.level[v] < level))
        for value in self.kept:
            found[self.level[value] + 1].setdefault(value)  # which may be yielded, too
        return [list(values) for values in found]


class _Body:
    """Who reads what in a loop's body."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._own = set(region.nodes)
        self._readers: dict[Value, list[Node]] = {}
        for node in region.walk():
            for value in dict.fromkeys(node.operands):
                self._readers.setdefault(value, []).append(node)
        self._yielded = set(region.results) | set(region.dim_defs.values())

    def is_read(self, value: Value) -> bool:
        """Whether any node reads it."""
        return value in self._readers

    def uses(self, value: Value, captured: Container[Value]) -> tuple[Use, ...] | None:
        """The uses of a captured value, if it can get its gradient behind the loop and that takes little to keep."""
        nodes = self._readers.get(value, [])
        if not nodes or value in self._yielded or not all(node in self._own for node in nodes):
            return None
        found = [self._use(node, value, captured) for node in nodes]
        uses = tuple(use for use in found if use is not None)
        alike = len({use.by_rows for use in uses}) == 1
        return uses if alike and len(uses) == len(nodes) else None

    def _use(self, node: Node, value: Value, captured: Container[Value]) -> Use | None:
        error = self.same_gradient(node.results[0])
        if _is_product(node, value, captured):
            return Product(node, error)
        if _is_lookup(node, value, captured):
            return Lookup(node, error)
        if node.op.name == "add" and node.operands.count(value) == 1 and _is_small(node.result.dims):
            return Summand(node, error, value)
        return None

    def same_gradient(self, value: Value) -> Value:
        """The last value of a chain of sums and renamings, which alone read each other: they have one gradient."""
        while value not in self._yielded and len(readers := self._readers.get(value, [])) == 1:
            (node,) = readers
            same = node.op.name == "rename" or (node.op.name == "add" and value.dims == node.result.dims)
            if not same or node not in self._own or node.operands.count(value) != 1:
                break
            value = node.result
        return value

    def levels(self, kept: Container[Value]) -> dict[Value, int]:
        """For every value of the body how many kept ones there are on the way to it, at most."""
        level = dict.fromkeys(self._region.params, 0)
        for node in self._region.nodes:
            below = [level[v] + (v in kept) for v in _reads(node) if v in level]
            level.update(dict.fromkeys(node.results, max(below, default=0)))
        return level


def _source(view: LoopView, first: Value, kept: Sequence[Value]) -> Source:
    """Of a value of the body, or of what it is another name of."""
    names = [first]
    while (node := names[-1].node) is not None and node.op.name == "rename":
        names.append(node.operand("x"))
    carries, slices = [c.param for c in view.carries], [part.param for part in view.slices]
    types = view.layout.stacked
    stacked = [s.inner if s.inner.dims == t.dims else None for s, t in zip(view.stacked, types, strict=True)]
    for value in names:
        if value in carries:
            return Source("carry", carries.index(value), value)
        if value in slices:
            return Source("slice", slices.index(value), value)
        if value in stacked:
            return Source("stack", stacked.index(value), value)
        if value in kept:
            return Source("kept", kept.index(value), value)
    return Source("step", 0, first)


def _reads(node: Node) -> list[Value]:
    """What a node reads, in its regions too."""
    inner = [value for region in node.regions for other in region.walk() for value in other.operands]
    yielded = [value for region in node.regions for value in region.results]
    return [*node.operands, *inner, *yielded]


def _is_constant(value: Value) -> bool:
    node = value.node
    return (
        node is not None
        and not node.regions
        and (node.op.name == "const" or (bool(node.operands) and all(map(_is_constant, node.operands))))
    )


def _is_small(dims: Sequence[Dim], known: Container[Dim] = ()) -> bool:
    """Whether a value takes little to keep for all steps. One over all frames of a sequence, an energy, does not."""
    return all(d.size is not None or d.is_batch or d in known for d in dims)


def _is_lookup(node: Node, table: Value, captured: Container[Value]) -> bool:
    if node.op.name != "gather" or node.operand("values") is not table or node.attrs["dim"] is not table.dims[0]:
        return False
    indices = node.operand("indices")
    static = all(d.size is not None for d in table.dims)
    small = _is_small(indices.dims)
    return static and small and indices not in captured and node.result.dims == (*indices.dims, *table.dims[1:])


def _is_product(node: Node, matrix: Value, captured: Container[Value]) -> bool:
    if node.op.name != "dot" or not node.attrs["reduce"]:
        return False
    first, second = node.operands
    small = _is_small((*first.dims, *node.result.dims), second.dims)
    return second is matrix and first not in captured and first is not matrix and small
