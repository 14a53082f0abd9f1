"""The size in memory of a derived axis that no array here has: one rule for all targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from returnn_ir.ir.dim_values import DimAlgebra, evaluate
from returnn_ir.ir.dims import Dim, Polynomial, leaves
from returnn_ir.ir.graph import Region

__all__ = ["derived_extent", "follows_from_extents", "has_frames"]

T = TypeVar("T")


def follows_from_extents(dim: Dim) -> bool:
    """Whether the extent of a dim is computed from those of the dims that it is derived from, like the dim itself.

    So it is where the longest sequence of one is the longest of the other (one axis varies; the batch), and where
    several varying axes are merged: their frames are merged with the padding, so the extents are multiplied and not the
    lengths. Else (``a + b`` of two ragged axes) the sequences that are the longest may be different ones, and the
    extent is the longest of the derived lengths.
    """
    if dim.expr is None:
        return False
    varying = [d for d in leaves(dim) if d.size is None]
    return dim.is_batch or len(varying) == 1 or _merges_axes(dim)


def has_frames(dim: Dim, region: Region) -> bool:
    """Whether an axis is known to have an entry: a static one, or that of a history, as long as the steps so far."""
    if dim.size is not None:
        return dim.size > 0
    home: Region | None = region
    while home is not None and dim not in home.dim_defs:
        home = home.parent
    node = home.dim_defs[dim].node if home is not None else None
    if home is None or node is None or node.op.name != "add" or not home.params:
        return False
    step = home.params[0]  # of a loop's body, the only region with parameters
    others = [v.node for v in node.operands if v is not step]
    return len(others) == 1 and others[0] is not None and others[0].op.name == "const" and others[0].attrs["value"] > 0


def _merges_axes(dim: Dim) -> bool:
    terms = dim.expr.terms if isinstance(dim.expr, Polynomial) else ()
    return any(sum(d.size is None for d in monomial) > 1 for monomial, _ in terms)


def derived_extent(dim: Dim, algebra: DimAlgebra[T], extent: Callable[[Dim], T], longest: Callable[[Dim], T]) -> T:
    """The extent of a dim that no array here has.

    Args:
        dim: dynamic, or a derived batch dim.
        algebra: of extents.
        extent: that of a dim that ``dim`` is derived from.
        longest: the longest of the lengths of a dim, 0 in an empty batch.
    """
    return evaluate(dim, algebra, extent) if follows_from_extents(dim) else longest(dim)
