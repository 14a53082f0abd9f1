"""Tensors with numbered axes, as expressions in a config see them; every operation on them becomes an IR op.

An expression such as ``tf.reduce_sum(source(0) * x, axis=-1, keepdims=True)`` counts axes and broadcasts by position. A
:class:`Numbered` is an IR value with its axes in that order; ``None`` is an axis of size one that only broadcasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from returnn_ir.errors import DimError, UnsupportedError
from returnn_ir.expression.limits import checked_entries
from returnn_ir.facade.access import shown
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import TEXT, is_float

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__ = ["Axes", "Numbered", "aligned", "as_numbered", "binary", "common_dtype", "copy_of_dim", "packed", "power"]

Axes = tuple[Dim | None, ...]


class Numbered:
    """One tensor in an expression.

    Args:
        b: where ops are put.
        value: its dims are those of ``axes`` that are not None.
        axes: in the order that the expression counts them, none of them twice.
    """

    #: What an expression of a config that is data may look at.
    expression_names: ClassVar[frozenset[str]] = frozenset({"dtype", "shape", "get_shape"})
    # numpy must leave `array * tensor` to the tensor
    __array_priority__ = 1000.0
    __array_ufunc__ = None
    __hash__ = object.__hash__

    def __init__(self, b: Tracer, value: Value, axes: Sequence[Dim | None]) -> None:
        self.b = b
        self.value = value
        self.axes: Axes = tuple(axes)
        if value.dtype == TEXT:
            raise UnsupportedError("text has no counterpart in the IR")
        twice = next((d for i, d in enumerate(self.axes) if d is not None and d in self.axes[:i]), None)
        if twice is not None:
            raise UnsupportedError(f"the axis {twice} on two axes of one tensor")

    def with_value(self, value: Value) -> Numbered:
        """The same axes around another value."""
        return Numbered(self.b, value, self.axes)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.axes)

    @property
    def dtype_name(self) -> str:
        """NumPy's name of the element type."""
        return self.value.dtype

    def axis_number(self, axis: object) -> int:
        """A checked axis number, counted from the front."""
        if isinstance(axis, Numbered) or not isinstance(axis, (int, np.integer)):
            raise UnsupportedError(f"an axis that is not a number: {axis!r}")
        if not -self.rank <= axis < self.rank:
            raise DimError(f"axis {axis} of a tensor with {self.rank} axes", received=self.axes)
        return int(axis) % self.rank

    def __bool__(self) -> bool:
        raise UnsupportedError("a decision that depends on the values of a tensor")

    def __iter__(self) -> NoReturn:
        raise UnsupportedError("iterating over a tensor")

    def __add__(self, other: object) -> Numbered:
        return binary("add", self, other)

    def __radd__(self, other: object) -> Numbered:
        return binary("add", other, self)

    def __sub__(self, other: object) -> Numbered:
        return binary("sub", self, other)

    def __rsub__(self, other: object) -> Numbered:
        return binary("sub", other, self)

    def __mul__(self, other: object) -> Numbered:
        return binary("mul", self, other)

    def __rmul__(self, other: object) -> Numbered:
        return binary("mul", other, self)

    def __truediv__(self, other: object) -> Numbered:
        return binary("div", self, other)

    def __rtruediv__(self, other: object) -> Numbered:
        return binary("div", other, self)

    def __floordiv__(self, other: object) -> Numbered:
        return binary("floordiv", self, other)

    def __rfloordiv__(self, other: object) -> Numbered:
        return binary("floordiv", other, self)

    def __mod__(self, other: object) -> Numbered:
        return binary("mod", self, other)

    def __rmod__(self, other: object) -> Numbered:
        return binary("mod", other, self)

    def __pow__(self, other: object) -> Numbered:
        return power(self, other)

    def __rpow__(self, other: object) -> Numbered:
        return power(other, self)

    def __neg__(self) -> Numbered:
        return self.with_value(self.b.unary("neg", self.value))

    def __abs__(self) -> Numbered:
        return self.with_value(self.b.unary("abs", self.value))

    def __lt__(self, other: object) -> Numbered:
        return binary("less", self, other)

    def __le__(self, other: object) -> Numbered:
        return binary("less_equal", self, other)

    def __gt__(self, other: object) -> Numbered:
        return binary("greater", self, other)

    def __ge__(self, other: object) -> Numbered:
        return binary("greater_equal", self, other)

    def __eq__(self, other: object) -> Numbered:  # type: ignore[override]  # as TensorFlow 2 has it
        return binary("equal", self, other)

    def __ne__(self, other: object) -> Numbered:  # type: ignore[override]
        return binary("not_equal", self, other)

    def __and__(self, other: object) -> Numbered:
        return _logical("logical_and", self, other)

    __rand__ = __and__

    def __or__(self, other: object) -> Numbered:
        return _logical("logical_or", self, other)

    __ror__ = __or__

    def __xor__(self, other: object) -> Numbered:
        return _logical("not_equal", self, other)

    __rxor__ = __xor__

    def __invert__(self) -> Numbered:
        _require_bools(self)
        return self.with_value(self.b.unary("logical_not", self.value))

    def __matmul__(self, other: object) -> Numbered:
        from returnn_ir.expression.products import matmul

        return matmul(self, as_numbered(self.b, other))

    def __rmatmul__(self, other: object) -> Numbered:
        return as_numbered(self.b, other) @ self

    def __getitem__(self, key: object) -> Numbered:
        from returnn_ir.expression.slicing import subscript

        return subscript(self, key)

    @property
    def dtype(self) -> Any:
        """The element type, as an expression sees it."""
        from returnn_ir.expression.dtypes import DType

        return DType(self.value.dtype)

    @property
    def shape(self) -> StaticShape:
        """The static sizes, None where they are not known."""
        return StaticShape(1 if d is None else d.size for d in self.axes)

    def get_shape(self) -> StaticShape:
        """The static sizes, None where they are not known."""
        return self.shape


