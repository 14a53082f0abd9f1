"""Layers that add, drop, merge, split and reorder axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.roles import arrange, batch_major, moved_to, with_roles
from returnn_ir.construct.declared_dims import settle
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim, product
from returnn_ir.layers.axes.batch import merge_batch, split_batch
from returnn_ir.network.layer_options import Axis, LayerOptions, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Size, option_class

__all__: list[str] = []


# -------------------------------------------------------------------- merge


@option_class
class MergeDimsOptions(SourceOptions):
    """Options of ``merge_dims``.

    Attributes:
        axes: the axes that become one.
        keep_order: the axes are merged in their order in memory; None: by the behaviour version.
    """

    axes: Axis
    keep_order: bool | None = None


@layer("merge_dims", options=MergeDimsOptions)
def merge_dims(b: LayerBuilder, opt: MergeDimsOptions, x: LayerOutput) -> LayerOutput:
    """Flatten several axes into one."""
    keep = b.behavior.merge_keeps_order if opt.keep_order is None else opt.keep_order
    if b.behavior.merge_keeps_order and not keep:
        raise ConfigError("keep_order=False is not allowed from behavior_version 6 on", where=b.place("keep_order"))
    return _merge(b, opt, x, keep)


@layer("combine_dims", options=MergeDimsOptions)
def combine_dims(b: LayerBuilder, opt: MergeDimsOptions, x: LayerOutput) -> LayerOutput:
    """``merge_dims`` in the order of the list."""
    return _merge(b, opt, x, keep_order=True)


def _merge(b: LayerBuilder, opt: MergeDimsOptions, x: LayerOutput, keep_order: bool) -> LayerOutput:
    dims = _axes_to_merge(b, opt.axes, x, keep_order)
    if len(dims) <= 1:
        return LayerOutput(x.value, x.axes, x.time_dim, x.feature_dim)
    out = product(dims)
    if opt.n_out is not None and out.size is not None and out.size != opt.n_out and x.sparse_dim is None:
        raise DimError("n_out is not the size of the merged axis", where=b.place("n_out"), expected=out)
    renamed: dict[Dim, Dim] = {}
    if out.is_batch:
        value, renamed = merge_batch(b, x.value, dims, out, _lengths_order(x, dims, keep_order))
    else:
        value = b.op("merge", x.value, dims=tuple(dims), out=out)
    axes = [renamed.get(d, d) for d in x.axes if d not in dims]
    if x.feature_dim in dims:
        at = next(i for i, d in enumerate(x.axes) if d is x.feature_dim)
        position = at - sum(d in dims for d in x.axes[:at])
    else:
        position = min(x.axes.index(d) for d in dims)
    axes.insert(position, out)

    def role(dim: Dim | None) -> Dim | None:
        return out if dim in dims else renamed.get(dim, dim) if dim is not None else None

    feature = None if out.is_batch and x.feature_dim in dims else role(x.feature_dim)
    time = role(x.time_dim)
    swallowed = time is not None and (time.is_batch or time is feature)
    if swallowed and x.time_dim is not x.feature_dim:
        time = None
    return settle(b, with_roles(value, axes, time, feature), out, opt.out_dim)


def _lengths_order(x: LayerOutput, dims: Sequence[Dim], keep_order: bool) -> list[Dim]:
    """RETURNN repeats the lengths of other axes by where the merged axes stand in the source, not in the list."""
    batch = next(d for d in dims if d.is_batch)
    order = [batch]
    for dim in dims:
        if dim is not batch:
            behind = not keep_order or x.axes.index(dim) > x.axes.index(batch)
            order.insert(len(order) if behind else 0, dim)
    return order


def _axes_to_merge(b: LayerBuilder, spec: Axis, x: LayerOutput, keep_order: bool) -> list[Dim]:
    if not keep_order:
        found = b.axes(x, spec, "axes")
        return sorted(found, key=lambda d: (not d.is_batch, x.axes.index(d)))
    if not isinstance(spec, (list, tuple)):
        raise ConfigError(
            "the order of the axes must be given",
            where=b.place("axes"),
            expected="a list with one axis per entry",
            received=repr(spec),
        )
    dims: list[Dim] = []
    for part in spec:
        found = b.axes(x, part, "axes")
        if len(found) > 1:
            raise DimError(f"{part!r} is more than one axis", where=b.place("axes"), received=found)
        dims.extend(found)
    if len(set(dims)) != len(dims):
        raise DimError("an axis is named twice", where=b.place("axes"), received=dims)
    return dims


# -------------------------------------------------------------------- split


@option_class
class SplitDimsOptions(SourceOptions):
    """Options of ``split_dims``.

    Attributes:
        axis: the axis that is cut.
        dims: sizes of the new axes, of which one may be -1.
        pad_to_multiples: what is missing at the end is padded.
        pad_value: with which value.
    """

    axis: Axis
    dims: Sequence[Size | Literal[-1] | Dim]
    pad_to_multiples: bool | None = None
    pad_value: int | float | bool = 0


@layer("split_dims", options=SplitDimsOptions, names_time=True)
def split_dims(b: LayerBuilder, opt: SplitDimsOptions, x: LayerOutput) -> LayerOutput:
    """One axis to several; a dynamic one is padded to a multiple of what it is split by."""
    if isinstance(opt.axis, int):
        x = batch_major(x)
    axis = b.axis(x, opt.axis)
    outs, rest = _split_into(b, opt, axis)
    at = x.axes.index(axis)
    value, renamed = x.value, dict[Dim, Dim]()
    if axis.is_batch and len(outs) > 1:
        value, renamed = split_batch(b, value, axis, outs)
    elif len(outs) == 1:
        value = b.rename(value, (axis, outs[0]))
    else:
        source = axis
        if rest is not None and outs[rest] is not axis:
            source = product(outs)
            value = b.op("resize_axis", b.window_input(value, [axis], opt.pad_value), dim=axis, out=source)
            if opt.pad_value:
                inside = b.op("less", b.iota(source), b.extent(axis))
                value = b.where(inside, value, b.const(opt.pad_value, value.dtype))
        value = b.op("split", value, dim=source, outs=outs)
    axes = [renamed.get(d, d) for d in (*x.axes[:at], *outs, *x.axes[at + 1 :])]
    time = x.time_dim
    if time is axis:
        time = _split_time(outs, rest, axis)
    feature = x.feature_dim
    if feature is axis:
        named = [d for d in outs if d.feature] or list(outs)
        feature = named[-1]
    elif feature is None:
        return arrange(x, value, axes, {axis: time} if time is not None else {})
    return with_roles(
        value,
        axes,
        renamed.get(time, time) if time is not None else None,
        renamed.get(feature, feature) if feature is not None else None,
    )


def _split_time(outs: Sequence[Dim], rest: int | None, axis: Dim) -> Dim:
    """Which part goes on as time: the one of unknown size, the only spatial one, else the first spatial one."""
    if rest is not None:
        return outs[rest]
    if outs.count(axis) == 1:
        return outs[0]
    spatial = [d for d in outs if not d.feature and not d.is_batch]
    return (spatial or list(outs))[0]


def _split_into(b: LayerBuilder, opt: SplitDimsOptions, axis: Dim) -> tuple[tuple[Dim, ...], int | None]:
    """The new axes, and the number of the one whose size follows from the others."""
    given = list(opt.dims)
    if not given:
        raise ConfigError("dims are the sizes of the new axes", where=b.place("dims"), received=given)
    sizes = [d.size if isinstance(d, Dim) else d if d > 0 else None for d in given]
    unknown = [i for i, size in enumerate(sizes) if size is None]
    known_dims = [
        i for i in unknown if isinstance(dim := given[i], Dim) and (dim.is_batch or b.lookup(dim) is not None)
    ]
    rest = unknown[0] if len(unknown) == 1 and not known_dims else None
    if len(unknown) - len(known_dims) > 1:
        raise ConfigError("only one of the dims may be of unknown size", where=b.place("dims"), received=given)
    known = math.prod(size for size in sizes if size is not None)
    if rest is None and not unknown and axis.size is not None and known != axis.size:
        raise DimError(f"the sizes do not multiply to {axis.size}", where=b.place("dims"), received=given)
    if axis.is_batch and rest is None and len(given) > 1 and not any(isinstance(d, Dim) and d.is_batch for d in given):
        raise DimError(
            "the batch axis has no fixed size",
            where=b.place("dims"),
            expected="-1 as one of the sizes",
            received=given,
        )
    outs: list[Dim] = []
    for i, (dim, size) in enumerate(zip(given, sizes, strict=True)):
        if i == rest:
            outs.append(_remaining_dim(b, opt, axis, known, i, dim if isinstance(dim, Dim) else None))
        elif isinstance(dim, Dim):
            outs.append(dim)
        else:
            feature = axis.feature and not axis.is_batch
            name = f"{b.definition.name}_split_dims{i}"
            outs.append(b.dim(f"split{i}", size, feature=feature, description=name))
    return tuple(outs), rest


def _remaining_dim(
    b: LayerBuilder, opt: SplitDimsOptions, axis: Dim, known: int, number: int, wanted: Dim | None
) -> Dim:
    if axis.is_batch:
        return axis // known
    if wanted is None and known == 1:
        return axis
    if axis.size is not None:
        if axis.size % known and not opt.pad_to_multiples:
            raise DimError(f"the axis is no multiple of {known}", where=b.place("dims"), received=axis)
        name = f"{b.definition.name}_split_dims{number}_rem"
        return wanted or b.dim(f"split{number}", -(-axis.size // known), feature=axis.feature, description=name)
    if opt.pad_to_multiples is False and known != 1:
        raise ConfigError("a dynamic axis has to be padded", where=b.place("pad_to_multiples"))
    out = wanted or b.dim(
        f"split{number}", None, feature=axis.feature, description=f"{b.definition.name}_split_dims{number}_rem"
    )
    if b.lookup(out) is None:
        b.define(out, b.length(axis.ceildiv(known)))
    return out


# -------------------------------------------------------------------- add and drop axes


@option_class
class ExpandDimsOptions(SourceOptions):
    """Options of ``expand_dims``.

    Attributes:
        axis: the role or the place of the new axis.
        dim: the new axis, or its size.
    """

    axis: str | int
    dim: Size | Dim = 1


@layer("expand_dims", options=ExpandDimsOptions, names_time=True)
def expand_dims(b: LayerBuilder, opt: ExpandDimsOptions, x: LayerOutput) -> LayerOutput:
    """A new axis, along which everything is repeated."""
    if isinstance(opt.axis, int):
        x = batch_major(x)
    position = _new_axis_position(b, opt.axis, x)
    if isinstance(opt.axis, int):
        feature = x.feature_dim is not None and x.axes.index(x.feature_dim) == opt.axis
    else:
        feature = opt.axis.lower() == "f"
    new = opt.dim
    if not isinstance(new, Dim):
        new = b.dim("new", new, feature=feature, description=f"{b.definition.name}_expand_dims")
    axes = [*x.axes]
    axes.insert(position, new)
    result = arrange(x, b.expand(x.value, new), axes)
    named_spatial = isinstance(opt.axis, str) and opt.axis.lower() in ("spatial", "time", "t")
    if named_spatial and result.time_dim is None and new is not result.feature_dim:
        result = with_roles(result.value, axes, new, result.feature_dim)
    return result


def _new_axis_position(b: LayerBuilder, axis: str | int, x: LayerOutput) -> int:
    rank = len(x.axes)
    if isinstance(axis, int):
        if not -rank - 1 <= axis <= rank:
            raise DimError(
                "no place for a new axis",
                where=b.place("axis"),
                expected=f"a number from {-rank - 1} to {rank}",
                received=axis,
            )
        return axis if axis >= 0 else axis + rank + 1
    if not rank:
        return 0
    name = axis.lower()
    if name in ("f", "feature"):
        if x.sparse_dim is not None:
            raise DimError("labels have no feature axis", where=b.place("axis"))
        return rank if x.feature_dim is None else x.axes.index(x.feature_dim) + 1
    if name in ("spatial", "time", "t"):
        return rank if x.sparse_dim is not None else rank - 1
    raise ConfigError(
        "no place for a new axis", where=b.place("axis"), expected="F, spatial, T or a number", received=axis
    )


@option_class
class SqueezeOptions(SourceOptions):
    """Options of ``squeeze``.

    Attributes:
        axis: the axes of size one that go.
        enforce_batch_dim_axis: integer axes count with the batch at this place.
        allow_no_op: there may be none.
    """

    axis: Axis
    enforce_batch_dim_axis: int | None = None
    allow_no_op: bool = False


@layer("squeeze", options=SqueezeOptions)
def squeeze(b: LayerBuilder, opt: SqueezeOptions, x: LayerOutput) -> LayerOutput:
    """Drop axes of size one."""
    batch = x.batch_dim
    if opt.enforce_batch_dim_axis is not None and batch is not None:
        x = moved_to(x, batch, opt.enforce_batch_dim_axis)
    gone = [d for d in x.axes if d.size == 1] if opt.axis == "auto" else b.axes(x, opt.axis)
    wrong = [d for d in gone if d.size is not None and d.size != 1]
    if wrong:
        raise DimError("only axes of size one can be squeezed", where=b.place("axis"), received=wrong)
    value = x.value
    for dim in sorted(gone, key=x.axes.index, reverse=True):
        value = b.op("squeeze", value, dim=dim)
        x = arrange(x, value, [d for d in x.axes if d is not dim])
    return x


@option_class
class TileOptions(SourceOptions):
    """Options of ``tile``.

    Attributes:
        multiples: how often, by axis.
        out_dims: the axes that come out, by axis.
    """

    multiples: dict[Any, Size]
    out_dims: dict[Any, Dim] | None = None


@layer("tile", options=TileOptions)
def tile(b: LayerBuilder, opt: TileOptions, x: LayerOutput) -> LayerOutput:
    """Repeat whole axes one after another."""
    for spec, count in opt.multiples.items():
        axis = b.axis(x, spec, "multiples")
        if count == 1:
            continue
        if not axis.is_static:
            raise DimError("only static axes can be tiled", where=b.place("multiples"), received=axis)
        copies = b.dim(f"copies{x.axes.index(axis)}", count)
        out = axis * count
        value = b.op("merge", b.expand(x.value, copies), dims=(copies, axis), out=out)
        x = arrange(x, value, [out if d is axis else d for d in x.axes], {axis: out}, keep_feature=True)
        x = settle(b, x, out, (opt.out_dims or {}).get(spec), "out_dims")
    return x


# -------------------------------------------------------------------- order


@option_class
class SwapAxesOptions(SourceOptions):
    """Options of ``swap_axes``.

    Attributes:
        axis1: the one axis.
        axis2: the other axis.
    """

    axis1: Axis
    axis2: Axis


@layer("swap_axes", options=SwapAxesOptions, names_time=True)
def swap_axes(b: LayerBuilder, opt: SwapAxesOptions, x: LayerOutput) -> LayerOutput:
    """Exchange the positions of two axes."""
    one, two = b.axis(x, opt.axis1, "axis1"), b.axis(x, opt.axis2, "axis2")
    if one is two:
        raise DimError("both are the same axis", where=b.place("axis2"), received=one)
    exchanged = {one: two, two: one}
    return arrange(x, x.value, [exchanged.get(d, d) for d in x.axes])


@option_class
class TransposeOptions(SourceOptions):
    """Options of ``transpose``.

    Attributes:
        perm: the new order: a list of axes, or the new place by axis.
    """

    perm: dict[Any, Any] | list[Any] | tuple[Any, ...]


@layer("transpose", options=TransposeOptions, names_time=False)
def transpose(b: LayerBuilder, opt: TransposeOptions, x: LayerOutput) -> LayerOutput:
    """Reorder the axes; ``perm`` maps the axis at whose place to the axis that goes there."""
    perm = opt.perm
    pairs: Mapping[Any, Any] = perm if isinstance(perm, dict) else dict(enumerate(perm))
    if not isinstance(perm, dict) and len(perm) != len(x.axes):
        axes_there = ", ".join(map(str, x.axes))
        raise DimError("perm as a list names all axes", where=b.place("perm"), expected=axes_there, received=perm)
    positions: dict[int, Dim] = {}
    for place, axis in pairs.items():
        where = place if isinstance(place, int) else x.axes.index(b.axis(x, place, "perm"))
        positions[where % len(x.axes)] = b.axis(x, axis, "perm")
    if len(set(positions.values())) != len(pairs):
        raise DimError("perm names an axis twice", where=b.place("perm"), received=perm)
    rest = iter([d for d in x.axes if d not in positions.values()])
    axes = [positions[i] if i in positions else next(rest) for i in range(len(x.axes))]
    return arrange(x, x.value, axes, keep_feature=True)


# -------------------------------------------------------------------- reshape


@option_class
class ReshapeOptions(LayerOptions):
    """Options of ``reshape``.

    Attributes:
        in_dims: the axes that go.
        out_dims: the axes that come, with the same number of entries.
        extra_deps: layers that are computed before.
    """

    in_dims: list[Any] | tuple[Any, ...]
    out_dims: list[Any] | tuple[Any, ...]
    extra_deps: LayerRef | list[LayerRef] | tuple[LayerRef, ...] = ()


@layer("reshape", options=ReshapeOptions, sources="one")
def reshape(b: LayerBuilder, opt: ReshapeOptions, x: LayerOutput) -> LayerOutput:
    """Flatten ``in_dims`` in their order and cut the result into ``out_dims``."""
    before = [b.axis(x, d, "in_dims") for d in opt.in_dims]
    after = [d if isinstance(d, Dim) else b.axis(x, d, "out_dims") for d in opt.out_dims]
    sizes = [math.prod(d.size for d in dims if d.size is not None) for dims in (before, after)]
    if all(d.is_static for d in (*before, *after)) and sizes[0] != sizes[1]:
        raise DimError(
            "in_dims and out_dims differ in size", where=b.place("out_dims"), expected=before, received=after
        )
    position = min(x.axes.index(d) for d in before)
    value = x.value
    if len(after) == 1 and len(before) > 1:
        value = b.op("merge", value, dims=tuple(before), out=after[0])
    elif len(before) == 1 and len(after) == 1:
        value = b.rename(value, (before[0], after[0]))
    else:
        source = before[0]
        if len(before) > 1:
            source = product(before)
            value = b.op("merge", value, dims=tuple(before), out=source)
        value = b.op("split", value, dim=source, outs=tuple(after))
    axes = [d for d in x.axes if d not in before]
    axes[position:position] = after
    for dim in after:
        if dim.is_dynamic and dim.expr is None and b.lookup(dim) is None:
            raise DimError("the lengths of an out_dim are not known", where=b.place("out_dims"), received=dim)
    return LayerOutput.of(value, axes)
