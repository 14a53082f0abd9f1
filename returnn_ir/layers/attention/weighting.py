"""Layers that weigh, gate and scale: gating, weighted_sum, elemwise_prod, scaled_grad, cast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import DTYPES, is_float
from returnn_ir.layers.dense.activations import activate
from returnn_ir.network.layer_options import Axis, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Size, option_class

__all__: list[str] = []


@option_class
class GatingOptions(SourceOptions):
    """Options of ``gating``.

    Attributes:
        activation: of the first half of the features.
        gate_activation: of the second half, which the first is multiplied with.
    """

    activation: str | Callable[..., Any] | None
    gate_activation: str | Callable[..., Any] | None = "sigmoid"


@layer("gating", options=GatingOptions, names_time=True)
def gating(b: LayerBuilder, opt: GatingOptions, x: LayerOutput) -> LayerOutput:
    """The first half of the features times the activated second half (arXiv:1612.08083)."""
    feature = b.require_feature(x)
    if feature.size is None or feature.size % 2:
        raise DimError("gating halves the features", where=b.place("from"), received=feature)
    half = feature.size // 2
    if opt.n_out is not None and opt.n_out != half:
        raise DimError("n_out is not half of the input", where=b.place("n_out"), expected=half, received=opt.n_out)
    out = b.dim("out", half, feature=True)
    parts = [
        x.with_axes(b.op("slice", x.value, dim=feature, out=out, start=start, end=start + half), {feature: (out,)})
        for start in (0, half)
    ]
    values = activate(b, opt.activation, parts[0])
    gates = activate(b, opt.gate_activation, parts[1], "gate_activation")
    return parts[0].with_value(b.mul(values.value, gates.value))


@option_class
class ElemwiseProdOptions(SourceOptions):
    """Options of ``elemwise_prod``.

    Attributes:
        axes: the axes that the layer works on.
        size: of the weights along the axes, where they have no fixed size.
    """

    axes: Axis
    size: list[Size] | tuple[Size, ...] | None = None


@layer("elemwise_prod", options=ElemwiseProdOptions)
def elemwise_prod(b: LayerBuilder, opt: ElemwiseProdOptions, x: LayerOutput) -> LayerOutput:
    """The source times a trainable weight per entry of ``axes``."""
    dims = _static_in_order(b, x, opt.axes)
    if opt.size is not None and list(opt.size) != [d.size for d in dims]:
        raise DimError(
            "size is not that of the axes", where=b.place("size"), expected=[d.size for d in dims], received=opt.size
        )
    return x.with_value(b.mul(x.value, b.param("W", dims, 1.0)))


def _static_in_order(b: LayerBuilder, x: LayerOutput, spec: Any) -> tuple[Dim, ...]:
    """The axes that a description names, all of fixed size, in the order of the source."""
    named = b.axes(x, spec, "axes")
    for dim in named:
        if not dim.is_static:
            raise DimError("the axis has no fixed size", where=b.place("axes"), received=dim)
    return tuple(d for d in x.axes if d in named)


@option_class
class WeightedSumOptions(SourceOptions):
    """Options of ``weighted_sum``.

    Attributes:
        axes: one or two axes that the weights run over.
        padding: same or valid; None: the whole axes are summed.
        size: sizes along the axes.
        keep_dims: the axes stay, with size 1.
    """

    axes: Axis
    padding: str | None = None
    size: list[Size] | tuple[Size, ...] | None = None
    keep_dims: bool | None = None


@layer("weighted_sum", options=WeightedSumOptions, names_time=False)
def weighted_sum(b: LayerBuilder, opt: WeightedSumOptions, x: LayerOutput) -> LayerOutput:
    """A trainable weighted sum over axes of fixed size, or over a window of ``size`` sliding along them."""
    named = b.axes(x, opt.axes, "axes")
    dims = tuple(d for d in x.axes if d in named)
    if opt.size is None:
        dims = _static_in_order(b, x, opt.axes)
        if opt.keep_dims or (opt.padding or "valid").lower() != "valid":
            return _sliding(b, opt, x, dims, [b.size(d) for d in dims], keep=bool(opt.keep_dims))
        weights = b.param("W", dims, 1.0 / _product([b.size(d) for d in dims]))
        return x.with_axes(b.dot(x.value, weights, *dims, mask=False), dict.fromkeys(dims, ()))
    if opt.padding is None:
        raise ConfigError("'size' needs 'padding'", where=b.place("size"), expected="valid or same")
    if len(opt.size) != len(dims):
        raise DimError("size has one entry per axis", where=b.place("size"), expected=dims, received=opt.size)
    keep = opt.keep_dims is not False
    return _sliding(b, opt, x, dims, list(opt.size), keep=keep)


def _sliding(
    b: LayerBuilder, opt: WeightedSumOptions, x: LayerOutput, dims: Sequence[Dim], sizes: list[int], *, keep: bool
) -> LayerOutput:
    """A window along each axis, then one product over all window axes."""
    padding = (opt.padding or "valid").lower()
    if padding not in ("same", "valid"):
        raise ConfigError(f"unknown padding {opt.padding!r}", where=b.place("padding"), expected="valid or same")
    value = x.value
    windows: list[Dim] = []
    mapping: dict[Dim, tuple[Dim, ...]] = {}
    for i, (dim, size) in enumerate(zip(dims, sizes, strict=True)):
        if padding == "valid" and not dim.is_static and size != 1:
            raise DimError("padding 'valid' needs axes of fixed size", where=b.place("padding"), received=dim)
        extent = dim.size if padding == "same" or dim.size is None else dim.size - size + 1
        window = b.dim(f"window{i}", size)
        windows.append(window)
        out = dim if not dim.is_static else b.dim(f"out{i}", extent, feature=dim.feature)
        # "valid" is the first frames of the windows that start at each frame
        left = (size - 1) // 2 if padding == "same" else 0
        inner = b.dim(f"inner{i}", dim.size, feature=dim.feature) if dim.is_static else dim
        value = _windows(b, value, dim, inner, window, left) if dim.is_static or size != 1 else b.expand(value, window)
        if dim.is_static:
            value = b.op("slice", value, dim=inner, out=out, start=0, end=extent)
        mapping[dim] = (out,)
    weights = b.param("W", tuple(windows), 1.0 / _product(sizes))
    result = x.with_axes(b.dot(value, weights, *windows, mask=False), mapping)
    return result if keep else _squeezed(b, result, [mapping[d][0] for d in dims])


def _windows(b: LayerBuilder, value: Value, dim: Dim, out: Dim, window: Dim, left: int) -> Value:
    if out is not dim:
        return b.op("window", value, dim=dim, out=out, window=window, left=left)
    stand_in = b.dim("frames", None)
    b.define(stand_in, b.length(dim))
    framed = b.op("window", value, dim=dim, out=stand_in, window=window, left=left)
    return b.rename(framed, (stand_in, dim))


def _squeezed(b: LayerBuilder, x: LayerOutput, dims: Sequence[Dim]) -> LayerOutput:
    for dim in dims:
        if dim.size != 1:
            raise DimError("keep_dims False needs axes of size one", where=b.place("keep_dims"), received=dim)
        x = x.with_axes(b.op("squeeze", x.value, dim=dim), {dim: ()})
    return x


def _product(sizes: Sequence[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


@option_class
class ScaledGradOptions(SourceOptions):
    """Options of ``scaled_grad``.

    Attributes:
        scale: the factor of the gradient: a number or a layer.
        shift: added to the gradient: a number or a layer.
        scale_shift_by_sum_over_axis: the shift is multiplied with the sum of the gradient's absolute values
            over this axis.
        clip_max_axis: the gradient is clipped to its largest value over this axis first.
    """

    scale: float | LayerRef
    shift: float | LayerRef | None = None
    scale_shift_by_sum_over_axis: Axis = None
    clip_max_axis: Axis = None


@layer("scaled_grad", "scaled_gradient", options=ScaledGradOptions, any_size=True, joins_sources=True)
def scaled_grad(b: LayerBuilder, opt: ScaledGradOptions, x: LayerOutput) -> LayerOutput:
    """The source; its gradient is multiplied by ``scale``, plus ``shift``; a layer needs axes of the source."""
    over = [_over(b, x, opt, key) for key in ("scale_shift_by_sum_over_axis", "clip_max_axis")]
    scale, shift = opt.scale, opt.shift
    if isinstance(scale, LayerRef) or isinstance(shift, LayerRef) or over != [None, None]:
        factors = [_factor(b, x, given or 0.0, key) for given, key in ((scale, "scale"), (shift, "shift"))]
        value = b.op("adjust_gradient", x.value, *factors, sum_over=over[0], clip_over=over[1])
        return x.with_value(value)
    if not scale and shift is None:
        return x.with_value(b.op("stop_gradient", x.value))
    return x.with_value(b.op("scale_gradient", x.value, scale=float(scale), shift=float(shift or 0.0)))


def _over(b: LayerBuilder, x: LayerOutput, opt: ScaledGradOptions, key: str) -> Dim | None:
    given = getattr(opt, key)
    return None if given is None else b.axis(x, given, key)


def _factor(b: LayerBuilder, x: LayerOutput, given: float | LayerRef, key: str) -> Value:
    """A number, or a layer's output over axes that the source has."""
    if not isinstance(given, LayerRef):
        return b.const(float(given), x.dtype)
    other = b.layer(given)
    unified = b.unify([x, other], ignore_features=True)
    own = dict(zip(unified.values[0].dims, x.value.dims, strict=True))
    further = [d for d in unified.values[1].dims if d not in own]
    if further:
        raise DimError(
            f"the layer has the axis {further[0]}, which the source does not",
            where=b.place(key),
            expected=x.value.type,
            received=other.value.type,
        )
    renamed = b.rename(unified.values[1], *((d, own[d]) for d in unified.values[1].dims if own[d] is not d))
    return b.cast(renamed, x.dtype)


@option_class
class CastOptions(SourceOptions):
    """Options of ``cast``.

    Attributes:
        dtype: of the entries.
    """

    dtype: str


@layer("cast", options=CastOptions, joins_sources=True)
def cast(b: LayerBuilder, opt: CastOptions, x: LayerOutput) -> LayerOutput:
    """Another element type; labels stay labels where they stay integers."""
    if opt.dtype not in DTYPES:
        raise ConfigError(f"unknown dtype {opt.dtype!r}", where=b.place("dtype"), expected=", ".join(DTYPES))
    value = b.cast(x.value, opt.dtype)
    if x.sparse_dim is not None and is_float(opt.dtype):
        return LayerOutput.of(value, x.axes)
    return x.with_value(value)
