"""Products: dot, convolution and its transpose, pooling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from compiler.reference.named import Named
from compiler.reference.reduce import valid_only
from compiler.reference.registry import Context, rule
from compiler.target.protocol import Array
from returnn_ir.errors import IRError
from returnn_ir.ir.graph import Node
from returnn_ir.ops.reduce import lowest

__all__: list[str] = []

Operands = Sequence[Named]


def _size(shape: Sequence[int]) -> int:
    return int(np.prod(shape))


@rule("dot")
def _dot(context: Context, node: Node, operands: Operands) -> Named:
    """As matrix products: [shared, only_a, reduced] times [shared, reduced, only_b]."""
    reduced = tuple(node.attrs["reduce"])
    a, b = operands
    if node.attrs["mask"]:
        a, b = (valid_only(context, x, reduced, 0) for x in (a, b))
    shared = tuple(d for d in a.dims if d in b.dims and d not in reduced)
    only_a = tuple(d for d in a.dims if d not in b.dims)
    only_b = tuple(d for d in b.dims if d not in a.dims)
    x, y = a.to((*shared, *only_a, *reduced)).array, b.to((*shared, *reduced, *only_b)).array
    at = len(shared)
    batch, rows, columns = x.shape[:at], x.shape[at : at + len(only_a)], y.shape[at + len(reduced) :]
    inner = _size(y.shape[at : at + len(reduced)])
    left = x.reshape(*batch, _size(rows), inner)
    right = y.reshape(*batch, inner, _size(columns))
    return Named(np.matmul(left, right).reshape((*batch, *rows, *columns)), (*shared, *only_a, *only_b))


@dataclass(frozen=True)
class _Axis:
    """One spatial axis of a window op: frame t covers entries t * stride + w * dilation - left, w = 0 .. size - 1."""

    extent: int
    size: int
    stride: int
    dilation: int
    left: int
    out: int

    def covered(self, w: int) -> Array:
        """The entry under position ``w`` of each frame's window; outside of the axis it is below 0 or >= extent."""
        return np.arange(self.out) * self.stride + w * self.dilation - self.left


