"""Subscripts in expressions: ``x[:, 0]``, ``x[:, 1:]``, ``x[..., None]``."""

from __future__ import annotations

from returnn_ir.errors import UnsupportedError
from returnn_ir.expression.limits import TooMuchError
from returnn_ir.expression.numbered import Numbered
from returnn_ir.expression.sizes import Size
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.types import is_integer

__all__ = ["cut", "subscript"]

#: NumPy's number of axes.
_MAX_KEYS = 64


def subscript(x: Numbered, key: object) -> Numbered:
    """``x[key]`` by Python's and NumPy's rules for basic indexing."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if len(keys) > _MAX_KEYS:
        raise TooMuchError("a tensor of so many axes", _MAX_KEYS)
    if any(isinstance(k, Numbered) and (k.rank or not is_integer(k.value.dtype)) for k in keys):
        raise UnsupportedError("a subscript that is computed and no single number")
    used = sum(1 for k in keys if k is not None and k is not Ellipsis)
    at = next((i for i, k in enumerate(keys) if k is Ellipsis), len(keys))  # tensors compare by entry
    keys[at : at + 1] = [slice(None)] * (x.rank - used)
    axis = 0
    for k in keys:
        if k is None:
            x = Numbered(x.b, x.value, (*x.axes[:axis], None, *x.axes[axis:]))
            axis += 1
        elif isinstance(k, Numbered):
            x = _entry(x, axis, k)
        elif isinstance(k, bool) or not isinstance(k, (int, slice)):
            raise UnsupportedError(f"the subscript {k!r}")
        else:
            x = cut(x, axis, k)
            axis += isinstance(k, slice)
    return x


def _entry(x: Numbered, axis: int, position: Numbered) -> Numbered:
    """The entry of an axis at a computed position, from its end where that is negative; the axis is gone."""
    b, dim = x.b, x.axes[axis]
    value = x.value
    if dim is not None:
        at = position.value
        at = b.where(b.binary("less", at, 0), b.add(at, b.extent(dim)), at)
        value = b.op("gather", value, at, dim=dim)
    return Numbered(b, value, (*x.axes[:axis], *x.axes[axis + 1 :]))


def cut(x: Numbered, axis: int, key: int | slice) -> Numbered:
    """One axis cut to a part, or to one entry, which drops the axis."""
    b, dim = x.b, x.axes[axis]
    if isinstance(key, slice) and _is_whole(dim, key):
        return x
    if dim is None:
        if key in (0, -1):
            return Numbered(b, x.value, (*x.axes[:axis], *x.axes[axis + 1 :]))
        raise UnsupportedError(f"the part {key} of an axis of size one")
    if isinstance(key, int):
        if dim.size is not None and not -dim.size <= key < dim.size:
            raise UnsupportedError(f"entry {key} of the axis {dim}")
        position = b.const(key, "int64") if key >= 0 else b.add(b.extent(dim), key)
        value = b.op("gather", x.value, position, dim=dim)
        return Numbered(b, value, (*x.axes[:axis], *x.axes[axis + 1 :]))
    if key == slice(None, None, -1):
        return x.with_value(b.op("reverse", x.value, dim=dim, ragged=False))
    out, start, end, step = _part(dim, key)
    value = b.op("slice", x.value, dim=dim, out=out, start=start, end=end, step=step)
    return Numbered(b, value, (*x.axes[:axis], out, *x.axes[axis + 1 :]))


def _is_whole(dim: Dim | None, key: slice) -> bool:
    """Whether a part is all of its axis: ``[:]``, or up to the axis' own size."""
    bounds = [v for v in (key.start, key.stop, key.step) if v is not None]
    if len(bounds) == 1 and isinstance(key.stop, Size):
        return key.stop.dim is dim
    if any(isinstance(v, Numbered) for v in bounds):
        raise UnsupportedError("a part whose bounds are computed")
    return not bounds


def _part(dim: Dim, key: slice) -> tuple[Dim, int, int | None, int]:
    bounds = (key.start, key.stop, key.step)
    if not all(v is None or (isinstance(v, int) and not isinstance(v, bool)) for v in bounds):
        raise UnsupportedError("a part whose bounds are computed")
    step = key.step or 1
    if step < 1:
        raise UnsupportedError("a part with a negative step")
    if dim.size is not None:
        start, end, _ = key.indices(dim.size)
        return Dim("part", len(range(start, end, step)), feature=dim.feature), start, end, step
    start = key.start or 0
    if start < 0 or (key.stop is not None and key.stop >= 0):
        raise UnsupportedError(f"the part {key} of the axis {dim}, whose length varies")
    length = dim - start if key.stop is None else dim - start + key.stop
    return length.ceildiv(step), start, key.stop, step
