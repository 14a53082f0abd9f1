"""Layers that read and write entries by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from returnn_ir.axes.output import LayerOutput, default_feature_dim, default_time_dim
from returnn_ir.axes.roles import arrange, batch_major, with_roles
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.settled_dims import known_dim
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import Axis, LayerOptions, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import MAX_AXES, Count, Range, option_class

__all__ = ["paired"]


def _indices(b: LayerBuilder, x: LayerOutput) -> Value:
    """Positions as int64 without a label set."""
    if not x.dtype.startswith("int"):
        raise DimError("positions must be integers", where=b.place("position"), received=x.value.type)
    return b.cast(b.op("set_sparse", x.value, sparse_dim=None), "int64")


def paired(b: LayerBuilder, x: LayerOutput, others: Sequence[Dim], *, features_too: bool = False) -> dict[Dim, Dim]:
    """Which axes of ``x`` are among ``others``: the same dims, and static ones of one size that nobody declared.

    ``features_too``: feature axes count like any other static axis, otherwise they are told apart.
    """
    mapping = {d: d for d in x.axes if d in others}
    for dim in x.axes:
        if dim in mapping or not dim.is_static:
            continue
        for other in others:
            declared = b.behavior.strict_dims and (dim.declared or other.declared)
            alike = dim.size == other.size and (features_too or not (dim.feature or other.feature))
            if alike and not declared and other not in mapping.values():
                mapping[dim] = other
                break
    return mapping


def _stand_in(b: LayerBuilder, dim: Dim, role: str) -> Dim:
    """Another name for an axis, where an operation needs to tell two uses of it apart."""
    made = b.dim(role, dim.size, description=dim.description)
    if made.is_dynamic and b.lookup(made) is None:
        b.define(made, b.length(dim))
    return made


@option_class
class GatherOptions(SourceOptions):
    """Options of ``gather``.

    Attributes:
        position: the layer with the positions, or one position.
        axis: the axis that positions are on.
        clip_to_valid: positions behind a sequence's end read its last frame.
    """

    position: LayerRef | Count
    axis: Axis
    clip_to_valid: bool = False


@layer("gather", options=GatherOptions)
def gather(b: LayerBuilder, opt: GatherOptions, x: LayerOutput) -> LayerOutput:
    """``x[position]`` on one axis; axes that both have are paired up."""
    axis = b.axis(x, opt.axis)
    if isinstance(opt.position, str):
        position = b.layer(opt.position)
        index = _indices(b, position)
    else:
        position = LayerOutput.of(b.const(opt.position), ())
        index = position.value
    if not opt.clip_to_valid and position.sparse_dim is not None and position.sparse_dim.size == axis.size:
        index = b.labels(index, axis)
    if opt.clip_to_valid:
        last = b.sub(b.extent(axis) if axis.is_batch else b.length(axis), 1)
        index = b.maximum(b.minimum(index, last), 0)
        extra = tuple(d for d in index.dims if d not in position.axes)
        position = with_roles(index, (*extra, *position.axes), position.time_dim, position.feature_dim)
    return _gathered(b, x, axis, with_roles(index, position.axes, position.time_dim, position.feature_dim))


def _gathered(b: LayerBuilder, x: LayerOutput, axis: Dim, position: LayerOutput, own: Dim | None = None) -> LayerOutput:
    """Axes of the result: those that both have, then x's before the axis, the position's own, x's behind it.

    ``own`` is an axis of the position that is never one of x's, whatever its size.
    """
    others = [d for d in x.axes if d is not axis]
    pairs = paired(b, position, others)
    mapping = {dim: partner for dim, partner in pairs.items() if dim is not axis and dim is not own}
    index = b.rename(position.value, *mapping.items())
    named = [mapping.get(d, d) for d in position.axes]
    values, source = x.value, axis
    if axis in index.dims:
        source = _stand_in(b, axis, "source")
        values = b.rename(values, (axis, source))
    value = b.op("gather", b.window_input(values, [source], 0), index, dim=source)
    common = [d for d in x.axes if d in named and d is not axis]
    rest = [d for d in x.axes if d not in common and d is not axis]
    before = max(len(common), x.axes.index(axis)) - len(common)
    axes = [*common, *rest[:before], *(d for d in named if d not in common), *rest[before:]]

    def role(mine: Dim | None, theirs: Dim | None) -> Dim | None:
        if mine is not None and mine is not axis:
            return mine
        return mapping.get(theirs, theirs) if theirs is not None else None

    time = role(x.time_dim, position.time_dim)
    if _feature_is_default(x) and _feature_is_default(position):
        return with_roles(value, axes, time, default_feature_dim(axes, time, sparse=value.type.sparse_dim is not None))
    return with_roles(value, axes, time, role(x.feature_dim, position.feature_dim))


def _feature_is_default(x: LayerOutput) -> bool:
    return x.feature_dim is default_feature_dim(x.axes, x.time_dim, sparse=x.sparse_dim is not None)


@option_class
class GatherNdOptions(SourceOptions):
    """Options of ``gather_nd``.

    Attributes:
        position: the layer with the positions, or one position.
    """

    position: LayerRef


@layer("gather_nd", options=GatherNdOptions)
def gather_nd(b: LayerBuilder, opt: GatherNdOptions, x: LayerOutput) -> LayerOutput:
    """``x[position]`` on the first axis behind the batch."""
    x, position = batch_major(x), batch_major(b.layer(opt.position))
    batch = x.batch_dim
    if batch is None or len(x.axes) < 2:
        raise DimError("gather_nd needs batch and a further axis", where=b.place("from"), received=x.value.type)
    axis = x.axes[1]
    index = b.expand(_indices(b, position), batch)
    named = position.axes if batch in position.axes else (batch, *position.axes)
    clash = {d: _stand_in(b, d, f"rest{i}") for i, d in enumerate(x.axes[2:]) if d in named}
    values = b.rename(x.value, *clash.items())
    source = axis
    if axis in named:
        source = _stand_in(b, axis, "source")
        values = b.rename(values, (axis, source))
    value = b.op("gather", values, index, dim=source)
    axes = (*named, *(clash.get(d, d) for d in x.axes[2:]))
    result = LayerOutput.of(value, axes)
    if position.time_dim is None and x.time_dim in axes:
        feature = default_feature_dim(axes, x.time_dim, sparse=value.type.sparse_dim is not None)
        return with_roles(value, axes, x.time_dim, feature)
    return result


@option_class
class ScatterNdOptions(SourceOptions):
    """Options of ``scatter_nd``.

    Attributes:
        position: the layer with the positions, or one position.
        position_axis: the axis that positions run over; it goes away.
        output_dim_via_time_from: the layer whose time axis the result has.
        out_spatial_dim: the new axis.
        filter_invalid_indices: positions outside of the result do not count; otherwise they are refused.
    """

    position: LayerRef
    position_axis: Axis
    output_dim_via_time_from: LayerRef | None = None
    out_spatial_dim: Dim | None = None
    filter_invalid_indices: bool = False


@layer("scatter_nd", options=ScatterNdOptions)
def scatter_nd(b: LayerBuilder, opt: ScatterNdOptions, x: LayerOutput) -> LayerOutput:
    """Zeros along a new axis, plus the source's frames at ``position``; positions outside of it are dropped."""
    if (opt.output_dim_via_time_from is None) == (opt.out_spatial_dim is None):
        raise ConfigError("give either output_dim_via_time_from or out_spatial_dim", where=b.place())
    position = b.layer(opt.position)
    out = opt.out_spatial_dim
    if opt.output_dim_via_time_from is not None:
        out = b.layer(opt.output_dim_via_time_from).time_dim
    if out is None:
        raise DimError("the layer has no time axis", where=b.place("output_dim_via_time_from"))
    axis = b.axis(position, opt.position_axis, "position_axis")
    if axis.is_batch:
        raise DimError("position_axis must not be the batch axis", where=b.place("position_axis"))
    mapping = paired(b, x, position.axes, features_too=True)
    value = b.expand(b.rename(x.value, *mapping.items()), axis)
    index, source = _indices(b, position), axis
    if out is axis:
        source = _stand_in(b, axis, "source")
        value, index = b.rename(value, (axis, source)), b.rename(index, (axis, source))
    elif out in value.dims or out in index.dims:
        # the same axis on both sides: what runs over it stays, the new one has its lengths
        out = _stand_in(b, out, "scattered")
    value = b.op("scatter_add", value, index, dims=(source,), out=out)
    extra = [d for d in x.axes if d not in mapping]
    axes = [out if d is axis else d for d in (*position.axes, *extra)]
    time = position.time_dim or axis
    time = out if time is axis else time
    feature = default_feature_dim(axes, time, sparse=value.type.sparse_dim is not None)
    return with_roles(value, axes, time, feature)


