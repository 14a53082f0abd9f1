"""Functions of expressions that make tensors: constants, ranges, one-hot vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from returnn_ir.errors import UnsupportedError
from returnn_ir.expression.dtypes import dtype_name
from returnn_ir.expression.limits import checked_count
from returnn_ir.expression.numbered import Numbered, as_numbered, copy_of_dim
from returnn_ir.expression.sizes import Size, as_shape
from returnn_ir.expression.table import function
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import is_float

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__: list[str] = []


def _filled(b: Tracer, dims: Sequence[Dim | None], number: float, dtype: str) -> Numbered:
    value = b.expand(b.const(number, dtype), *[d for d in dims if d is not None])
    return Numbered(b, value, dims)


@function("zeros_like")
def _zeros_like(b: Tracer, input: object, dtype: object = None, name: object = None, **_: object) -> Numbered:
    x = as_numbered(b, input)
    return _filled(b, x.axes, 0.0, dtype_name(dtype) if dtype is not None else x.value.dtype)


@function("ones_like")
def _ones_like(b: Tracer, input: object, dtype: object = None, name: object = None, **_: object) -> Numbered:
    x = as_numbered(b, input)
    return _filled(b, x.axes, 1.0, dtype_name(dtype) if dtype is not None else x.value.dtype)


@function("zeros")
def _zeros(b: Tracer, shape: object, dtype: object = "float32", name: object = None) -> Numbered:
    return _filled(b, as_shape(shape), 0.0, dtype_name(dtype))


@function("ones")
def _ones(b: Tracer, shape: object, dtype: object = "float32", name: object = None) -> Numbered:
    return _filled(b, as_shape(shape), 1.0, dtype_name(dtype))


@function("fill")
def _fill(b: Tracer, dims: object, value: object, name: object = None) -> Numbered:
    x = as_numbered(b, value)
    if x.rank:
        raise UnsupportedError("tf.fill with anything but one number")
    axes = as_shape(dims)
    return Numbered(b, b.expand(x.value, *[d for d in axes if d is not None]), axes)


@function("range")
def _range(
    b: Tracer,
    start: object,
    limit: object = None,
    delta: object = 1,
    dtype: object = None,
    name: object = None,
) -> Numbered:
    """``range(n)`` over a known size; other bounds only where they are numbers."""
    wanted = dtype_name(dtype) if dtype is not None else None
    if isinstance(start, Size) and limit is None and delta == 1:
        return Numbered(b, b.iota(start.dim, wanted or "int32"), (start.dim,))
    if isinstance(limit, Size) and start == 0 and delta == 1:
        return Numbered(b, b.iota(limit.dim, wanted or "int32"), (limit.dim,))
    bounds = [x for x in (start, limit, delta) if x is not None]
    if not all(isinstance(x, (int, float)) for x in bounds):
        raise UnsupportedError("a range whose bounds are computed")
    first, last = (0, start) if limit is None else (start, limit)
    if not delta:
        raise UnsupportedError("a range with delta 0")
    checked_count(math.ceil((last - first) / delta))  # type: ignore[operator]  # all of them are numbers
    return as_numbered(b, np.arange(first, last, delta), wanted)  # type: ignore[call-overload]


@function("one_hot")
def _one_hot(
    b: Tracer,
    indices: object,
    depth: object,
    on_value: object = None,
    off_value: object = None,
    axis: object = -1,
    dtype: object = None,
    name: object = None,
) -> Numbered:
    x = as_numbered(b, indices)
    if not isinstance(axis, (int, type(None))) or not -1 <= (-1 if axis is None else axis) <= x.rank:
        raise UnsupportedError(f"tf.one_hot with axis {axis!r}")
    at = x.rank if axis in (-1, None) else int(axis or 0)
    if isinstance(depth, Size):
        dim = depth.dim if depth.dim not in x.axes else None
    else:
        checked_count(depth if isinstance(depth, int) else 1)
        dim = Dim("one_hot", int(depth), feature=True) if isinstance(depth, int) else None
    if dim is None:
        raise UnsupportedError("tf.one_hot with a computed depth")
    hot = b.binary("equal", x.value, b.iota(dim, x.value.dtype))
    result = Numbered(b, hot, (*x.axes[:at], dim, *x.axes[at:]))
    given = [v for v in (on_value, off_value) if v is not None]
    wanted = dtype_name(dtype) if dtype is not None else as_numbered(b, given[0]).value.dtype if given else "float32"
    if given:
        on, off = (as_numbered(b, v, wanted) for v in (1 if on_value is None else on_value, off_value or 0))
        if on.rank or off.rank:
            raise UnsupportedError("tf.one_hot with anything but numbers as values")
        return result.with_value(b.op("where", hot, b.cast(on.value, wanted), b.cast(off.value, wanted)))
    return result.with_value(b.cast(hot, wanted))


@function("sequence_mask")
def _sequence_mask(
    b: Tracer, lengths: object, maxlen: object = None, dtype: object = "bool", name: object = None
) -> Numbered:
    """True on the first frames of an axis."""
    x = as_numbered(b, lengths)
    if isinstance(maxlen, int):
        checked_count(maxlen)
        dim = Dim("mask", maxlen)
    elif isinstance(maxlen, Size):
        dim = maxlen.dim if maxlen.dim not in x.axes else copy_of_dim(b, maxlen.dim, f"{maxlen.dim.name}.mask")
    else:
        raise UnsupportedError("tf.sequence_mask whose maxlen is neither a number nor from a tensor's shape")
    held = b.binary("less", b.iota(dim, x.value.dtype), x.value)
    return Numbered(b, b.cast(held, dtype_name(dtype)), (*x.axes, dim))


@function("uniform", "random_uniform")
def _uniform(
    b: Tracer,
    shape: object,
    minval: object = 0,
    maxval: object = None,
    dtype: object = "float32",
    seed: object = None,
    name: object = None,
) -> Numbered:
    axes, wanted = as_shape(shape), dtype_name(dtype)
    drawn = Numbered(b, _drawn(b, "uniform", axes), axes)
    if is_float(wanted):
        result = drawn * ((1.0 if maxval is None else maxval) - as_numbered(b, minval, "float32")) + minval
        return result.with_value(b.cast(result.value, wanted))
    if maxval is None:
        raise UnsupportedError("random integers without a bound")
    span = as_numbered(b, maxval) - as_numbered(b, minval)
    whole = drawn * span.with_value(b.cast(span.value, "float32"))
    return whole.with_value(b.cast(b.unary("floor", whole.value), wanted)) + minval


@function("normal", "random_normal")
def _normal(
    b: Tracer,
    shape: object,
    mean: object = 0.0,
    stddev: object = 1.0,
    dtype: object = "float32",
    seed: object = None,
    name: object = None,
) -> Numbered:
    axes = as_shape(shape)
    return Numbered(b, _drawn(b, "normal", axes), axes) * stddev + mean


def _drawn(b: Tracer, kind: str, axes: Sequence[Dim | None]) -> Value:
    """A draw of its own: the place in the region tells the draws of one layer apart."""
    return b.random(kind, tuple(d for d in axes if d is not None), f"eval{len(b.region.nodes)}")


@function("eye")
def _eye(
    b: Tracer,
    num_rows: object,
    num_columns: object = None,
    batch_shape: object = None,
    dtype: object = "float32",
    name: object = None,
) -> Numbered:
    columns = num_rows if num_columns is None else num_columns
    if not isinstance(num_rows, int) or not isinstance(columns, int) or batch_shape is not None:
        raise UnsupportedError("tf.eye of a computed size, or with batch_shape")
    checked_count(num_rows, columns)
    return as_numbered(b, np.eye(num_rows, columns), dtype_name(dtype))


@function("linspace", "lin_space")
def _linspace(b: Tracer, start: object, stop: object, num: object, name: object = None, axis: int = 0) -> Numbered:
    if not all(isinstance(x, (int, float)) for x in (start, stop)) or not isinstance(num, int):
        raise UnsupportedError("tf.linspace whose bounds or number are computed")
    checked_count(num)
    whole = isinstance(start, int) and isinstance(stop, int)
    return as_numbered(b, np.linspace(start, stop, num), "float64" if whole else "float32")  # type: ignore[call-overload]
