"""Layers: transposed convolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.initializers import Init, option_init
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.settled_dims import is_known
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.dense.activations import activate
from returnn_ir.layers.windows.conv import add_bias, window_sizes
from returnn_ir.layers.windows.geometry import SpatialAxes, SpatialInput, adopt_dims, per_axis, spatial_input
from returnn_ir.network.layer_options import LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Count, Size, option_class

__all__: list[str] = []


@option_class
class TransposedConvOptions(SourceOptions):
    """Options of ``transposed_conv``.

    Attributes:
        filter_size: of the filter, by axis.
        strides: new frames per frame; None: the filter's size.
        padding: same or valid.
        remove_padding: frames that are cut off at both ends.
        output_padding: frames that are added at the end.
        in_spatial_dims: the axes that the filter runs over; None: all dynamic and other spatial ones.
        out_spatial_dims: the axes that come out for them, in the same order.
        with_bias: a bias is added.
        activation: applied to the result: a name or an expression.
        forward_weights_init: initial value of the weights for the input.
        bias_init: initial value of the bias.
        filter: a layer that gives the filter, instead of a parameter.
        filter_perm: where the axes of that filter belong, by name.
        bias: a layer that gives the bias, instead of a parameter.
        use_time_mask: what stands behind a sequence's end does not count.
    """

    filter_size: Sequence[Size]
    strides: Sequence[Size] | None = None
    padding: str = "same"
    remove_padding: Count | Sequence[Count] = 0
    output_padding: Count | Sequence[Count | None] | None = None
    in_spatial_dims: SpatialAxes = None
    out_spatial_dims: Sequence[Dim] | None = None
    with_bias: bool = True
    activation: str | None = None
    forward_weights_init: Init = "glorot_uniform"
    bias_init: Init = 0.0
    filter: LayerRef | None = None
    filter_perm: Any = None
    bias: LayerRef | None = None
    use_time_mask: bool = False


@dataclass(frozen=True)
class _Axis:
    """One axis: frame t goes to ``t * stride - crop``; the result has ``stride * n + extra`` frames (0 at least)."""

    size: int
    stride: int
    extra: int
    crop: int

    def out(self, dim: Dim) -> Dim:
        return dim * self.stride + self.extra


@layer("transposed_conv", options=TransposedConvOptions, recurrent=True)
def transposed_conv(b: LayerBuilder, opt: TransposedConvOptions, x: LayerOutput) -> LayerOutput:
    """The gradient of a strided convolution as a layer: every frame spreads the filter over ``stride`` new ones."""
    sizes = window_sizes(b, opt.filter_size, "filter_size")
    source = spatial_input(b, x, len(sizes), opt.in_spatial_dims)
    mask = b.mask_tails if opt.use_time_mask else b.window_input
    source = replace(source, value=mask(source.value, source.dims, 0.0))
    wanted = [_known(b, opt, i) for i in range(len(sizes))]
    axes = _axes(b, opt, sizes, wanted)
    outs = tuple(a.out(d) for a, d in zip(axes, source.dims, strict=True))
    out = b.out_feature_dim()
    filters, filter_dims, filter_in = _filters(b, opt, source.feature, out, sizes)
    value = b.op(
        "conv_transpose",
        source.value,
        filters,
        dims=source.dims,
        outs=outs,
        in_dim=source.feature,
        out_dim=out,
        filter_dims=filter_dims,
        filter_in=filter_in,
        strides=tuple(a.stride for a in axes),
        dilations=(1,) * len(axes),
        crop=tuple(a.crop for a in axes),
        extra=tuple(a.extra for a in axes),
    )
    value, outs = _cut_to(b, opt, value, source, axes, outs, wanted)
    result = add_bias(
        b, source.output(b, value, outs, out), out, opt.with_bias, opt.bias, option_init(opt, "bias_init")
    )
    return adopt_dims(b, activate(b, opt.activation, result), outs, opt.out_spatial_dims)


def _known(b: LayerBuilder, opt: TransposedConvOptions, axis: int) -> Dim | None:
    """The user's dim of an axis where its lengths are known already, so that the result is cut to them."""
    if not opt.out_spatial_dims or axis >= len(opt.out_spatial_dims) or _removes(opt):
        return None
    dim = opt.out_spatial_dims[axis]
    return dim if is_known(b, dim) else None


def _removes(opt: TransposedConvOptions) -> bool:
    given = opt.remove_padding
    return bool(given) if isinstance(given, int) else any(given)