@option_class
class SliceNdOptions(SourceOptions):
    """Options of ``slice_nd``.

    Attributes:
        size: of the slice: a number, a Dim or a layer; None: to the end.
        start: the first frame, a number or a layer.
        min_size: of the slice, where it is to the end.
        axis: the axis that the layer works on.
        out_spatial_dim: the new axis.
    """

    size: Count | Dim | LayerRef | None
    start: int | LayerRef | None = None
    min_size: Count | None = None
    axis: Axis = "T"
    out_spatial_dim: Dim | None = None


@layer("slice_nd", options=SliceNdOptions, recurrent=True)
def slice_nd(b: LayerBuilder, opt: SliceNdOptions, x: LayerOutput) -> LayerOutput:
    """``x[start:start + size]`` with a start (and size) of its own for each sequence; zeros outside."""
    axis = b.axis(x, opt.axis)
    start = b.layer(opt.start) if isinstance(opt.start, str) else None
    mapping: dict[Dim, Dim] = {}
    first: Value
    if start is not None:
        mapping = paired(b, start, x.axes)
        first = b.rename(_indices(b, start), *mapping.items())
    else:
        number = opt.start if isinstance(opt.start, int) else 0
        if number < 0:
            raise ConfigError("start must not be negative", where=b.place("start"), received=number)
        first = b.const(number)
    size, out = _sliced_dim(b, opt, axis, first)
    step = b.add(first, b.iota(out))
    outside = b.binary("less", step, 0)
    last = _longest(b, b.length(axis), step.dims) if start is not None else b.extent(axis)
    outside = b.op("logical_or", outside, b.op("greater_equal", step, last))
    if size is not None and start is not None:
        end = b.add(first, _longest(b, size, first.dims))
        outside = b.op("logical_or", outside, b.op("greater_equal", step, end))
    if start is None:
        source, values = axis, x.value
        if out is axis:
            source = _stand_in(b, axis, "source")
            values = b.rename(values, (axis, source))
        value = b.op("gather", values, step, dim=source)
        result = arrange(x, value, [out if d is axis else d for d in x.axes], {axis: out}, keep_time=False)
    else:
        own = [mapping.get(d, d) for d in start.axes]
        where = LayerOutput(step, (*own, *(d for d in step.dims if d not in (*own, out)), out), None, None)
        time = mapping.get(start.time_dim, start.time_dim) if start.time_dim is not None else None
        time = time or default_time_dim(where.axes)
        position = with_roles(step, where.axes, time, default_feature_dim(where.axes, time, sparse=False))
        result = _gathered(b, x, axis, position, own=out)
    zero = b.const(0, result.dtype)
    return result.with_value(b.where(outside, zero, result.value))