@shown()
class StaticShape(tuple[int | None, ...]):
    """The static sizes of a tensor."""

    @property
    def ndims(self) -> int:
        """The number of axes."""
        return len(self)

    def as_list(self) -> list[int | None]:
        """As a list."""
        return list(self)


def as_numbered(b: Tracer, x: object, dtype: str | None = None) -> Numbered:
    """A tensor, or the constant that a number or an array is."""
    if isinstance(x, Numbered):
        return x
    if isinstance(x, (bool, int, float, np.number, np.bool_)):
        chosen = dtype or ("bool" if isinstance(x, (bool, np.bool_)) else "int32" if _is_whole(x) else "float32")
        return Numbered(b, b.const(x, chosen), ())
    if isinstance(x, (list, tuple, np.ndarray)):
        if isinstance(x, (list, tuple)) and any(isinstance(e, Numbered) for e in x):
            out = Dim("entries", len(x))
            common = next(e.value.dtype for e in x if isinstance(e, Numbered))
            return Numbered(b, packed(b, x, out, dtype or common), (out,))
        checked_entries(x)
        array = np.asarray(x)
        if array.dtype.kind not in "bif":
            raise UnsupportedError(f"a constant {x!r}")
        chosen = dtype or {"b": "bool", "i": "int32", "f": "float32"}[array.dtype.kind]
        if not array.ndim:
            return Numbered(b, b.const(array.item(), chosen), ())
        dims = tuple(Dim(f"constant{i}", n) for i, n in enumerate(array.shape))
        return Numbered(b, b.const(array, chosen, dims), dims)
    raise UnsupportedError(f"a {type(x).__name__} where a tensor is expected")


def packed(b: Tracer, entries: Sequence[object], out: Dim, dtype: str) -> Value:
    """A list of scalars as a vector over ``out``."""
    parts, dims = [], []
    for i, entry in enumerate(entries):
        x = as_numbered(b, entry, dtype)
        if x.rank:
            raise UnsupportedError("a list of tensors where one tensor is expected")
        dims.append(Dim(f"entry{i}", 1))
        parts.append(b.expand(b.cast(x.value, dtype), dims[-1]))
    if not parts:
        return b.const(np.zeros(0), dtype, (out,))
    return b.op("concat", *parts, dims=tuple(dims), out=out)


def _is_whole(x: object) -> bool:
    return isinstance(x, (int, np.integer))


def builder_of(*xs: object) -> Tracer:
    """The builder of the first tensor among ``xs``."""
    for x in xs:
        if isinstance(x, Numbered):
            return x.b
    raise UnsupportedError("an operation on no tensor at all")


def common_dtype(xs: Sequence[object]) -> list[Value | int | float | bool]:
    """Operands for the builder, which casts: tensors as values, numbers as they are."""
    found: list[Value | int | float | bool] = []
    for x in xs:
        if isinstance(x, Numbered):
            found.append(x.value)
        elif isinstance(x, np.generic):
            found.append(x.item())
        elif isinstance(x, (bool, int, float)):
            found.append(x)
        else:
            raise UnsupportedError(f"a {type(x).__name__} where a tensor is expected")
    return found


