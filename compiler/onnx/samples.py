"""Batches for verifying an export: random inputs whose sequences have lengths from one to the longest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.target.fixed_batch import FixedBatch
from compiler.target.protocol import Array
from returnn_ir.errors import DataError
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Graph, Node
from returnn_ir.ir.types import is_float

__all__ = ["BATCHES", "batches", "sample"]

#: Lengths per batch: one long sequence, one of a single frame, and several of different lengths.
BATCHES: tuple[tuple[int, ...], ...] = ((13,), (1,), (13, 1, 6, 2))


def batches(fixed: FixedBatch | None) -> list[tuple[int, ...]]:
    """Lengths per batch, as many and as long as a program takes."""
    if fixed is None:
        return list(BATCHES)
    small = [tuple(min(n, fixed.longest) for n in lengths[: fixed.batch]) for lengths in BATCHES]
    return list(dict.fromkeys(small))


def sample(graph: Graph, lengths: Sequence[int], rng: np.random.Generator) -> dict[str, Array]:
    """Random inputs by name; every dynamic axis has these lengths, so that axes that must agree do.

    Raises:
        DataError: an input has an axis that is derived from others.
    """
    sizes = {
        v.node.attrs["name"]: d for d, v in graph.body.dim_defs.items() if v.node is not None and _is_size(d, v.node)
    }
    inputs: dict[str, Array] = {}
    for node in graph.nodes("input"):
        name, type_ = node.attrs["name"], node.result.type
        shape = [_extent(d, lengths) for d in type_.dims]
        if name in sizes:
            held = np.asarray(lengths, np.int64)
            inputs[name] = np.broadcast_to(held if type_.dims else held.max(), shape).astype(type_.dtype)
        elif is_float(type_.dtype):
            inputs[name] = rng.standard_normal(shape).astype(type_.dtype)
        elif type_.dtype == "bool":
            inputs[name] = rng.integers(0, 2, shape).astype(bool)
        else:
            labels = type_.sparse_dim.size if type_.sparse_dim is not None else None
            inputs[name] = rng.integers(0, labels or 2, shape).astype(type_.dtype)
    return inputs


def _is_size(dim: Dim, node: Node) -> bool:
    return dim.is_dynamic and node.op.name == "input"


def _extent(dim: Dim, lengths: Sequence[int]) -> int:
    if dim.size is not None:
        return dim.size
    if len(leaves(dim)) != 1 or dim.expr is not None:
        raise DataError(f"no sample input has the axis {dim.name}", expected="a batch or time axis of its own")
    return len(lengths) if dim.is_batch else max(lengths)
