"""Functions of expressions that move, join and cut axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from returnn_ir.errors import DimError, UnsupportedError
from returnn_ir.expression.dtypes import dtype_name
from returnn_ir.expression.limits import checked_count
from returnn_ir.expression.numbered import Numbered, aligned, as_numbered
from returnn_ir.expression.reshaping import reshaped
from returnn_ir.expression.sizes import Shape, Size, as_shape, entries_of
from returnn_ir.expression.slicing import cut
from returnn_ir.expression.table import function
from returnn_ir.ir.dims import Dim

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__: list[str] = []


@function("shape")
def _shape(b: Tracer, input: object, out_type: object = "int32", name: object = None) -> Shape:
    return Shape.of(as_numbered(b, input), dtype_name(out_type))


@function("size")
def _size(b: Tracer, input: object, out_type: object = "int32", name: object = None) -> Numbered:
    total = b.const(1, "int64")
    for dim in as_numbered(b, input).axes:
        if dim is not None:
            total = b.mul(total, b.extent(dim))
    return Numbered(b, b.cast(total, dtype_name(out_type)), ())


@function("rank")
def _rank(b: Tracer, input: object, name: object = None) -> int:
    return as_numbered(b, input).rank


@function("expand_dims")
def _expand_dims(b: Tracer, input: object, axis: object = None, name: object = None, dim: object = None) -> Numbered:
    x = as_numbered(b, input)
    at = axis if axis is not None else dim
    if not isinstance(at, int) or not -x.rank - 1 <= at <= x.rank:
        raise UnsupportedError(f"expand_dims with axis {at!r}")
    axes = list(x.axes)
    axes.insert(at if at >= 0 else x.rank + 1 + at, None)
    return Numbered(b, x.value, axes)


@function("squeeze")
def _squeeze(
    b: Tracer, input: object, axis: object = None, name: object = None, squeeze_dims: object = None
) -> Numbered:
    x = as_numbered(b, input)
    over = axis if axis is not None else squeeze_dims
    if over is None:
        numbers = [i for i, d in enumerate(x.axes) if d is None or d.size == 1]
    else:
        numbers = [x.axis_number(a) for a in (over if isinstance(over, (list, tuple)) else [over])]
    value = x.value
    for i in numbers:
        dim = x.axes[i]
        if dim is not None:
            if dim.size != 1:
                raise UnsupportedError(f"squeeze of the axis {dim}, which is not known to have the size one")
            value = b.op("squeeze", value, dim=dim)
    return Numbered(b, value, [d for i, d in enumerate(x.axes) if i not in numbers])


@function("reshape")
def _reshape(b: Tracer, tensor: object, shape: object, name: object = None) -> Numbered:
    """Axes of fixed sizes and of the batch, joined and split as their order allows; a ragged axis stays one."""
    entries = entries_of(shape)
    if entries is None:
        raise UnsupportedError("tf.reshape to a computed shape")
    return reshaped(as_numbered(b, tensor), entries)


@function("transpose")
def _transpose(b: Tracer, a: object, perm: Sequence[int] | None = None, name: object = None) -> Numbered:
    x = as_numbered(b, a)
    order = list(perm) if perm is not None else list(range(x.rank))[::-1]
    return Numbered(b, x.value, [x.axes[x.axis_number(i)] for i in order])


@function("concat")
def _concat(b: Tracer, values: Sequence[object], axis: object, name: object = None) -> Numbered:
    if any(isinstance(v, Shape) for v in values) and axis in (0, -1):
        parts = [entries_of(v) for v in values]
        if all(part is not None for part in parts):
            return Shape(b, [entry for part in parts for entry in part or ()])
    tensors = [as_numbered(b, v) for v in values]
    if len(tensors) == 1:
        return tensors[0]
    at = tensors[0].axis_number(axis)
    own: list[Dim] = []
    rest: list[object] = []
    for i, x in enumerate(tensors):
        present = x.axes[at]
        dim = Dim(f"concat{i}", 1) if present is None else Dim(f"concat{i}", present.size)
        if not dim.is_static:
            raise UnsupportedError(f"a concatenation over the axis {present}")
        value = b.expand(x.value, dim) if present is None else b.rename(x.value, (present, dim))
        own.append(dim)
        rest.append(Numbered(b, value, [dim if j == at else d for j, d in enumerate(x.axes)]))
    values_, axes = _aligned_except(b, [r for r in rest if isinstance(r, Numbered)], at)
    out = Dim("concat", sum(map(b.size, own)), feature=True)
    joined = b.op("concat", *[v.value for v in values_], dims=tuple(own), out=out)
    return Numbered(b, joined, [out if j == at else d for j, d in enumerate(axes)])


def _aligned_except(b: Tracer, xs: Sequence[Numbered], at: int) -> tuple[list[Numbered], list[Dim | None]]:
    """Tensors over common dims but for the axis ``at``, which stays each one's own."""
    model = list(xs[0].axes)
    found: list[Numbered] = []
    for x in xs:
        pairs: list[tuple[Dim, Dim]] = []
        for j, dim in enumerate(x.axes):
            other = model[j]
            if j == at or dim is None or dim is other:
                continue
            if other is None:
                model[j] = dim
            elif dim.is_static and dim.size == other.size:
                pairs.append((dim, other))
            else:
                raise UnsupportedError(f"a concatenation of the axes {other} and {dim}")
        found.append(x.with_value(b.rename(x.value, *pairs)))
    return found, model


