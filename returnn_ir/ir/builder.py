"""The builder: emits nodes into a region, infers their types and remembers where they come from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from returnn_ir.errors import ConfigError, IRError, Origin
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import OpenLoop
from returnn_ir.ir.op import OpSpec, Trait, get_op
from returnn_ir.ir.types import TEXT, in_dtype, is_float, is_integer, promote

__all__ = ["MAX_TABLE", "Builder", "Operand"]

#: The most entries of a constant that is computed while a program is built.
MAX_TABLE = 2**28
#: NumPy's kinds of arrays that hold numbers; whole numbers above 64 bits are objects.
_NUMBERS = "biufcO"
#: Ops that do not look at the entries, and Python code.
_TAKES_TEXT = frozenset({Trait.MOVES, Trait.JOINS, Trait.EFFECT})

Operand = Value | int | float | bool


class Builder:
    """Appends nodes to ``region``; every shape rule is the op's own ``infer``.

    Attributes:
        positional: the TARGET stage, where the order of dims is the order in memory.
    """

    def __init__(self, region: Region, *, positional: bool = False, origin: Origin | None = None) -> None:
        self.region = region
        self.positional = positional
        self.origin = origin or Origin()

    # ---------------------------------------------------------------- emitting

    @contextmanager
    def at(self, origin: Origin) -> Iterator[None]:
        """Nodes emitted inside carry this origin."""
        previous, self.origin = self.origin, origin
        try:
            yield
        finally:
            self.origin = previous

    @contextmanager
    def inside(self, region: Region) -> Iterator[None]:
        """Nodes emitted inside go to a nested region."""
        previous, self.region = self.region, region
        try:
            yield
        finally:
            self.region = previous

    def lookup(self, dim: Dim) -> Value | None:
        """The lengths of a dynamic dim, or the extent of a batch dim."""
        return self.region.lookup(dim)

    def define(self, dim: Dim, length: Value) -> None:
        """Say what the lengths (of a batch dim: the extent) are."""
        self.region.dim_defs[dim] = length

    def emit(
        self, op: OpSpec, operands: Sequence[Value], attrs: dict[str, Any], regions: tuple[Region, ...] = ()
    ) -> list[Value]:
        """Append a node and return its results."""
        if any(v.dtype == TEXT for v in operands) and not (regions or op.traits & _TAKES_TEXT):
            raise ConfigError(
                "text is no number: only Python functions of the config compute with it",
                where=self.origin,
                received=", ".join(str(v.type) for v in operands),
            )
        full = op.complete(operands, attrs)
        types = op.infer(self, [v.type for v in operands], full)
        node = Node(op, list(operands), full, types, self.origin, regions)
        self.region.nodes.append(node)
        return node.results

    def op(self, name: str, /, *operands: Value, **attrs: Any) -> Value:
        """Append a node that has one result."""
        return self.emit(get_op(name), operands, attrs)[0]

    # ---------------------------------------------------------------- constants and element types

    def const(
        self, value: Any, dtype: str | None = None, dims: tuple[Dim, ...] = (), sparse_dim: Dim | None = None
    ) -> Value:
        """A constant: a Python scalar, a text, or an array of numbers whose axes are ``dims``."""
        if isinstance(value, str):
            return self.op("const", value=value, dtype=TEXT, dims=())
        array = np.asarray(value)
        if dtype is None:
            dtype = {"f": "float32", "b": "bool"}.get(array.dtype.kind, "int64")
        if array.ndim != len(dims) or array.dtype.kind not in _NUMBERS:
            raise ConfigError("not a number", where=self.origin, received=repr(value))
        self._require_fit(array, dtype)
        held = in_dtype(array, dtype).copy() if dims else in_dtype(array, dtype).item()
        return self.op("const", value=held, dtype=dtype, dims=dims, sparse_dim=sparse_dim)

    def _require_fit(self, array: NDArray[Any], dtype: str) -> None:
        """Numbers that an element type of whole numbers does not have would become others."""
        if not is_integer(dtype) or array.dtype.kind not in "iufO" or not array.size:
            return
        low, high = array.min(), array.max()
        limits = np.iinfo(dtype)
        if not (limits.min <= low and high <= limits.max):  # NaN is in no range
            raise ConfigError(
                f"a number does not fit {dtype}",
                where=self.origin,
                expected=f"{limits.min} to {limits.max}",
                received=low if not limits.min <= low else high,
            )

    def require_room(self, *sizes: float) -> None:
        """Refuse a table of this shape that is to be computed while the program is built, before it takes memory."""
        if math.prod(sizes) > MAX_TABLE:
            raise ConfigError(
                "the layer would compute a very large table while the program is built",
                where=self.origin,
                expected=f"at most {MAX_TABLE} entries",
                received=" x ".join(f"{size:g}" for size in sizes),
            )

    def size(self, dim: Dim) -> int:
        """The size of a dim, for what cannot be built without; a :class:`DimError` where it is not fixed."""
        return dim.require_size(self.origin)

    def cast(self, x: Value, dtype: str) -> Value:
        """Another element type; the same value where it has it already."""
        if x.dtype == dtype:
            return x
        if dtype == TEXT:
            raise ConfigError("a number is no text", where=self.origin, expected=TEXT, received=str(x.type))
        return self.op("cast", x, dtype=dtype)

    def operands(self, *values: Operand) -> list[Value]:
        """Values of one element type; a Python scalar takes the tensor's where that loses nothing."""
        tensors = [v for v in values if isinstance(v, Value)]
        scalars = [v for v in values if not isinstance(v, Value)]
        dtype = tensors[0].dtype if tensors else ("float32" if any(isinstance(s, float) for s in scalars) else "int64")
        for tensor in tensors[1:]:
            dtype = promote(dtype, tensor.dtype)
        if not is_float(dtype) and any(isinstance(s, float) for s in scalars):
            dtype = "float32"
        if dtype == "bool" and any(not isinstance(s, bool) for s in scalars):
            dtype = "int64"
        return [self.cast(v, dtype) if isinstance(v, Value) else self.const(v, dtype) for v in values]

    def labels(self, x: Value, dim: Dim, *, blank: int | None = None) -> Value:
        """Labels as numbers of entries of ``dim``; where its size is known, one outside is an error of the data.

        Args:
            blank: an entry that is no label. The last one is then out of range.
        """
        labels = 0 if dim.size is None else dim.size - (blank is not None and blank + 1 == dim.size)
        if labels < 1 or not is_integer(x.dtype):
            return self.op("set_sparse", x, sparse_dim=None)
        return self.op("label_index", x, labels=labels)

    # ---------------------------------------------------------------- elementwise

    def unary(self, name: str, x: Value) -> Value:
        """An elementwise op of one operand, by name."""
        return self.op(name, x)

    def binary(self, name: str, a: Operand, b: Operand) -> Value:
        """An elementwise op of two operands, which are brought to one element type."""
        return self.op(name, *self.operands(a, b))

    def add(self, a: Operand, b: Operand) -> Value:
        """``a + b``."""
        return self.binary("add", a, b)

    def sub(self, a: Operand, b: Operand) -> Value:
        """``a - b``."""
        return self.binary("sub", a, b)

    def mul(self, a: Operand, b: Operand) -> Value:
        """``a * b``."""
        return self.binary("mul", a, b)

    def div(self, a: Operand, b: Operand) -> Value:
        """``a / b``."""
        return self.binary("div", a, b)

    def maximum(self, a: Operand, b: Operand) -> Value:
        """The larger of both."""
        return self.binary("maximum", a, b)

    def minimum(self, a: Operand, b: Operand) -> Value:
        """The smaller of both."""
        return self.binary("minimum", a, b)

    def with_gradient_of(self, x: Value, value: Value) -> Value:
        """Exactly ``value``, which has no gradient, with the gradient of ``x`` where that is finite."""
        nothing = self.sub(x, self.op("stop_gradient", x))  # not a number where x is infinite
        nothing = self.op("where", self.unary("is_finite", x), nothing, self.const(0.0, x.dtype))
        return self.add(self.op("stop_gradient", value), nothing)

    def where(self, condition: Value, a: Operand, b: Operand) -> Value:
        """``a`` where the condition holds, else ``b``."""
        return self.op("where", condition, *self.operands(a, b))

    # ---------------------------------------------------------------- axes

    def rename(self, x: Value, *pairs: tuple[Dim, Dim]) -> Value:
        """Other tags for the same axes, given as (old, new)."""
        changed = tuple((old, new) for old, new in pairs if old is not new)
        return self.op("rename", x, dims=changed) if changed else x

    def expand(self, x: Value, *dims: Dim) -> Value:
        """Repeat along the dims that ``x`` lacks."""
        missing = tuple(d for d in dims if d not in x.dims)
        return self.op("expand", x, dims=missing) if missing else x

    def length(self, dim: Dim) -> Value:
        """The lengths of a dim, int64 (a scalar where they do not vary)."""
        return self.op("length", dim=dim)

    def extent(self, dim: Dim) -> Value:
        """The size in memory of an axis, an int64 scalar."""
        return self.op("extent", dim=dim)

    def mask(self, dim: Dim) -> Value:
        """True on the valid frames."""
        return self.op("mask", dim=dim)

    def iota(self, dim: Dim, dtype: str = "int64") -> Value:
        """0, 1, 2, ... along a dim."""
        return self.op("iota", dim=dim, dtype=dtype)

    def needs_mask(self, dim: Dim) -> bool:
        """Whether the frames of a dim are ragged here: its lengths have dims of their own."""
        return self.region.is_ragged(dim)

    # ---------------------------------------------------------------- reductions and products

    def reduce(self, kind: str, x: Value, *dims: Dim, mask: bool = True) -> Value:
        """Reduce over ``dims``: sum, mean, max, min, prod, any, all, logsumexp."""
        return self.op("reduce", x, kind=kind, dims=dims, mask=mask)

    def dot(self, a: Value, b: Value, *dims: Dim, mask: bool = True) -> Value:
        """Sum of products over ``dims``."""
        return self.op("dot", a, b, reduce=dims, mask=mask)

    # ---------------------------------------------------------------- regions

    def loop(
        self,
        dim: Dim,
        carries: Sequence[Value],
        scanned: Sequence[Value],
        body: Callable[[Value, list[Value], list[Value]], tuple[list[Value], list[Value]]],
    ) -> tuple[list[Value], list[Value]]:
        """A loop over ``dim``; ``body(i, carries, slices)`` gives the next carries and the values to stack.

        Returns:
            the final carries and the stacked values (with ``dim`` in front).
        """
        loop = OpenLoop.begin(dim, carries, scanned)
        region = Region(loop.params, parent=self.region)
        with self.inside(region):
            following, stacked = body(loop.index, loop.carries, loop.slices)
        _check_carries(loop.carries, following)
        view = loop.close(self, region, following, stacked)
        return [c.result for c in view.carries], [s.outer for s in view.stacked]

    def loop_until(
        self,
        dim: Dim,
        carries: Sequence[Value],
        limit: Value,
        body: Callable[[Value, list[Value]], tuple[list[Value], list[Value], Value]],
    ) -> tuple[list[Value], list[Value], Value]:
        """A loop that ends by itself, or after ``limit`` (int64 scalar) steps; it defines the length of ``dim``.

        ``body(i, carries)`` gives the next carries, the values to stack, and a bool scalar: this step was the last one.

        Returns:
            the final carries, the stacked values (with ``dim`` in front) and the number of steps, an int64 scalar.
        """
        loop = OpenLoop.begin(dim, carries, limit=limit)
        region = Region(loop.params, parent=self.region)
        with self.inside(region):
            following, stacked, done = body(loop.index, loop.carries)
        _check_carries(loop.carries, following)
        view = loop.close(self, region, following, stacked, done)
        steps = view.ending().steps
        self.define(dim, steps)
        return [c.result for c in view.carries], [s.outer for s in view.stacked], steps

    def cond(
        self, predicate: Value, true: Callable[[], Sequence[Value]], false: Callable[[], Sequence[Value]]
    ) -> list[Value]:
        """Either the values that ``true`` builds or those of ``false``, as a bool without axes says at run time."""
        regions = []
        for build in (true, false):
            region = Region(parent=self.region)
            with self.inside(region):
                region.results = list(build())
            regions.append(region)
        return self.choose(predicate, *regions)

    def choose(self, predicate: Value, true: Region, false: Region) -> list[Value]:
        """As :meth:`cond`, of two regions inside of this one that are built already."""
        types = [[v.type for v in region.results] for region in (true, false)]
        if len(types[0]) != len(types[1]):
            raise IRError(f"the branches give {len(types[0])} and {len(types[1])} values")
        for a, b in zip(*types, strict=True):
            if not a.same_as(b):
                raise IRError(f"one branch gives {a}, the other one {b}")
        return self.emit(get_op("cond"), [predicate], {"branches": tuple(types[0])}, (true, false))


def _check_carries(starts: Sequence[Value], following: Sequence[Value]) -> None:
    for before, after in zip(starts, following, strict=True):
        if not before.type.same_as(after.type):
            raise IRError(f"a loop's carry starts as {before.type} and goes on as {after.type}")
