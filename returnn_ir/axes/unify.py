"""RETURNN's matching of dims: which axes of several sources are the same one. It is done here, once, by renames.

What matches: the same tag; feature axes of one size; static axes of one size; before behaviour version 11 also an axis
of size one with anything (it broadcasts). Never: two dynamic dims that are known and different, and with strict
equality (version 16) dims that the user made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from returnn_ir.axes.output import LayerOutput
from returnn_ir.behavior import Behavior
from returnn_ir.errors import DimError, Origin
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dim_names import Role
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Value

__all__ = ["Unified", "match_dims", "unify"]


@dataclass(frozen=True)
class Unified:
    """Several sources over common dims.

    Attributes:
        values: one per source; it may lack axes, which broadcast.
        axes: all of them, in RETURNN's order (that of the source with most axes, further ones where they belong).
        time_dim, feature_dim: of the largest source that has one.
    """

    values: tuple[Value, ...]
    axes: tuple[Dim, ...]
    time_dim: Dim | None
    feature_dim: Dim | None

    @staticmethod
    def nothing() -> Unified:
        """No sources."""
        return Unified((), (), None, None)

    def output(self, value: Value) -> LayerOutput:
        """A result with these axes."""
        axes = tuple(d for d in self.axes if d in value.dims)
        axes = (*(d for d in value.dims if d not in axes), *axes)
        time = self.time_dim if self.time_dim in axes else None
        feature = self.feature_dim if self.feature_dim in axes and value.type.sparse_dim is None else None
        return LayerOutput(value, axes, time, feature)


def unify(
    b: Builder,
    sources: Sequence[LayerOutput],
    behavior: Behavior,
    where: Origin | None = None,
    *,
    ignore_features: bool = False,
) -> Unified:
    """Bring several sources to common dims.

    Args:
        ignore_features: features of another size are an axis of their own instead of an error.

    Raises:
        DimError: two axes play the same part and do not match.
    """
    largest = max(sources, key=lambda s: len(s.axes))
    axes = list(largest.axes)
    values: dict[int, Value] = {}
    feature = largest.feature_dim
    order = [largest, *(s for s in sources if s is not largest)]
    for source in order:
        if source is largest:
            values[id(source)] = source.value
            continue
        mapping = match_dims(source, axes, feature, behavior, where, ignore_features=ignore_features)
        value = source.value
        for dim in source.axes:
            partner = mapping.get(dim)
            if partner is None:
                _insert(axes, _role(source, dim), dim, feature, sparse=largest.sparse_dim is not None)
            elif dim.size == 1 and partner.size != 1:
                value = b.op("squeeze", value, dim=dim)
            elif partner.size == 1 and dim.size != 1:
                # the axis of size one so far gives way to the larger one
                axes[axes.index(partner)] = dim
                feature = dim if feature is partner else feature
                for key, earlier in values.items():
                    if partner in earlier.dims:
                        values[key] = b.op("squeeze", earlier, dim=partner)
        pairs = [(d, p) for d, p in mapping.items() if p is not d and p in axes and d in value.dims]
        values[id(source)] = b.rename(value, *pairs)
        own = source.feature_dim
        if own is not None and (feature is None or own not in mapping):
            # of several feature axes, the last one is the result's
            last = _role(source, own) is not Role.spatial
            feature = mapping.get(own, own) if last or feature is None else feature
    time = next((s.time_dim for s in order if s.time_dim is not None and s.time_dim in axes), None)
    return Unified(tuple(values[id(s)] for s in sources), tuple(axes), time, feature if feature in axes else None)


def match_dims(
    source: LayerOutput,
    axes: Sequence[Dim],
    feature: Dim | None,
    behavior: Behavior,
    where: Origin | None,
    *,
    ignore_features: bool = False,
) -> dict[Dim, Dim]:
    """For each axis of ``source`` that has a partner among ``axes``, the partner.

    One after the other, each axis goes with the one that is the same dim, else with the first one of its size.
    """
    mapping: dict[Dim, Dim] = {}

    def fits(dim: Dim, other: Dim) -> bool:
        if behavior.strict_dims and (_is_of_user(dim) or _is_of_user(other)):
            return False
        if behavior.broadcast_matches and dim.size == 1 and (dim is source.feature_dim) != (other is feature):
            return False  # it broadcasts, along an axis of its own kind
        return dim.is_static and dim.size == other.size

    for dim in source.axes:
        free = [d for d in axes if d not in mapping.values()]
        same = [d for d in free if d.base is dim.base]
        partner = dim if dim in same else max(same, key=lambda d: d.match_priority, default=None)
        partner = partner or next((d for d in free if fits(dim, d)), None)
        if partner is not None:
            mapping[dim] = partner
    own = source.feature_dim
    if (
        own is not None
        and own not in mapping
        and feature is not None
        and feature in axes
        and feature not in mapping.values()
    ):
        if behavior.broadcast_matches and 1 in (own.size, feature.size):
            mapping[own] = feature
        elif own.is_static and feature.is_static and not ignore_features:
            raise DimError("feature axes of different size", where=where, expected=f"{feature}", received=f"{own}")
    if behavior.broadcast_matches:
        _match_by_broadcasting(source, axes, mapping)
    return mapping


def _is_of_user(dim: Dim) -> bool:
    """Whether the user made this dim, or those that it is derived from."""
    return any(leaf.declared for leaf in leaves(dim))


def _match_by_broadcasting(source: LayerOutput, axes: Sequence[Dim], mapping: dict[Dim, Dim]) -> None:
    """An axis of size one (not the user's own dim) goes with the first axis that is left over, of whatever size."""

    def one(dim: Dim) -> bool:
        return dim.size == 1 and not _is_of_user(dim)

    for dim in source.axes:
        if dim not in mapping and not dim.is_batch:
            free = (o for o in axes if o not in mapping.values() and not o.is_batch and (one(dim) or one(o)))
            partner = next(free, None)
            if partner is not None:
                mapping[dim] = partner


def _role(source: LayerOutput, dim: Dim) -> Role | None:
    """What an axis is said to be: dims of the user say it themselves, others by the role that they have."""
    if dim.declared or dim.expr is not None:
        return dim.kind
    return Role.feature if dim is source.feature_dim else Role.spatial


def _insert(axes: list[Dim], role: Role | None, dim: Dim, feature: Dim | None, *, sparse: bool) -> None:
    """A further axis, where RETURNN puts it: the batch in front, each other one behind the last of its kind."""
    spatial = [d for d in axes if not d.is_batch and d is not feature]
    dynamic = [d for d in spatial if not d.is_static]
    if dim.is_batch:
        axes.insert(0, dim)
    elif role is Role.feature and not sparse:
        axes.insert(axes.index(feature) + 1 if feature in axes else len(axes), dim)
    elif not dim.is_static and dynamic:
        axes.insert(axes.index(dynamic[-1]) + 1, dim)
    elif role is Role.spatial and spatial:
        axes.insert(axes.index(spatial[-1]) + 1, dim)
    elif role is Role.spatial and feature in axes:
        axes.insert(axes.index(feature), dim)
    else:
        axes.append(dim)
