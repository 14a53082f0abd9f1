"""Layers: convolution and pooling over spatial axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.initializers import Init, option_init
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import is_float
from returnn_ir.layers.dense.activations import activate
from returnn_ir.layers.windows.geometry import (
    Geometry,
    SpatialAxes,
    SpatialInput,
    adopt_dims,
    apply_padding,
    per_axis,
    spatial_input,
)
from returnn_ir.network.layer_options import LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Count, Positive, Size, option_class

__all__ = ["add_bias", "window_sizes"]


@option_class
class ConvOptions(SourceOptions):
    """Options of ``conv``.

    Attributes:
        filter_size: of the filter, by axis.
        padding: same, valid, or numbers of frames.
        strides: steps of the filter, by axis or for all.
        dilation_rate: distance of the filter's entries, by axis or for all.
        groups: features are convolved in so many groups.
        input_expand_dims: so many axes of size one are added to the input.
        input_add_feature_dim: the features become an axis of the filter; the new feature axis has size one.
        input_split_feature_dim: as before, and the new feature axis has this size.
        in_spatial_dims: the axes that the filter runs over; None: all dynamic and other spatial ones.
        out_spatial_dims: the axes that come out for them, in the same order.
        auto_use_channel_first: the order in memory may change.
        with_bias: a bias is added; None: by the behaviour version.
        activation: applied to the result: a name or an expression.
        forward_weights_init: initial value of the weights for the input.
        bias_init: initial value of the bias.
        filter: a layer that gives the filter, instead of a parameter.
        filter_perm: where the axes of that filter belong, by name.
        bias: a layer that gives the bias, instead of a parameter.
        use_time_mask: what stands behind a sequence's end does not count.
        pad_seq_len_to_power: pads the longest sequence, which saves compilations.
    """

    filter_size: Sequence[Size | Dim]
    padding: str | Count | Sequence[Count]
    strides: Size | Sequence[Size] = 1
    dilation_rate: Size | Sequence[Size] = 1
    groups: Size = 1
    input_expand_dims: Count = 0
    input_add_feature_dim: bool = False
    input_split_feature_dim: Size | None = None
    in_spatial_dims: SpatialAxes = None
    out_spatial_dims: Sequence[Dim] | None = None
    auto_use_channel_first: bool | None = None  # a matter of layout, which is not RETURNN's here
    with_bias: bool | None = None
    activation: str | None = None
    forward_weights_init: Init = "glorot_uniform"
    bias_init: Init = 0.0
    filter: LayerRef | None = None
    filter_perm: Any = None  # the filter's axes are found by their dims, so their order means nothing
    bias: LayerRef | None = None
    use_time_mask: bool = False
    pad_seq_len_to_power: Positive | None = None


@layer("conv", options=ConvOptions, names_time=True, recurrent=True)
def conv(b: LayerBuilder, opt: ConvOptions, x: LayerOutput) -> LayerOutput:
    """Convolution (cross-correlation) over one to three spatial axes. Output: batch axes, spatial axes, features."""
    sizes = window_sizes(b, opt.filter_size, "filter_size")
    source = spatial_input(
        b,
        x,
        len(sizes),
        opt.in_spatial_dims,
        expand=opt.input_expand_dims,
        split_feature=opt.input_split_feature_dim,
        add_feature=opt.input_add_feature_dim,
    )
    source = _masked(b, source, opt.use_time_mask, 0.0)
    geometry = _geometry(b, sizes, opt.strides, opt.dilation_rate)
    _refuse_power_padding(b, opt, source, geometry)
    padded, geometry, outs = apply_padding(b, source, geometry, opt.padding, 0.0)
    out = b.out_feature_dim()
    filters, filter_dims, filter_in = _filters(b, opt, source.feature, out, sizes)
    value = b.op(
        "conv",
        padded.value,
        filters,
        dims=padded.dims,
        outs=outs,
        in_dim=padded.feature,
        out_dim=out,
        filter_dims=filter_dims,
        filter_in=filter_in,
        strides=geometry.strides,
        dilations=geometry.dilations,
        padding=geometry.padding,
        groups=opt.groups,
    )
    result = source.output(b, value, outs, out)
    with_bias = opt.with_bias
    if with_bias is None:
        with_bias = b.behavior.conv_bias or opt.bias is not None
    result = add_bias(b, result, out, with_bias, opt.bias, option_init(opt, "bias_init"))
    return adopt_dims(b, activate(b, opt.activation, result), outs, opt.out_spatial_dims)


def window_sizes(b: LayerBuilder, given: Sequence[int | Dim], key: str) -> tuple[int, ...]:
    """The window's extents, of dims their sizes."""
    sizes = [d.size if isinstance(d, Dim) else d for d in given]
    known = tuple(s for s in sizes if s is not None and s > 0)
    if len(known) != len(sizes) or not 1 <= len(known) <= 3:
        raise ConfigError("a window has one to three static axes", where=b.place(key), received=list(given))
    return known