def _axes(
    b: LayerBuilder, opt: TransposedConvOptions, sizes: tuple[int, ...], wanted: Sequence[Dim | None]
) -> list[_Axis]:
    padding = opt.padding.lower()
    if padding not in ("same", "valid"):
        raise ConfigError(f"unknown padding {opt.padding!r}", where=b.place("padding"), expected="same or valid")
    strides = per_axis(b, opt.strides if opt.strides is not None else sizes, len(sizes), "strides")
    removed = per_axis(b, opt.remove_padding, len(sizes), "remove_padding")
    added = opt.output_padding if opt.output_padding is not None else (None,) * len(sizes)
    added = per_axis(b, added, len(sizes), "output_padding")
    axes: list[_Axis] = []
    for size, stride, remove, add, dim in zip(sizes, strides, removed, added, wanted, strict=True):
        overlap = max(size - stride, 0)
        if dim is not None:
            extra = overlap  # everything; what is wanted of it depends on the lengths
            crop = 0
        else:
            if add is None:
                extra = overlap if padding == "valid" else 0
            else:
                extra = size - stride + add - (2 * (size // 2) if padding == "same" else 0)
            crop = max(size - stride - extra, 0) // 2 if padding == "same" else 0
        axes.append(_Axis(size, stride, extra - 2 * remove, crop + remove))
    return axes


def _cut_to(
    b: LayerBuilder,
    opt: TransposedConvOptions,
    value: Value,
    x: SpatialInput,
    axes: Sequence[_Axis],
    outs: tuple[Dim, ...],
    wanted: Sequence[Dim | None],
) -> tuple[Value, tuple[Dim, ...]]:
    """Bring axes to known dims as TensorFlow does for a given output shape.

    What is too long loses its end, or with 'same' as much at both ends; what is too short is zero behind its end.
    """
    result = list(outs)
    for i, (axis, dim, target) in enumerate(zip(axes, x.dims, wanted, strict=True)):
        if target is None:
            continue
        position = b.iota(target)
        if opt.padding.lower() == "same":
            spread = b.add(b.mul(b.sub(b.extent(dim), 1), axis.stride), axis.size)
            surplus = b.maximum(b.sub(spread, b.extent(target)), 0)
            position = b.add(position, b.binary("floordiv", surplus, 2))
        there = b.op("less", position, b.extent(outs[i]))
        gathered = b.op("gather", value, position, dim=outs[i])
        value = b.where(there, gathered, b.const(0, value.dtype))
        result[i] = target
    return value, tuple(result)


def _filters(
    b: LayerBuilder, opt: TransposedConvOptions, in_dim: Dim, out: Dim, sizes: tuple[int, ...]
) -> tuple[Value, tuple[Dim, ...], Dim]:
    """The filter [*filter_dims, out, in]; over one axis RETURNN's parameter has a second axis of size one."""
    filter_dims = tuple(b.dim(f"filter{i}", size) for i, size in enumerate(sizes))
    filter_in = b.dim("filter_in", in_dim.size, feature=True)
    unit = (b.dim("filter1", 1),) if len(sizes) == 1 else ()
    if opt.filter is None:
        value = b.param(
            "W_native_transposed_conv",
            (*filter_dims, *unit, out, filter_in),
            option_init(opt, "forward_weights_init"),
        )
    else:
        value = _given_filter(b, opt, opt.filter, (*filter_dims, *unit, out, filter_in), unit)
    if unit and unit[0] in value.dims:
        value = b.op("squeeze", value, dim=unit[0])
    return value, filter_dims, filter_in


def _given_filter(
    b: LayerBuilder, opt: TransposedConvOptions, name: str, wanted: tuple[Dim, ...], unit: tuple[Dim, ...]
) -> Value:
    """Another layer's output as filter, its axes by their order after ``filter_perm``."""
    given = b.layer(name)
    axes = _permuted(b, given, opt.filter_perm)
    if len(axes) == len(wanted) - len(unit):
        wanted = tuple(d for d in wanted if d not in unit)
    if [d.size for d in axes] != [d.size for d in wanted]:
        raise DimError(
            "the filter has other axes",
            where=b.place("filter"),
            expected=[d.size for d in wanted],
            received=[d.size for d in axes],
        )
    return b.rename(given.value, *zip(axes, wanted, strict=True))


def _permuted(b: LayerBuilder, x: LayerOutput, perm: Any) -> list[Dim]:
    """The axes after a permutation ``{target: source}``; those that it does not name keep their order."""
    if perm is None:
        return list(x.axes)
    named = dict(enumerate(perm)) if isinstance(perm, (list, tuple)) else dict(perm)
    place = {
        (target if isinstance(target, int) else x.axes.index(b.axis(x, target, "filter_perm"))) % len(x.axes): b.axis(
            x, source, "filter_perm"
        )
        for target, source in named.items()
    }
    rest = iter(d for d in x.axes if d not in place.values())
    return [place[i] if i in place else next(rest) for i in range(len(x.axes))]
