"""Reading and writing entries by position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.reference.named import Named, union
from compiler.reference.registry import Context, rule
from returnn_ir.ir.graph import Node

__all__: list[str] = []

Operands = Sequence[Named]


@rule("gather")
def _gather(context: Context, node: Node, operands: Operands) -> Named:
    """For every entry of the shared dims, rows of ``values``; a position outside reads the nearest entry."""
    dim = node.attrs["dim"]
    values, indices = operands
    shared = tuple(d for d in values.dims if d in indices.dims)
    rest = tuple(d for d in values.dims if d not in shared and d is not dim)
    new = tuple(d for d in indices.dims if d not in shared)
    v, i = values.to((*shared, dim, *rest)).array, indices.to((*shared, *new)).array
    pairs = int(np.prod(v.shape[: len(shared)]))
    extent = values.extent(dim)
    shape = (*i.shape, *v.shape[len(shared) + 1 :])
    if extent == 0:  # nothing to read
        return Named(np.zeros(shape, v.dtype), (*shared, *new, *rest))
    row = v.reshape(pairs, extent, int(np.prod(v.shape[len(shared) + 1 :])))
    at = np.clip(i, 0, extent - 1).reshape(pairs, int(np.prod(i.shape[len(shared) :])))
    return Named(row[np.arange(pairs)[:, None], at].reshape(shape), (*shared, *new, *rest))


@rule("scatter_add")
def _scatter_add(context: Context, node: Node, operands: Operands) -> Named:
    out, dims = node.attrs["out"], tuple(node.attrs["dims"])
    values, indices = operands
    kept = tuple(d for d in union(indices, values) if d not in dims)
    i, v = np.broadcast_arrays(indices.broadcastable((*kept, *dims)), values.broadcastable((*kept, *dims)))
    shape, extent = v.shape[: len(kept)], context.extent(out)
    rows = int(np.prod(shape))
    added = int(np.prod(v.shape[len(kept) :]))
    i, v = i.reshape(rows, added), v.reshape(rows, added)
    row = np.broadcast_to(np.arange(rows)[:, None], i.shape)
    inside = (i >= 0) & (i < extent)
    result = np.zeros((rows, extent), v.dtype)
    np.add.at(result, (row[inside], i[inside]), v[inside])
    return Named(result.reshape(*shape, extent), (*kept, out))


@rule("masked_select")
def _masked_select(context: Context, node: Node, operands: Operands) -> Named:
    dims = tuple(node.attrs["dims"])
    values, mask = operands
    rest = tuple(d for d in values.dims if d not in dims)
    chosen = mask.to(dims).array
    v = values.broadcastable((*dims, *rest))
    v = np.broadcast_to(v, (*chosen.shape, *v.shape[len(dims) :]))
    return Named(v[chosen], (node.attrs["out"], *rest))


@rule("search_sorted")
def _search_sorted(context: Context, node: Node, operands: Operands) -> Named:
    """How many entries stand before the value: those below it (``left``), or not above it (``right``)."""
    dim = node.attrs["dim"]
    ascending, values = operands
    dims = tuple(dict.fromkeys((*(d for d in ascending.dims if d is not dim), *values.dims)))
    entries = ascending.broadcastable((*dims, dim))
    wanted = values.broadcastable(dims)[..., None]
    before = entries < wanted if node.attrs["side"] == "left" else entries <= wanted
    return Named(np.asarray(np.sum(before, axis=-1, dtype=np.int64)), dims)
