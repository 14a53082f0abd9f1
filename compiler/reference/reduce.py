"""Reductions. Over a ragged dim they see the valid frames only, unless ``mask`` is off."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from compiler.reference.named import Named, align
from compiler.reference.registry import Context, rule
from compiler.reference.shape import fill
from compiler.target.protocol import Array
from returnn_ir.errors import DataError, IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node

__all__ = ["valid_only"]

Operands = Sequence[Named]


def valid_only(context: Context, x: Named, dims: Sequence[Dim], neutral: float | bool) -> Named:
    """``x`` with ``neutral`` behind the sequences' ends along ``dims``; it gains the dims of the lengths."""
    for dim in dims:
        if context.ragged(dim):
            x = fill(x, context.mask(dim), neutral)
    return x


def _masked(context: Context, node: Node, x: Named, dims: Sequence[Dim]) -> Named:
    if not node.attrs["mask"]:
        return x
    if node.op.neutral is None:
        raise IRError(f"masked op {node.op.name!r} declares no neutral element")
    return valid_only(context, x, dims, node.op.neutral(str(x.array.dtype), node.attrs))


def _logsumexp(x: Array, axes: tuple[int, ...]) -> Array:
    largest = np.max(x, axis=axes, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(largest), largest, 0)
    return np.asarray(np.log(np.sum(np.exp(x - shift), axis=axes)) + np.squeeze(shift, axis=axes))


def _extreme(x: Array, axes: tuple[int, ...], reduce: Callable[..., Array], neutral: float) -> Array:
    """Of nothing, the neutral element."""
    return np.asarray(reduce(x, axis=axes, initial=np.asarray(neutral, x.dtype)[()]))


@rule("reduce")
def _reduce(context: Context, node: Node, operands: Operands) -> Named:
    kind, dims = node.attrs["kind"], tuple(node.attrs["dims"])
    x = _masked(context, node, operands[0], dims)
    axes = tuple(x.axis(d) for d in dims)
    rest = tuple(d for d in x.dims if d not in dims)
    if kind == "mean":
        return _mean(context, node, x, dims)
    if kind == "logsumexp":
        return Named(_logsumexp(x.array, axes), rest)
    if kind in ("max", "min"):
        # -inf and NaN in the data win over the finite neutral element, which only an empty axis shows
        reduce = np.max if kind == "max" else np.min
        if all(x.array.shape[a] for a in axes):
            return Named(np.asarray(reduce(x.array, axis=axes)), rest)
        neutral = node.op.neutral(str(x.array.dtype), node.attrs) if node.op.neutral else 0
        return Named(_extreme(x.array, axes, reduce, neutral), rest)
    functions: dict[str, Callable[..., Array]] = {"sum": np.sum, "prod": np.prod, "any": np.any, "all": np.all}
    function = functions[kind]
    return Named(np.asarray(function(x.array, axis=axes)), rest)


def _mean(context: Context, node: Node, x: Named, dims: Sequence[Dim]) -> Named:
    """Sum over count of the valid frames; the mean of no frame is zero."""
    count = Named(np.ones((), np.int64))
    for dim in dims:
        ones = Named(np.ones(x.extent(dim), np.int64), (dim,))
        arrays, at = align(count, ones)
        count = Named(arrays[0] * arrays[1], at)
    if node.attrs["mask"]:
        count = valid_only(context, count, dims, 0)
    n = np.sum(count.array, axis=tuple(count.axis(d) for d in dims))
    total = np.sum(x.array, axis=tuple(x.axis(d) for d in dims))
    rest, counted = (tuple(d for d in v.dims if d not in dims) for v in (x, count))
    arrays, at = align(Named(np.asarray(total), rest), Named(np.asarray(n), counted))
    divisor = np.maximum(arrays[1], 1).astype(x.array.dtype)
    return Named(np.asarray(arrays[0] / divisor if x.array.dtype.kind in "fc" else arrays[0] // divisor), at)


@rule("argmax", "argmin")
def _arg_reduce(context: Context, node: Node, operands: Operands) -> Named:
    """The first of equal entries; 0 for a sequence without frames."""
    dim = node.attrs["dim"]
    x = _masked(context, node, operands[0], [dim]).last(dim)
    if x.array.shape[-1] == 0:
        return Named(np.zeros(x.array.shape[:-1], np.int64), x.dims[:-1])
    function = np.argmax if node.op.name == "argmax" else np.argmin
    return Named(np.asarray(function(x.array, axis=-1)), x.dims[:-1])


@rule("cumsum")
def _cumsum(context: Context, node: Node, operands: Operands) -> Named:
    """Over the axis in memory. ``exclusive``: without the entry itself; ``reverse``: from the end."""
    x = operands[0].last(node.attrs["dim"])
    array = x.array[..., ::-1] if node.attrs["reverse"] else x.array
    total = np.cumsum(array, axis=-1, dtype=array.dtype)
    if node.attrs["exclusive"]:
        total = np.concatenate([np.zeros_like(total[..., :1]), total[..., :-1]], axis=-1)
    return Named(total[..., ::-1] if node.attrs["reverse"] else total, x.dims)


def _descending(x: Array) -> Array:
    """Positions that sort the last axis from the largest down; of equal entries the lower position first."""
    n = x.shape[-1]
    return np.asarray(n - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1])


@rule("top_k")
def _top_k(context: Context, node: Node, operands: Operands) -> list[Named]:
    dim, out = node.attrs["dim"], node.attrs["k"]
    x = _masked(context, node, operands[0], [dim]).last(dim)
    k = context.extent(out)
    if k > x.array.shape[-1]:
        raise DataError("top_k of a shorter axis", where=node.origin, expected=f">= {k}", received=x.array.shape[-1])
    positions = _descending(x.array)[..., :k]
    dims = (*x.dims[:-1], out)
    return [Named(np.take_along_axis(x.array, positions, axis=-1), dims), Named(positions, dims)]


@rule("argsort")
def _argsort(context: Context, node: Node, operands: Operands) -> Named:
    dim = node.attrs["dim"]
    x = operands[0].last(dim)
    order = _descending(x.array) if node.attrs["descending"] else np.argsort(x.array, axis=-1, kind="stable")
    if node.attrs["ragged"] and context.ragged(dim):
        valid = np.broadcast_to(context.mask(dim).broadcastable(x.dims), x.array.shape)
        behind = np.take_along_axis(~valid, order, axis=-1)
        order = np.take_along_axis(order, np.argsort(behind, axis=-1, kind="stable"), axis=-1)
    return Named(order, x.dims)