def _geometry(b: LayerBuilder, sizes: tuple[int, ...], strides: Any, dilations: Any) -> Geometry:
    count = len(sizes)
    each = per_axis(b, strides, count, "strides"), per_axis(b, dilations, count, "dilation_rate")
    return Geometry(sizes, *each, padding="valid")


def _masked(b: LayerBuilder, x: SpatialInput, always: bool, neutral: float) -> SpatialInput:
    mask = b.mask_tails if always else b.window_input
    return replace(x, value=mask(x.value, x.dims, neutral))


def _refuse_power_padding(b: LayerBuilder, opt: ConvOptions, x: SpatialInput, geometry: Geometry) -> None:
    """``pad_seq_len_to_power`` only saves compilations, except where the axis in memory decides the geometry."""
    power = opt.pad_seq_len_to_power or b.program.keys.conv_pad_seq_len_to_power
    strided = any(s > 1 and d.is_dynamic for s, d in zip(geometry.strides, x.dims, strict=True))
    if power and strided and isinstance(opt.padding, str) and opt.padding.lower() == "same":
        raise ConfigError(
            "pad_seq_len_to_power changes the results of a strided convolution with padding 'same'",
            where=b.place("pad_seq_len_to_power"),
            hint="leave it out, or padding 'same_static'",
        )


