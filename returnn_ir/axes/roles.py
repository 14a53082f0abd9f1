"""Which axes count as time and feature after a layer changed the axes.

RETURNN knows two kinds of roles: a default one, which is found anew from whatever axes there are, and one that was set
and moves along with its axis (docs: ``Data``, ``time_dim_axis``, ``feature_dim_axis``). A role that stands where the
default would be counts as default here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from returnn_ir.axes.output import LayerOutput, default_feature_dim, default_time_dim
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value

__all__ = ["arrange", "batch_major", "moved_to", "with_roles"]


def with_roles(value: Value, axes: Sequence[Dim], time: Dim | None, feature: Dim | None) -> LayerOutput:
    """A result with these roles; labels have no feature axis."""
    return LayerOutput(value, tuple(axes), time, feature if value.type.sparse_dim is None else None)


def arrange(
    x: LayerOutput,
    value: Value,
    axes: Sequence[Dim],
    moved: Mapping[Dim, Dim] | None = None,
    *,
    keep_time: bool = True,
    keep_feature: bool = False,
) -> LayerOutput:
    """A result made of ``x`` with other axes.

    Args:
        x: where the roles come from.
        value: the new value.
        axes: its axes in RETURNN's order.
        moved: what became of axes that were replaced by one other.
        keep_time: time moves with its axis even where it was the default.
        keep_feature: so does feature.
    """
    moved = moved or {}
    time = _follow(x.time_dim, default_time_dim(x.axes), default_time_dim(axes), axes, moved, keep=keep_time)
    before = default_feature_dim(x.axes, x.time_dim, sparse=x.sparse_dim is not None)
    after = default_feature_dim(axes, time, sparse=value.type.sparse_dim is not None)
    feature = _follow(x.feature_dim, before, after, axes, moved, keep=keep_feature)
    return with_roles(value, axes, time, feature)


def _follow(
    old: Dim | None, before: Dim | None, after: Dim | None, axes: Sequence[Dim], moved: Mapping[Dim, Dim], *, keep: bool
) -> Dim | None:
    if old is None:
        return after if before is None else None
    if old is before and not keep:
        return after
    new = moved.get(old, old)
    return new if new in axes else after


def moved_to(x: LayerOutput, dim: Dim, position: int) -> LayerOutput:
    """The axis ``dim`` at another position."""
    axes = [d for d in x.axes if d is not dim]
    axes.insert(position, dim)
    return LayerOutput(x.value, tuple(axes), x.time_dim, x.feature_dim)


def batch_major(x: LayerOutput) -> LayerOutput:
    """The batch axis first, where there is one."""
    batch = x.batch_dim
    return x if batch is None else moved_to(x, batch, 0)