@function("stack", "pack")
def _stack(b: Tracer, values: Sequence[object], axis: int = 0, name: object = None) -> Numbered:
    if any(isinstance(v, Size) for v in values) and axis in (0, -1):
        return Shape(b, list(values))
    operands, axes = aligned(*[as_numbered(b, v) for v in values])
    wide = [v for v in operands if isinstance(v, Numbered)]
    parts = [
        _expand_dims(b, Numbered(b, b.expand(v.value, *[d for d in axes if d is not None]), axes), axis) for v in wide
    ]
    return _concat(b, parts, axis if axis >= 0 else len(axes) + 1 + axis)


@function("split")
def _split(
    b: Tracer,
    value: object,
    num_or_size_splits: object,
    axis: object = 0,
    num: object = None,
    name: object = None,
) -> list[Numbered]:
    x = as_numbered(b, value)
    at = x.axis_number(axis)
    dim = x.axes[at]
    if dim is None or dim.size is None:
        raise UnsupportedError("a split of an axis of unknown size")
    if isinstance(num_or_size_splits, int):
        if not 1 <= num_or_size_splits <= dim.size:
            raise DimError(f"tf.split of the axis {dim} into {num_or_size_splits} parts")
        sizes = [dim.size // num_or_size_splits] * num_or_size_splits
    elif isinstance(num_or_size_splits, (list, tuple)) and all(isinstance(n, int) for n in num_or_size_splits):
        sizes = list(num_or_size_splits)
        if sizes.count(-1) == 1:
            sizes[sizes.index(-1)] = dim.size - sum(sizes) - 1
    else:
        raise UnsupportedError("a split into computed sizes")
    if sum(sizes) != dim.size or min(sizes) < 0:
        raise UnsupportedError(f"a split of {dim} into {sizes}")
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [cut(x, at, slice(s, s + n, None)) for s, n in zip(starts, sizes, strict=True)]


@function("unstack")
def _unstack(b: Tracer, value: object, num: object = None, axis: object = 0, name: object = None) -> list[Numbered]:
    x = as_numbered(b, value)
    at = x.axis_number(axis)
    dim = x.axes[at]
    if dim is None or dim.size is None:
        raise UnsupportedError("unstack of an axis of unknown size")
    return [cut(x, at, i) for i in range(dim.size)]


@function("tile")
def _tile(b: Tracer, input: object, multiples: object, name: object = None) -> Numbered:
    """Axes of size one only, to a known size."""
    x = as_numbered(b, input)
    multiples = entries_of(multiples)
    if multiples is None or len(multiples) != x.rank:
        raise UnsupportedError("tf.tile with computed multiples")
    checked_count(*[n for n in multiples if isinstance(n, int)])
    value, axes = x.value, list(x.axes)
    for i, (dim, times) in enumerate(zip(x.axes, multiples, strict=True)):
        if isinstance(times, int) and times == 1:
            continue
        if dim is not None and dim.size != 1:
            raise UnsupportedError(f"tf.tile of the axis {dim}")
        if dim is not None:
            value = b.op("squeeze", value, dim=dim)
        new = times.dim if isinstance(times, Size) else Dim(f"tile{i}", times) if isinstance(times, int) else None
        if new is None or new in value.dims:
            raise UnsupportedError("tf.tile with computed multiples")
        value = b.expand(value, new)
        axes[i] = new
    return Numbered(b, value, axes)


@function("broadcast_to")
def _broadcast_to(b: Tracer, input: object, shape: object, name: object = None) -> Numbered:
    x = as_numbered(b, input)
    wanted = as_shape(shape)
    if len(wanted) < x.rank:
        raise DimError("tf.broadcast_to fewer axes than the tensor has", expected=x.axes, received=wanted)
    value = x.value
    axes: list[Dim | None] = []
    for own, dim in zip([None] * (len(wanted) - x.rank) + list(x.axes), wanted, strict=True):
        if own is not None and own.size == 1 and (dim is None or dim.size != 1):
            value = b.op("squeeze", value, dim=own)
            own = None
        if own is not None and dim is not own and (own.size is None or dim is None or dim.size != own.size):
            raise UnsupportedError(f"tf.broadcast_to of the axis {own} to {dim}")
        axes.append(own if own is not None else dim)
    return Numbered(b, b.expand(value, *[d for d in axes if d is not None]), axes)


@function("reverse")
def _reverse(b: Tracer, tensor: object, axis: Sequence[int], name: object = None) -> Numbered:
    x = as_numbered(b, tensor)
    value = x.value
    for number in axis:
        dim = x.axes[x.axis_number(number)]
        if dim is not None:
            value = b.op("reverse", value, dim=dim, ragged=False)
    return x.with_value(value)


@function("gather")
def _gather(
    b: Tracer, params: object, indices: object, axis: object = 0, batch_dims: int = 0, name: object = None
) -> Numbered:
    x, i = as_numbered(b, params), as_numbered(b, indices)
    if batch_dims:
        raise UnsupportedError("tf.gather with batch_dims")
    at = x.axis_number(axis)
    dim = x.axes[at]
    if dim is None or any(d in x.axes for d in i.axes if d is not None):
        raise UnsupportedError("tf.gather by positions over axes that the values have")
    sparse = i.value.type.sparse_dim
    index = b.labels(i.value, dim) if sparse is not None and sparse.size == dim.size else i.value
    value = b.op("gather", x.value, index, dim=dim)
    return Numbered(b, value, (*x.axes[:at], *i.axes, *x.axes[at + 1 :]))