def _filters(
    b: LayerBuilder, opt: ConvOptions, in_dim: Dim, out: Dim, sizes: tuple[int, ...]
) -> tuple[Value, tuple[Dim, ...], Dim]:
    """The filter [*filter_dims, in / groups, out]: a parameter, or what another layer gives."""
    channels = b.size(in_dim)
    if channels % opt.groups or b.size(out) % opt.groups:
        raise ConfigError(
            "groups must divide the numbers of input and output features",
            where=b.place("groups"),
            received=f"{opt.groups} groups, {channels} -> {out.size} features",
        )
    filter_dims = tuple(b.dim(f"filter{i}", size) for i, size in enumerate(sizes))
    filter_in = b.dim("filter_in", channels // opt.groups, feature=True)
    if opt.filter is None:
        return (
            b.param("W", (*filter_dims, filter_in, out), option_init(opt, "forward_weights_init")),
            filter_dims,
            filter_in,
        )
    given = b.layer(opt.filter)
    wanted = opt.out_dim if opt.out_dim is not None else out
    # a square filter tells its axes apart by a dim and its copy, of which in_dim names one
    named_in = opt.in_dim if isinstance(opt.in_dim, Dim) and opt.in_dim in given.axes else in_dim
    features = _matching(b, given, [named_in if opt.groups == 1 else filter_in, wanted])
    rest = [d for d in given.axes if d not in features]
    named = [d for d in opt.filter_size if isinstance(d, Dim)]
    ordered = named if named and set(named) == set(rest) else rest
    if [d.size for d in ordered] != list(sizes):
        raise DimError("the filter has other axes", where=b.place("filter"), expected=sizes, received=given.value.type)
    pairs = zip((*ordered, *features), (*filter_dims, filter_in, out), strict=True)
    return b.rename(given.value, *pairs), filter_dims, filter_in


def _matching(b: LayerBuilder, given: LayerOutput, wanted: Sequence[Dim]) -> list[Dim]:
    """For each wanted dim the same one among the axes, else the first one of its size."""
    found: list[Dim] = []
    for dim in wanted:
        free = [d for d in given.axes if d not in found]
        match = dim if dim in free else next((d for d in free if d.size == dim.size), None)
        if match is None:
            raise DimError("the filter lacks an axis", where=b.place("filter"), expected=dim, received=given.value.type)
        found.append(match)
    return found


def add_bias(
    b: LayerBuilder, x: LayerOutput, out: Dim, with_bias: bool, layer_name: LayerRef | None, init: Init
) -> LayerOutput:
    """Add the parameter ``bias``, or another layer's output in its place."""
    if layer_name is not None:
        if not with_bias:
            raise ConfigError("a bias is given, and with_bias is off", where=b.place("with_bias"))
        given = b.layer(layer_name)
        declared = next((d for d in given.axes if out not in given.axes and d.size == out.size), out)
        values = b.unify([x, given.with_axes(b.rename(given.value, (declared, out)), {declared: (out,)})]).values
        return x.with_value(b.add(*values))
    return x.with_value(b.add(x.value, b.param("bias", (out,), init))) if with_bias else x


@option_class
class PoolOptions(SourceOptions):
    """Options of ``pool``.

    Attributes:
        mode: max or avg.
        pool_size: of the window, by axis.
        padding: same, valid, or numbers of frames.
        dilation_rate: distance of the filter's entries, by axis or for all.
        strides: steps of the window; None: its size.
        in_spatial_dims: the axes that the filter runs over; None: all dynamic and other spatial ones.
        out_spatial_dims: the axes that come out for them, in the same order.
        use_channel_first: the order in memory may change.
        use_time_mask: what stands behind a sequence's end does not count.
    """

    mode: str
    pool_size: Sequence[Size]
    padding: str | Count | Sequence[Count] = "VALID"
    dilation_rate: Size | Sequence[Size] = 1
    strides: Size | Sequence[Size] | None = None
    in_spatial_dims: SpatialAxes = None
    out_spatial_dims: Sequence[Dim] | None = None
    use_channel_first: bool | None = None  # a matter of layout
    use_time_mask: bool = False


@layer("pool", options=PoolOptions, names_time=True, recurrent=True)
def pool(b: LayerBuilder, opt: PoolOptions, x: LayerOutput) -> LayerOutput:
    """Maximum or mean of windows over spatial axes; strides are the window's size unless given."""
    mode = opt.mode.lower()
    if mode not in ("max", "avg"):
        raise ConfigError(f"unknown pooling mode {opt.mode!r}", where=b.place("mode"), expected="max or avg")
    if opt.in_dim is None and opt.out_dim is not None and opt.out_dim in x.axes:
        x = replace(x, feature_dim=opt.out_dim)
    sizes = window_sizes(b, opt.pool_size, "pool_size")
    source = spatial_input(b, x, len(sizes), opt.in_spatial_dims)
    geometry = _geometry(b, sizes, opt.strides if opt.strides is not None else sizes, opt.dilation_rate)
    if set(sizes) == set(geometry.strides) == {1}:
        return adopt_dims(
            b, source.output(b, source.value, source.dims, source.feature), source.dims, opt.out_spatial_dims
        )
    neutral = _lowest(x.dtype) if mode == "max" else 0.0
    masked = _masked(b, source, opt.use_time_mask, neutral)
    padded, geometry, outs = apply_padding(b, masked, geometry, opt.padding, neutral)
    value = _pool(b, padded, padded.value, geometry, mode, outs)
    if mode == "avg" and b.program.masks_tails:
        value = _per_valid_frame(b, opt, value, source)
    return adopt_dims(b, source.output(b, value, outs, source.feature), outs, opt.out_spatial_dims)


def _lowest(dtype: str) -> float:
    """The maximum of a window with nothing but padding, as TensorFlow has it: no infinity."""
    return float(np.finfo(dtype).min) if is_float(dtype) else -math.inf


def _pool(
    b: LayerBuilder, x: SpatialInput, value: Value, geometry: Geometry, mode: str, outs: tuple[Dim, ...]
) -> Value:
    return b.op(
        "pool",
        value,
        kind=mode,
        dims=x.dims,
        outs=outs,
        sizes=geometry.sizes,
        strides=geometry.strides,
        dilations=geometry.dilations,
        padding=geometry.padding,
    )


def _per_valid_frame(b: LayerBuilder, opt: PoolOptions, total: Value, source: SpatialInput) -> Value:
    """With ``padding = "masked"`` a mean is one over the valid frames: what stands behind the end counts nothing."""
    ones = b.expand(b.const(1.0), *source.dims)
    for dim in source.dims:
        ones = b.expand(ones, *b.length(dim).dims)
    counted = replace(source, value=b.mask_tails(ones, source.dims, 0.0))
    strides = opt.strides if opt.strides is not None else tuple(opt.pool_size)
    geometry = _geometry(b, tuple(opt.pool_size), strides, opt.dilation_rate)
    padded, geometry, outs = apply_padding(b, counted, geometry, opt.padding, 0.0)
    share = _pool(b, padded, padded.value, geometry, "avg", outs)
    # behind every sequence's end no frame is valid
    return b.where(b.binary("greater", share, 0.0), b.div(total, share), 0.0)