def _axis(extent: int, size: int, stride: int, dilation: int, padding: str) -> _Axis:
    """TensorFlow's geometry."""
    span = (size - 1) * dilation + 1
    if padding == "same":
        out = -(-extent // stride)
        total = max((out - 1) * stride + span - extent, 0)
        return _Axis(extent, size, stride, dilation, total // 2, out)
    if padding == "valid":
        return _Axis(extent, size, stride, dilation, 0, max(0, -(-(extent - span + 1) // stride)))
    raise IRError(f"no padding {padding!r}, expected same or valid")


def _axes(node: Node, extents: Sequence[int], sizes: Sequence[int]) -> list[_Axis]:
    strides, dilations = node.attrs["strides"], node.attrs["dilations"]
    each = zip(extents, sizes, strides, dilations, strict=True)
    return [_axis(n, f, s, d, node.attrs["padding"]) for n, f, s, d in each]


def _windows(x: Array, axes: Sequence[_Axis]) -> Iterator[tuple[tuple[int, ...], Array, Array]]:
    """For every position in the window: the entries under it, [..., *outs], and whether they are inside of ``x``.

    ``x`` is [batch, *spatial, channels].
    """
    for position in product(*(range(a.size) for a in axes)):
        read, inside = x, np.ones((), np.bool_)
        for i, (axis, w) in enumerate(zip(axes, position, strict=True)):
            entry = axis.covered(w)
            valid = (entry >= 0) & (entry < axis.extent)
            inside = inside[..., None] & valid
            read = _take(read, np.where(valid, entry, 0), i + 1)
        yield position, read, inside


def _take(x: Array, entries: Array, axis: int) -> Array:
    if x.shape[axis] == 0:
        return np.zeros((*x.shape[:axis], entries.size, *x.shape[axis + 1 :]), x.dtype)
    return np.asarray(np.take(x, entries, axis=axis))


@rule("conv")
def _conv(context: Context, node: Node, operands: Operands) -> Named:
    dims, groups = tuple(node.attrs["dims"]), int(node.attrs["groups"])
    x = operands[0].last(*dims, node.attrs["in_dim"])
    kernel = operands[1].to((*node.attrs["filter_dims"], node.attrs["filter_in"], node.attrs["out_dim"])).array
    rest = x.dims[: -len(dims) - 1]
    flat = x.array.reshape(_size(x.array.shape[: len(rest)]), *x.array.shape[len(rest) :])
    axes = _axes(node, flat.shape[1:-1], kernel.shape[: len(dims)])
    channels, filters = kernel.shape[-2:]
    each = filters // groups
    result = np.zeros((flat.shape[0], *(a.out for a in axes), filters), flat.dtype)
    for position, read, inside in _windows(flat, axes):
        seen = np.where(inside[..., None], read, 0)
        for g in range(groups):
            block = slice(g * each, (g + 1) * each)
            result[..., block] += seen[..., g * channels : (g + 1) * channels] @ kernel[position][:, block]
    shape = (*x.array.shape[: len(rest)], *result.shape[1:])
    return Named(result.reshape(shape).astype(flat.dtype), (*rest, *node.attrs["outs"], node.attrs["out_dim"]))


@rule("conv_transpose")
def _conv_transpose(context: Context, node: Node, operands: Operands) -> Named:
    dims = tuple(node.attrs["dims"])
    x = operands[0].last(*dims, node.attrs["in_dim"])
    kernel = operands[1].to((*node.attrs["filter_dims"], node.attrs["out_dim"], node.attrs["filter_in"])).array
    rest = x.dims[: -len(dims) - 1]
    flat = x.array.reshape(_size(x.array.shape[: len(rest)]), *x.array.shape[len(rest) :])
    extents, sizes = flat.shape[1:-1], kernel.shape[: len(dims)]
    strides, dilations = node.attrs["strides"], node.attrs["dilations"]
    span = [(f - 1) * d + 1 for f, d in zip(sizes, dilations, strict=True)]
    ends = [(n - 1) * s + k if n else 0 for n, s, k in zip(extents, strides, span, strict=True)]
    outs = [max(n * s + e, 0) for n, s, e in zip(extents, strides, node.attrs["extra"], strict=True)]
    # room for the cut behind the end, where it stays zero
    room = [max(end, c + o) for end, c, o in zip(ends, node.attrs["crop"], outs, strict=True)]
    full = np.zeros((flat.shape[0], *room, kernel.shape[-2]), flat.dtype)
    for position in product(*(range(f) for f in sizes)):
        each = zip(position, extents, strides, dilations, strict=True)
        places = tuple(slice(w * d, w * d + n * s, s) if n else slice(0, 0) for w, n, s, d in each)
        full[(slice(None), *places)] += flat @ kernel[position].T
    cut = tuple(slice(c, c + o) for c, o in zip(node.attrs["crop"], outs, strict=True))
    result = full[(slice(None), *cut)]
    shape = (*x.array.shape[: len(rest)], *result.shape[1:])
    return Named(result.reshape(shape), (*rest, *node.attrs["outs"], node.attrs["out_dim"]))


@rule("pool")
def _pool(context: Context, node: Node, operands: Operands) -> Named:
    dims = tuple(node.attrs["dims"])
    x = operands[0].last(*dims)
    rest = x.dims[: -len(dims)]
    flat = x.array.reshape(_size(x.array.shape[: len(rest)]), *x.array.shape[len(rest) :], 1)
    axes = _axes(node, flat.shape[1:-1], node.attrs["sizes"])
    largest = node.attrs["kind"] == "max"
    shape = (flat.shape[0], *(a.out for a in axes), 1)
    result = np.full(shape, lowest(str(flat.dtype)) if largest else 0, flat.dtype)
    count = np.zeros(shape[1:-1], np.int64)
    for _, read, inside in _windows(flat, axes):
        if largest:
            result = np.where(inside[..., None], np.maximum(result, read), result)
        else:
            result = result + np.where(inside[..., None], read, 0)
        count = count + inside
    if not largest:
        result = result / np.maximum(count, 1)[..., None].astype(flat.dtype)
    dims_out = (*rest, *node.attrs["outs"])
    return Named(result.reshape(*x.array.shape[: len(rest)], *shape[1:-1]).astype(flat.dtype), dims_out)
