"""Axes: renamed, repeated, joined, cut, counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.reference.named import Named, align, union
from compiler.reference.registry import Context, rule
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node

__all__ = ["fill", "take_along"]

Operands = Sequence[Named]


def take_along(x: Named, dim: Dim, positions: Named, out: Dim) -> Named:
    """``x`` along ``dim`` at ``positions``, which have ``out`` in its place; outside, the nearest entry is read."""
    rest = tuple(d for d in union(x, positions) if d is not dim and d is not out)
    wide, index = x.broadcastable((*rest, dim)), positions.broadcastable((*rest, out))
    shape = np.broadcast_shapes(wide.shape[:-1], index.shape[:-1])
    if x.extent(dim) == 0:  # nothing to read: what stands there does not matter, callers mask it
        return Named(np.zeros((*shape, index.shape[-1]), x.array.dtype), (*rest, out))
    wide = np.broadcast_to(wide, (*shape, wide.shape[-1]))
    index = np.broadcast_to(np.clip(index, 0, wide.shape[-1] - 1), (*shape, index.shape[-1]))
    return Named(np.take_along_axis(wide, index, axis=-1), (*rest, out))


def fill(x: Named, condition: Named, other: float | bool) -> Named:
    """``x`` where the condition holds, else a number."""
    arrays, dims = align(condition, x)
    return Named(np.where(arrays[0], arrays[1], np.asarray(other, x.array.dtype)), dims)


@rule("rename")
def _rename(context: Context, node: Node, operands: Operands) -> Named:
    mapping: dict[Dim, Dim] = dict(node.attrs["dims"])
    return Named(operands[0].array, tuple(mapping.get(d, d) for d in operands[0].dims))


@rule("expand")
def _expand(context: Context, node: Node, operands: Operands) -> Named:
    x, new = operands[0], tuple(node.attrs["dims"])
    shape = (*(context.extent(d) for d in new), *x.array.shape)
    return Named(np.broadcast_to(x.array, shape), (*new, *x.dims))


@rule("squeeze")
def _squeeze(context: Context, node: Node, operands: Operands) -> Named:
    x = operands[0].first(node.attrs["dim"])
    return Named(x.array[0], x.dims[1:])


@rule("merge")
def _merge(context: Context, node: Node, operands: Operands) -> Named:
    dims = tuple(node.attrs["dims"])
    x = operands[0].first(*dims)
    rest = x.array.shape[len(dims) :]
    merged = int(np.prod(x.array.shape[: len(dims)]))
    return Named(x.array.reshape(merged, *rest), (node.attrs["out"], *x.dims[len(dims) :]))


@rule("split")
def _split(context: Context, node: Node, operands: Operands) -> Named:
    outs = tuple(node.attrs["outs"])
    x = operands[0].first(node.attrs["dim"])
    extent = x.array.shape[0]
    unknown = [d for d in outs if d.size is None]
    if len(unknown) == 1:
        known = int(np.prod([d.size for d in outs if d.size is not None]))
        sizes = [extent // known if d.size is None else d.size for d in outs]
    else:
        sizes = [context.extent(d) for d in outs]
    return Named(x.array.reshape(*sizes, *x.array.shape[1:]), (*outs, *x.dims[1:]))


@rule("concat")
def _concat(context: Context, node: Node, operands: Operands) -> Named:
    dims, out = tuple(node.attrs["dims"]), node.attrs["out"]
    if node.attrs["ragged"]:
        return _concat_ragged(context, dims, out, operands)
    rest = tuple(dict.fromkeys(d for x, dim in zip(operands, dims, strict=True) for d in x.dims if d is not dim))
    shape = [max(x.extent(d) for x in operands if d in x.dims) for d in rest]
    parts = [
        np.broadcast_to(x.broadcastable((dim, *rest)), (x.extent(dim), *shape))
        for x, dim in zip(operands, dims, strict=True)
    ]
    return Named(np.concatenate(parts, axis=0), (out, *rest))


def _concat_ragged(context: Context, dims: Sequence[Dim], out: Dim, operands: Operands) -> Named:
    """Each operand's valid frames directly behind the previous operand's; zeros behind the last."""
    steps = Named(np.arange(context.extent(out)), (out,))
    offset = Named(np.zeros((), np.int64))
    total = Named(np.zeros((), operands[0].array.dtype))
    for x, dim in zip(operands, dims, strict=True):
        length = context.length(dim)
        (t, start), at = align(steps, offset)
        position = Named(t - start, at)
        (p, n), at = align(position, length)
        inside = Named((p >= 0) & (p < n), at)
        part = fill(take_along(x, dim, position, out), inside, 0)
        total = _plus(total, part)
        offset = _plus(offset, length)
    return total


def _plus(a: Named, b: Named) -> Named:
    arrays, dims = align(a, b)
    return Named(arrays[0] + arrays[1], dims)


@rule("pad")
def _pad(context: Context, node: Node, operands: Operands) -> Named:
    """Frame ``p = t - left`` of the input: outside of 0 .. n-1 it is the value, or read from a mirrored place inside.

    n is the extent, or with ``ragged`` the sequence's length; then zeros (``constant``: the value) follow the padding.
    """
    x, dim, out, mode = operands[0], node.attrs["dim"], node.attrs["out"], node.attrs["mode"]
    left, right = int(node.attrs["left"]), int(node.attrs["right"])
    n = context.length(dim) if node.attrs["ragged"] else Named(np.asarray(x.extent(dim)))
    steps = Named(np.arange(x.extent(dim) + left + right) - left, (out,))
    (p, n_), at = align(steps, n)
    last = n_ - 1
    if mode == "constant":
        return fill(take_along(x, dim, Named(p, at), out), Named((p >= 0) & (p < n_), at), node.attrs["value"])
    mirrored = {
        "replicate": np.clip(p, 0, np.maximum(last, 0)),
        "reflect": np.where(p < 0, -p, np.where(p > last, 2 * last - p, p)),
        "symmetric": np.where(p < 0, -p - 1, np.where(p > last, 2 * last + 1 - p, p)),
    }[mode]
    return fill(take_along(x, dim, Named(mirrored, at), out), Named(p < n_ + right, at), 0)


@rule("slice")
def _slice(context: Context, node: Node, operands: Operands) -> Named:
    x = operands[0].first(node.attrs["dim"])
    part = slice(node.attrs["start"], node.attrs["end"], node.attrs["step"])
    return Named(x.array[part], (node.attrs["out"], *x.dims[1:]))


@rule("sections")
def _sections(context: Context, node: Node, operands: Operands) -> list[Named]:
    x = operands[0].first(node.attrs["dim"])
    ends = np.cumsum([context.extent(out) for out in node.attrs["outs"]])
    parts = np.split(x.array, ends[:-1])
    return [Named(part, (out, *x.dims[1:])) for part, out in zip(parts, node.attrs["outs"], strict=True)]


@rule("resize_axis")
def _resize_axis(context: Context, node: Node, operands: Operands) -> Named:
    x = operands[0].first(node.attrs["dim"])
    extent = context.extent(node.attrs["out"])
    kept = x.array[:extent]
    missing = np.zeros((extent - kept.shape[0], *kept.shape[1:]), kept.dtype)
    return Named(np.concatenate([kept, missing], axis=0), (node.attrs["out"], *x.dims[1:]))


@rule("reverse")
def _reverse(context: Context, node: Node, operands: Operands) -> Named:
    x, dim = operands[0], node.attrs["dim"]
    n = context.length(dim) if node.attrs["ragged"] else Named(np.asarray(x.extent(dim)))
    (t, n_), at = align(Named(np.arange(x.extent(dim)), (dim,)), n)
    return take_along(x, dim, Named(np.where(t < n_, n_ - 1 - t, t), at), dim)


@rule("window")
def _window(context: Context, node: Node, operands: Operands) -> Named:
    """``out[t, w] = x[t * stride + w * dilation - left]``, zero outside of the axis in memory."""
    out, window = node.attrs["out"], node.attrs["window"]
    x = operands[0].first(node.attrs["dim"])
    t = np.arange(context.extent(out))[:, None] * node.attrs["stride"]
    w = np.arange(context.extent(window))[None, :] * node.attrs["dilation"]
    position = t + w - node.attrs["left"]
    inside = (position >= 0) & (position < x.array.shape[0])
    if x.array.shape[0] == 0:
        return Named(np.zeros((*position.shape, *x.array.shape[1:]), x.array.dtype), (out, window, *x.dims[1:]))
    read = x.array[np.where(inside, position, 0)]
    inside = inside.reshape(*inside.shape, *[1] * (x.array.ndim - 1))
    return Named(np.where(inside, read, np.zeros((), x.array.dtype)), (out, window, *x.dims[1:]))


@rule("iota")
def _iota(context: Context, node: Node, operands: Operands) -> Named:
    dim = node.attrs["dim"]
    return Named(np.arange(context.extent(dim), dtype=node.attrs["dtype"]), (dim,))


@rule("length")
def _length(context: Context, node: Node, operands: Operands) -> Named:
    return context.length(node.attrs["dim"])


@rule("extent")
def _extent(context: Context, node: Node, operands: Operands) -> Named:
    return Named(np.asarray(context.extent(node.attrs["dim"]), np.int64))


@rule("mask")
def _mask(context: Context, node: Node, operands: Operands) -> Named:
    return context.mask(node.attrs["dim"])


@rule("size_of")
def _size_of(context: Context, node: Node, operands: Operands) -> Named:
    return Named(np.asarray(operands[0].extent(node.attrs["dim"]), np.int64))


@rule("transpose")
def _transpose(context: Context, node: Node, operands: Operands) -> Named:
    return operands[0].to(node.attrs["dims"])
