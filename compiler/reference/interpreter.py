"""Evaluates regions node by node: values, extents and lengths of dims, composites by their bodies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from compiler.analysis.extents import derived_extent
from compiler.reference import control, elementwise, indexing, linalg, reduce, shape, state
from compiler.reference.named import Named, align
from compiler.reference.registry import RULES, Session
from returnn_ir.errors import DataError, IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dim_values import DimAlgebra, evaluate
from returnn_ir.ir.dims import UNIT, Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.types import numpy_dtype

__all__ = ["FAMILIES", "Bodies", "Environment"]

#: Importing these fills the registry.
FAMILIES = (elementwise, shape, reduce, linalg, indexing, state, control)

_INTEGERS: DimAlgebra[int] = DimAlgebra(
    constant=lambda n: n,
    add=lambda a, b: a + b,
    mul=lambda a, b: a * b,
    floordiv=lambda a, n: a // n,
    clip_at_zero=lambda a: max(a, 0),
)


def _named(function: Any, a: Named, b: Named) -> Named:
    (x, y), dims = align(a, b)
    return Named(function(x, y), dims)


_LENGTHS: DimAlgebra[Named] = DimAlgebra(
    constant=lambda n: Named(np.asarray(n, np.int64)),
    add=lambda a, b: _named(np.add, a, b),
    mul=lambda a, b: _named(np.multiply, a, b),
    floordiv=lambda a, n: Named(a.array // n, a.dims),
    clip_at_zero=lambda a: Named(np.maximum(a.array, 0), a.dims),
)


def _longest(lengths: Named) -> int:
    return int(lengths.array.max()) if lengths.array.size else 0


class Bodies:
    """The bodies of composites, each built once per node in a region of its own beside the node's."""

    def __init__(self) -> None:
        self._built: dict[Node, Region] = {}

    def of(self, node: Node, region: Region) -> Region:
        """The body of a node that stands in ``region``; its params are the operands."""
        if node not in self._built:
            if node.op.body is None:
                raise IRError(f"op {node.op.name!r} has neither a function here nor a body")
            body = Region(params=[Value(v.type) for v in node.operands], parent=region)
            positional = any(UNIT in v.dims for v in node.operands)
            builder = Builder(body, positional=positional, origin=node.origin)
            body.results = node.op.body(builder, body.params, node.attrs)
            self._built[node] = body
        return self._built[node]


class Environment:
    """One execution of a region.

    Attributes:
        loop_index: the running indices of the loops around, the outermost first.
        values: what has been computed in this region so far.
    """

    def __init__(
        self,
        region: Region,
        session: Session,
        bodies: Bodies,
        parent: Environment | None = None,
        loop_index: tuple[int, ...] = (),
    ) -> None:
        self.region = region
        self.session = session
        self.loop_index = loop_index
        self.values: dict[Value, Named] = {}
        self._bodies = bodies
        self._parent = parent
        self._extents: dict[Dim, int] = {}
        self._remembered: dict[Node, list[Named]] = {}

    # ---------------------------------------------------------------- running

    def execute(self, arguments: Sequence[Named] = ()) -> list[Named]:
        """Compute every node; the results of the region."""
        for value, argument in zip(self.region.params, arguments, strict=True):
            self.bind(value, argument)
        for node in self.region.nodes:
            self._compute(node)
        return [self.value(v) for v in self.region.results]

    def run(self, region: Region, arguments: Sequence[Named], loop_index: int | None = None) -> list[Named]:
        """The results of a nested region, for one step of a loop where ``loop_index`` tells which."""
        indices = self.loop_index if loop_index is None else (*self.loop_index, loop_index)
        return Environment(region, self.session, self._bodies, self, indices).execute(arguments)

    def remembered(self, node: Node, value: Named) -> list[Named]:
        """See ``Context``: the environment around the loop remembers, because each step has one of its own."""
        if self._parent is None:
            raise IRError(f"{node.op.name} stands in no loop")
        values = self._parent._remembered.setdefault(node, [])
        values.append(value)
        return values

    def _compute(self, node: Node) -> None:
        operands = [self.value(v) for v in node.operands]
        rule = RULES.get(node.op.name)
        if rule is None:
            inner = Environment(self._bodies.of(node, self.region), self.session, self._bodies, self, self.loop_index)
            results = inner.execute(operands)
        else:
            computed = rule(self, node, operands)
            results = [computed] if isinstance(computed, Named) else computed
        for value, result in zip(node.results, results, strict=True):
            self.bind(value, result)

    def bind(self, value: Value, result: Named) -> None:
        """Store a value in the axis order and element type that its type declares."""
        arranged = result.to(value.dims)
        array = np.asarray(arranged.array).astype(numpy_dtype(value.dtype), copy=False)
        for dim, extent in zip(value.dims, array.shape, strict=True):
            self._note_extent(dim, extent, value)
        self.values[value] = Named(array, arranged.dims)

    def value(self, value: Value) -> Named:
        """A value of this region or of one around it."""
        env: Environment | None = self
        while env is not None:
            if value in env.values:
                return env.values[value]
            env = env._parent
        raise IRError(f"a value of type {value.type} is used before it is computed")

    # ---------------------------------------------------------------- dims

    def _note_extent(self, dim: Dim, extent: int, value: Value) -> None:
        known = self._known_extent(dim)
        if known is None:
            self._extents[dim] = extent
        elif known != extent and not self.region.redefines(dim):  # what a step leaves is longer than what it found
            where = value.node.origin if value.node is not None else None
            raise DataError(f"axis {dim.name} has two sizes in memory", where=where, expected=known, received=extent)

    def _known_extent(self, dim: Dim) -> int | None:
        if dim.size is not None:
            return dim.size
        env: Environment | None = self
        while env is not None:
            if dim in env._extents:
                return env._extents[dim]
            env = None if env.region.redefines(dim) else env._parent
        return None

    def extent(self, dim: Dim) -> int:
        """The size in memory: of the first array that has the axis, else from lengths and the dims it derives from."""
        known = self._known_extent(dim)
        if known is not None:
            return known
        if dim.expr is None:
            return _longest(self._leaf_length(dim))
        return derived_extent(dim, _INTEGERS, self.extent, lambda d: _longest(self.length(d)))

    def length(self, dim: Dim) -> Named:
        """The lengths of a dim, int64; a scalar where they do not vary."""
        if not dim.is_dynamic:
            return Named(np.asarray(self.extent(dim), np.int64))
        found = evaluate(dim, _LENGTHS, self._leaf_length)
        return Named(np.asarray(found.array, np.int64), found.dims)

    def _leaf_length(self, dim: Dim) -> Named:
        value = self.region.lookup(dim)
        if value is None:
            raise IRError(f"dim {dim} has no lengths here")
        return self.value(value)

    def ragged(self, dim: Dim) -> bool:
        """Whether the lengths of a dynamic dim have dims of their own."""
        return self.region.is_ragged(dim)

    def mask(self, dim: Dim) -> Named:
        """True on the valid frames: the dims of the lengths, then ``dim``."""
        lengths = self.length(dim)
        frames = np.arange(self.extent(dim))
        return Named(frames < lengths.array[..., None], (*lengths.dims, dim))
