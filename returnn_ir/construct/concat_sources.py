"""Joining sources over their feature axes: what ``"from": ["a", "b"]`` means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.unify import unify
from returnn_ir.errors import DimError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["concat_features", "source_blocks"]


def concat_features(b: LayerBuilder, sources: Sequence[LayerOutput]) -> LayerOutput:
    """The sources side by side on one feature axis; their other axes are matched by RETURNN's rules."""
    if len(sources) == 1:
        return sources[0]
    features = [b.require_feature(s) for s in sources]
    if not all(f.is_static for f in features):
        raise DimError("sources are joined over feature axes of a fixed size", where=b.place("from"), received=features)
    own = tuple(b.dim(f"from{i}", f.size, feature=True) for i, f in enumerate(features))
    # how the other axes match is found on the side, with values that have no feature axis
    stand_ins = [_without(s, f) for s, f in zip(sources, features, strict=True)]
    common = unify(Builder(Region(parent=b.region)), stand_ins, b.behavior, b.place("from"))
    values = []
    for source, feature, stand_in, matched, dim in zip(sources, features, stand_ins, common.values, own, strict=True):
        value = source.value
        for node in _steps(stand_in.value, matched):
            value = b.emit(node.op, [value], node.attrs)[0]
        values.append(b.rename(value, (feature, dim)))
    out = b.dim("from", sum(map(b.size, features)), feature=True)
    joined = b.op("concat", *values, dims=own, out=out)
    largest = max(range(len(sources)), key=lambda i: len(sources[i].axes))
    axes = list(common.axes)
    axes.insert(min(sources[largest].axes.index(features[largest]), len(axes)), out)
    return LayerOutput(joined, tuple(axes), common.time_dim, out)


def source_blocks(b: LayerBuilder) -> list[tuple[int, ...]]:
    """Of each source of a layer the number of its features, or of its labels; of joined sources those of each of them.

    While types are being found, sources may be missing.
    """
    found: list[tuple[int, ...]] = []
    names = b.definition.sources_in(searching=b.program.searching)
    for name, source in zip(names, b.sources, strict=False):
        dim = source.feature_or_sparse_dim
        own = () if dim is None or dim.size is None else (dim.size,)
        found.append(b.scope.joined_blocks(name) or own)
    return found


def _without(x: LayerOutput, feature: Dim) -> LayerOutput:
    axes = tuple(d for d in x.axes if d is not feature)
    return LayerOutput(Value(x.value.type.without([feature])), axes, x.time_dim if x.time_dim in axes else None)


def _steps(start: Value, end: Value) -> list[Node]:
    """The renames and squeezes that lead from one value to another."""
    found: list[Node] = []
    while end is not start and end.node is not None:
        found.append(end.node)
        end = end.node.operands[0]
    return found[::-1]