def _longest(b: LayerBuilder, lengths: Value, dims: Sequence[Dim]) -> Value:
    """Lengths over ``dims`` only: one start for all sequences may read up to the longest one's end."""
    gone = [d for d in lengths.dims if d not in dims]
    return b.reduce("max", lengths, *gone, mask=False) if gone else lengths


def _sliced_dim(b: LayerBuilder, opt: SliceNdOptions, axis: Dim, first: Value) -> tuple[Value | None, Dim]:
    """The sizes, where they are no number, and the axis of the slice."""
    size = opt.size
    name = f"sliced-time:{b.definition.name}"
    if isinstance(size, Dim):
        size = known_dim(b, size)
        return (b.length(size) if size.is_dynamic else None), size
    if isinstance(size, int) and not isinstance(size, bool):
        out = opt.out_spatial_dim or b.dim("sliced", size, description=name)
        return None, out
    if isinstance(size, str):
        given = b.cast(b.op("set_sparse", b.layer(size).value, sparse_dim=None), "int64")
        sizes = b.maximum(given, opt.min_size) if opt.min_size else given
    elif axis.size is not None and opt.start is None:
        return None, opt.out_spatial_dim or b.dim("sliced", axis.size, description=name)
    else:
        sizes = b.maximum(b.sub(b.length(axis), first), opt.min_size or 0)
    out = opt.out_spatial_dim or b.dim("sliced", None, description=name)
    if b.lookup(out) is None:
        b.define(out, sizes)
    return sizes, out


