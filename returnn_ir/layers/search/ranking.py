"""Layers about order: the largest entries of an axis, and where values stand in a sorted one."""

from __future__ import annotations

import numpy as np

from returnn_ir.axes.output import LayerOutput, default_time_dim
from returnn_ir.axes.roles import with_roles
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from returnn_ir.ir.types import is_float
from returnn_ir.layers.axes.length import measured_dim
from returnn_ir.layers.axes.select import paired
from returnn_ir.network.layer_options import Axis, LayerOptions, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Size, option_class

__all__: list[str] = []


@option_class
class TopKOptions(SourceOptions):
    """Options of ``top_k``.

    Attributes:
        axis: the axis, or the axes, that entries are chosen on.
        k: how many.
        k_dim: the axis of the chosen ones.
        sorted: the largest comes first.
    """

    axis: Axis
    k: Size | LayerRef
    k_dim: Dim | None = None
    sorted: bool = True


@layer("top_k", options=TopKOptions)
def top_k(b: LayerBuilder, opt: TopKOptions, x: LayerOutput) -> LayerOutput:
    """The k largest entries over one axis, or over several together; positions are the parts ``/indices``."""
    several = isinstance(opt.axis, (list, tuple))
    axes = [b.axis(x, spec) for spec in opt.axis] if isinstance(opt.axis, (list, tuple)) else [b.axis(x, opt.axis)]
    if not axes or len(set(axes)) < len(axes):
        raise DimError("top_k needs different axes", where=b.place("axis"), received=opt.axis)
    lowest = float(np.finfo(x.dtype).min) if is_float(x.dtype) else int(np.iinfo(x.dtype).min)
    value = b.mask_tails(x.value, axes, lowest)
    searched = axes[0]
    for axis in axes[1:]:
        searched = searched * axis
    if len(axes) > 1:
        value = b.op("merge", value, dims=tuple(axes), out=searched)
    k = _how_many(b, opt)
    values, positions = b.emit(get_op("top_k"), [value], {"dim": searched, "k": k, "mask": False})
    kept = (*(d for d in values.dims if d not in (*x.axes, k)), *(d for d in x.axes if d not in axes), k)
    names = [f"indices{i}" for i in range(len(axes))] if several else ["indices"]
    parts = dict(zip(names, _unravelled(b, positions, axes), strict=True))
    time = default_time_dim(kept)
    shown = {name: with_roles(part, kept, time, None) for name, part in parts.items()}
    return LayerOutput(values, kept, time, None, parts=shown)


def _how_many(b: LayerBuilder, opt: TopKOptions) -> Dim:
    """The axis of the results."""
    name = f"{b.definition.name}:topk"
    if not isinstance(opt.k, str):
        if opt.k_dim is not None and opt.k_dim.is_static and opt.k_dim.size != opt.k:
            raise DimError("k_dim has another size", where=b.place("k_dim"), expected=opt.k, received=opt.k_dim)
        made = b.dim("k", opt.k, description=name)
        if opt.k_dim is None or not opt.k_dim.is_static:
            return made
        return opt.k_dim
    given = b.layer(opt.k)
    if opt.k_dim is not None and opt.k_dim in given.axes:
        return opt.k_dim
    made = measured_dim(given.value) or opt.k_dim or b.dim("k", None, description=name)
    if made.is_dynamic and made.expr is None and b.lookup(made) is None:
        b.define(made, b.op("set_sparse", b.cast(given.value, "int64"), sparse_dim=None))
    return made


def _unravelled(b: LayerBuilder, positions: Value, axes: list[Dim]) -> list[Value]:
    """The position on each axis, int32 labels of it, of one on all of them together."""
    rest = b.op("set_sparse", positions, sparse_dim=None)
    found: list[Value] = []
    for number, axis in reversed(list(enumerate(axes))):
        extent = b.extent(axis)
        own = b.binary("mod", rest, extent) if number else rest
        rest = b.binary("floordiv", rest, extent) if number else rest
        found.insert(0, b.op("set_sparse", b.cast(own, "int32"), sparse_dim=axis))
    return found


@option_class
class SearchSortedOptions(LayerOptions):
    """Options of ``search_sorted``.

    Attributes:
        sorted_sequence: the layer with the sorted numbers.
        values: the layer with the numbers to find a place for.
        axis: the axis of the sorted numbers.
        side: left or right of equal numbers.
    """

    sorted_sequence: LayerRef
    values: LayerRef
    axis: Axis = "T"
    side: str = "left"


@layer("search_sorted", options=SearchSortedOptions, sources="none", recurrent=True)
def search_sorted(b: LayerBuilder, opt: SearchSortedOptions) -> LayerOutput:
    """The position at which each value would be inserted, before (``left``) or behind (``right``) equal entries."""
    side = opt.side.lower()
    if side not in ("left", "right"):
        raise ConfigError("unknown side", where=b.place("side"), expected="left or right", received=opt.side)
    entries, values = b.layer(opt.sorted_sequence), b.layer(opt.values)
    axis = b.axis(entries, opt.axis)
    mapping = {d: e for d, e in paired(b, entries, values.axes).items() if d is not axis}
    shared = [mapping.get(d) for d in entries.axes if d is not axis]
    others = [d for d in values.axes if d not in shared]
    if None in shared or len(others) != 1:
        raise DimError(
            "values must have the other axes of sorted_sequence, and one of their own",
            where=b.place("values"),
            expected=entries.value.type,
            received=values.value.type,
        )
    dtype = entries.dtype
    largest = float(np.finfo(dtype).max) if is_float(dtype) else int(np.iinfo(dtype).max)
    ascending = b.op("set_sparse", b.mask_tails(entries.value, [axis], largest), sparse_dim=None)
    ascending = b.rename(ascending, *mapping.items())
    wanted = b.op("set_sparse", values.value, sparse_dim=None)
    if axis in wanted.dims:  # the values' own axis happens to be the sorted one
        inner = b.dim("sorted", None)
        if b.lookup(inner) is None:
            b.define(inner, b.length(axis))
        ascending, axis = b.rename(ascending, (axis, inner)), inner
    found = b.cast(b.op("search_sorted", ascending, wanted, dim=axis, side=side), "int32")
    if values.sparse_dim is not None:
        found = b.op("set_sparse", found, sparse_dim=values.sparse_dim)
    axes = (*(d for d in shared if d is not None), *others)
    return with_roles(found, axes, values.time_dim, values.feature_dim)