def aligned(*xs: object) -> tuple[list[object], Axes]:
    """Operands over common dims by broadcasting from the right, and the axes of the result; plain numbers stay."""
    b = builder_of(*xs)
    operands = [as_numbered(b, x) if isinstance(x, (list, tuple, np.ndarray)) else x for x in xs]
    tensors = [x for x in operands if isinstance(x, Numbered)]
    rank = max(x.rank for x in tensors)
    rows: list[list[Dim | None]] = [[*[None] * (rank - x.rank), *x.axes] for x in tensors]
    values = [x.value for x in tensors]
    axes: list[Dim | None] = []
    for position in range(rank):
        chosen = _chosen([row[position] for row in rows], axes)
        for i, row in enumerate(rows):
            dim = row[position]
            if dim is None or dim is chosen:
                continue
            if dim.size == 1 and (chosen is None or chosen.size != 1):
                values[i] = b.op("squeeze", values[i], dim=dim)
                row[position] = None
            elif chosen is not None:
                values[i] = _renamed(b, values[i], dim, chosen)
                row[position] = chosen
        axes.append(chosen)
    done = iter(Numbered(b, v, [d for d in row if d is not None]) for v, row in zip(values, rows, strict=True))
    return [next(done) if isinstance(x, Numbered) else x for x in operands], tuple(axes)


def _chosen(dims: Sequence[Dim | None], taken: Sequence[Dim | None]) -> Dim | None:
    """The dim that an axis of the result has: one that is larger than one if there is any, and not on two axes."""
    present = [d for d in dims if d is not None]
    larger = [d for d in present if d.size != 1]
    candidates = larger or present
    if not candidates:
        return None
    chosen = next((d for d in candidates if d not in taken), None)
    if chosen is None and larger and larger[0].is_static:  # as in x[:, :, None] == x[:, None]
        return Dim(f"{larger[0].name}.other", larger[0].size, feature=larger[0].feature)
    if chosen is None and larger:
        raise UnsupportedError(f"the axis {larger[0]} on two axes of one tensor")
    return chosen


def _renamed(b: Tracer, value: Value, dim: Dim, chosen: Dim) -> Value:
    if dim.is_static and dim.size == chosen.size and chosen not in value.dims:
        return b.rename(value, (dim, chosen))
    raise DimError("axes of an expression do not fit together", expected=chosen, received=dim)


def copy_of_dim(b: Tracer, dim: Dim, role: str) -> Dim:
    """Another dim of the same extent and lengths, for a tensor that has an axis twice."""
    if dim.is_batch:
        raise UnsupportedError(f"the axis {dim} on two axes of one tensor")
    made = b.dim(role, dim.size)
    if dim.is_dynamic and b.lookup(made) is None:
        b.define(made, b.length(dim))
    return made


def binary(name: str, x: object, y: object) -> Numbered:
    """An elementwise op of two operands; integers divide as floats, as in TensorFlow of up to 16 bits as float32."""
    b = builder_of(x, y)
    operands, axes = aligned(x, y)
    a, c = common_dtype(operands)
    if name == "div":
        left, right = b.operands(a, c)
        if not is_float(left.dtype):
            left, right = (b.cast(v, _quotient_dtype(left.dtype)) for v in (left, right))
        return Numbered(b, b.op("div", left, right), axes)
    return Numbered(b, b.binary(name, a, c), axes)


def _quotient_dtype(dtype: str) -> str:
    return "float64" if dtype in ("int32", "int64") else "float32"


def _require_bools(*xs: object) -> None:
    for x in xs:
        if isinstance(x, Numbered) and x.value.dtype != "bool":
            raise UnsupportedError(f"an operation on the bits of {x.value.dtype}")


def _logical(name: str, x: Numbered, y: object) -> Numbered:
    """``&``, ``|`` and ``^``, which work on bits where these are no truth values."""
    _require_bools(x, y)
    if not isinstance(y, (bool, np.bool_, Numbered)):
        raise UnsupportedError(f"a truth value and a {type(y).__name__}")
    return binary(name, x, y)


def power(x: object, y: object) -> Numbered:
    """``x ** y``; a square is a product, whose derivative is exact at zero."""
    if isinstance(x, Numbered) and isinstance(y, (int, float)) and y == 2:
        return binary("mul", x, x)
    return binary("pow", x, y)