@option_class
class BooleanMaskOptions(LayerOptions):
    """Options of ``boolean_mask``.

    Attributes:
        mask: the layer that says which entries stay.
        dims: the axes that are masked together.
    """

    mask: LayerRef
    dims: list[Dim] | tuple[Dim, ...]


@layer("boolean_mask", options=BooleanMaskOptions, sources="one")
def boolean_mask(b: LayerBuilder, opt: BooleanMaskOptions, x: LayerOutput) -> LayerOutput:
    """The entries where a mask holds, all on one axis."""
    mask = b.layer(opt.mask)
    if set(mask.axes) != set(opt.dims) or mask.dtype != "bool":
        raise DimError(
            "dims must be the axes of a bool mask", where=b.place("dims"), expected=list(mask.axes), received=opt.dims
        )
    dims: Sequence[Dim] = tuple(opt.dims)
    out = opt.out_dim or b.dim("mask", None, description=f"{b.definition.name}:mask")
    if b.lookup(out) is None:
        b.define(out, b.reduce("sum", b.cast(mask.value, "int64"), *dims, mask=False))
    value = b.op("masked_select", b.expand(x.value, *dims), mask.value, dims=tuple(dims), out=out)
    return LayerOutput.of(value, (out, *(d for d in x.axes if d not in dims)))


@option_class
class UnflattenNdOptions(LayerOptions):
    """Options of ``unflatten_nd``.

    Attributes:
        sizes: the layer with the sizes of the new axes.
        num_axes: how many axes the one becomes.
        in_dim: the axis that is cut.
        out_dims: the axes that come out.
        declare_same_sizes_as: by number of a new axis, the layer whose axis it is.
    """

    sizes: LayerRef
    num_axes: Annotated[int, Range(1, MAX_AXES)]
    in_dim: Axis = "T"
    out_dims: list[Dim] | tuple[Dim, ...] | None = None
    declare_same_sizes_as: dict[int, LayerRef] | None = None


@layer("unflatten_nd", options=UnflattenNdOptions, recurrent=True)
def unflatten_nd(b: LayerBuilder, opt: UnflattenNdOptions, x: LayerOutput) -> LayerOutput:
    """One axis of flattened images to several axes, by the sizes of each image."""
    x = batch_major(x)
    axis = b.axis(x, opt.in_dim, "in_dim")
    sizes = b.layer(opt.sizes)
    number = next((d for d in sizes.axes if not d.is_batch), None)
    if number is None or len(sizes.axes) != 2:
        raise DimError("sizes must be [batch, number of axes]", where=b.place("sizes"), received=sizes.value.type)
    each = [
        b.cast(b.op("gather", b.op("set_sparse", sizes.value, sparse_dim=None), b.const(i), dim=number), "int64")
        for i in range(opt.num_axes)
    ]
    outs = [_unflattened_dim(b, opt, i, each[i]) for i in range(opt.num_axes)]
    position: Value = b.const(0)
    inside: Value = b.const(True)
    for out, extent in zip(outs, each, strict=True):
        position = b.add(b.mul(position, extent), b.iota(out))
        inside = b.op("logical_and", inside, b.op("less", b.iota(out), extent))
    value = b.op("gather", x.value, b.where(inside, position, 0), dim=axis)
    axes = [d for d in x.axes if d is not axis]
    axes[1:1] = outs
    return arrange(x, value, axes)


def _unflattened_dim(b: LayerBuilder, opt: UnflattenNdOptions, number: int, sizes: Value) -> Dim:
    same = (opt.declare_same_sizes_as or {}).get(number)
    if same is not None:
        time = b.layer(same).time_dim
        if time is None:
            raise DimError("the layer has no time axis", where=b.place("declare_same_sizes_as"), received=same)
        return time
    out = (
        opt.out_dims[number]
        if opt.out_dims
        else b.dim(f"unflatten{number}", None, description=f"{b.definition.name}:unflatten-nd:{number}")
    )
    if out.is_dynamic and out.expr is None and b.lookup(out) is None:
        b.define(out, sizes)
    return out
