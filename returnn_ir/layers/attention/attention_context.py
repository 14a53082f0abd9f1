"""Layers: attention contexts, weighted sums of a base over its time axis.

generic_attention takes the weights from another layer; dot_attention (Luong et al. 2015), concat_attention (Bahdanau et
al. 2014) and gauss_window_attention (a fixed window around a position) make their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.dense.dot import DotOptions, dot
from returnn_ir.network.layer_options import LayerOptions, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Finite, Positive, Size, option_class

__all__: list[str] = []


@option_class
class GenericAttentionOptions(SourceOptions):
    """Options of ``generic_attention``.

    Attributes:
        weights: the layer with the weights.
        base: the layer that is attended to.
        auto_squeeze: an axis of size one is taken out of the result.
    """

    weights: LayerRef
    base: LayerRef
    auto_squeeze: bool = True


@option_class
class ConcatAttentionOptions(SourceOptions):
    """Options of ``concat_attention``.

    Attributes:
        base: the layer that is attended to.
        base_ctx: the layer with the keys.
    """

    base: LayerRef
    base_ctx: LayerRef


@option_class
class DotAttentionOptions(ConcatAttentionOptions):
    """Options of ``dot_attention``.

    Attributes:
        energy_factor: the scores are multiplied with it first.
    """

    energy_factor: Finite | None = None


@option_class
class GaussWindowAttentionOptions(SourceOptions):
    """Options of ``gauss_window_attention``.

    Attributes:
        base: the layer that is attended to.
        window_size: how many frames around the position have a weight.
        std: the standard deviation of the weights.
        inner_size: how many shifted positions there are; they are a new axis.
        inner_size_step: the distance of these positions.
    """

    base: LayerRef
    window_size: Size
    std: Positive = 1.0
    inner_size: Size | None = None
    inner_size_step: Finite = 0.5


# ---------------------------------------------------------------- generic_attention


@layer("generic_attention", options=GenericAttentionOptions, sources="none", recurrent=True)
def generic_attention(b: LayerBuilder, opt: GenericAttentionOptions) -> LayerOutput:
    """The base weighted by ``weights`` and summed over its time axis.

    The base's further axes (heads) are matched with those of the weights from the last one on, by size; what is left of
    the weights stays (unless it is one entry, with ``auto_squeeze``). Output: batch, common axes, those of the weights,
    the base's features.
    """
    if b.definition.sources:
        raise ConfigError("generic_attention takes 'weights' and 'base' only", where=b.place("from"))
    base, weights = b.layer(opt.base), _batch_major(b.layer(opt.weights))
    feature, time = b.require_feature(base), _time_axis(b, base, "base")
    reduced = _reduced_axis(b, weights, time)
    kept, squeezed = _remaining(b, opt, weights, base, reduced)
    if squeezed:
        value = weights.value
        for dim in squeezed:
            value = b.op("squeeze", value, dim=dim)
        weights = weights.with_axes(value, dict.fromkeys(squeezed, ()))
    # a batch axis that only one of both has is not shared
    kept.extend(d for d in weights.axes if d.is_batch and base.batch_dim is None)
    own = [feature, *(d for d in base.axes if d.is_batch and weights.batch_dim is None)]
    result: LayerOutput = dot(b, DotOptions(red1=reduced, red2=time, var1=kept, var2=own), [weights, base])
    return result


def _batch_major(x: LayerOutput) -> LayerOutput:
    axes = sorted(x.axes, key=lambda d: not d.is_batch)
    return replace(x, axes=tuple(axes))


def _time_axis(b: LayerBuilder, x: LayerOutput, key: str) -> Dim:
    if x.time_dim is None:
        raise DimError(f"the {key} has no time axis", where=b.place(key), received=x.value.type)
    return x.time_dim


def _reduced_axis(b: LayerBuilder, weights: LayerOutput, time: Dim) -> Dim:
    """The weights' axis that goes with the base's time: their time axis, of several dynamic ones that of the base."""
    own = _time_axis(b, weights, "weights")
    dynamic = [d for d in weights.axes if d.is_dynamic]
    if own.is_static or dynamic == [own]:
        return own
    if time not in dynamic:
        raise DimError(
            "the weights lack the base's time axis", where=b.place("weights"), expected=time, received=dynamic
        )
    return time


def _remaining(
    b: LayerBuilder, opt: GenericAttentionOptions, weights: LayerOutput, base: LayerOutput, reduced: Dim
) -> tuple[list[Dim], list[Dim]]:
    """The axes of the weights that the base does not share: those that stay and those that go."""
    heads = [d for d in base.axes if not d.is_batch and d is not base.time_dim and d is not base.feature_dim]
    kept: list[Dim] = []
    squeezed: list[Dim] = []
    for dim in reversed([d for d in weights.axes if not d.is_batch and d is not reduced]):
        if heads and dim.size == heads[-1].size:
            heads.pop()
        elif opt.auto_squeeze and dim.size == 1:
            squeezed.append(dim)
        else:
            kept.insert(0, dim)
    if heads:
        raise DimError(
            "the weights lack axes of the base",
            where=b.place("weights"),
            expected=", ".join(map(str, heads)),
            received=weights.value.type,
        )
    return kept, squeezed


# ---------------------------------------------------------------- dot_attention, concat_attention


@layer("dot_attention", options=DotAttentionOptions)
def dot_attention(b: LayerBuilder, opt: DotAttentionOptions, x: LayerOutput) -> LayerOutput:
    """The base weighted by a softmax over the products of source and ``base_ctx``, whose features agree in size."""
    keys, query, inner, time = _keys(b, opt, x)
    energy = b.dot(keys, query, inner)
    if opt.energy_factor:
        energy = b.mul(energy, opt.energy_factor)
    return _context(b, opt, energy, time)


@layer("concat_attention", options=ConcatAttentionOptions)
def concat_attention(b: LayerBuilder, opt: ConcatAttentionOptions, x: LayerOutput) -> LayerOutput:
    """The base weighted by a softmax over ``sum(v * tanh(base_ctx + source))``; the parameter is v [features]."""
    keys, query, inner, time = _keys(b, opt, x)
    v = b.param("v", (inner,))
    return _context(b, opt, b.dot(b.unary("tanh", b.add(keys, query)), v, inner), time)


def _keys(b: LayerBuilder, opt: ConcatAttentionOptions, x: LayerOutput) -> tuple[Value, Value, Dim, Dim]:
    """``base_ctx`` over the base's time axis, the source over the features of ``base_ctx``, and these two dims."""
    base, ctx = b.layer(opt.base), b.layer(opt.base_ctx)
    time, inner, feature = _time_axis(b, base, "base"), b.require_feature(ctx), b.require_feature(x)
    if feature.size != inner.size:
        raise DimError(
            "source and base_ctx differ in their features",
            where=b.place("base_ctx"),
            expected=feature,
            received=inner,
        )
    keys = b.rename(ctx.value, (_time_axis(b, ctx, "base_ctx"), time))
    own = b.dim("energy", inner.size, feature=True)
    return b.rename(keys, (inner, own)), b.rename(x.value, (feature, own)), own, time


def _context(b: LayerBuilder, opt: ConcatAttentionOptions, energy: Value, time: Dim) -> LayerOutput:
    weights = b.op("softmax", energy, dims=(time,))
    # a frame behind the end has no weight, so that no second mask is needed
    base = b.layer(opt.base)
    return _without_time(b, opt, base, b.dot(weights, base.value, time, mask=False))


def _without_time(b: LayerBuilder, opt: LayerOptions, base: LayerOutput, value: Value, *new: Dim) -> LayerOutput:
    """The base's axes without time, ``new`` ones in front of the features; what the source brings in goes behind."""
    feature = b.require_feature(base)
    if opt.n_out is not None and opt.n_out != feature.size:
        raise DimError(
            "n_out is not the size of the base's features", where=b.place("n_out"), expected=feature, received=opt.n_out
        )
    known = [d for d in base.axes if d in value.dims and d is not feature]
    brought = [d for d in value.dims if d not in (*known, feature, *new)]
    axes = (*sorted([*known, *brought], key=lambda d: not d.is_batch), *new, feature)
    return LayerOutput(value, axes, None, feature)


# ---------------------------------------------------------------- gauss_window_attention


@layer("gauss_window_attention", options=GaussWindowAttentionOptions)
def gauss_window_attention(b: LayerBuilder, opt: GaussWindowAttentionOptions, x: LayerOutput) -> LayerOutput:
    """The frames of the base around a position, weighted by a normal density around it.

    The source is the position in frames, a number per sequence, which is rounded (half to even) for the window of
    ``window_size`` frames. Frames beyond either end repeat the outermost one, with the weight of where they would be.
    With ``inner_size`` there are so many densities, ``inner_size_step`` apart, on an axis of their own.
    """
    base = b.layer(opt.base)
    time = _time_axis(b, base, "base")
    position = _position(b, x)
    window = b.dim("window", opt.window_size)
    first = b.sub(b.cast(b.unary("round", position), "int64"), opt.window_size // 2)
    frames = b.add(b.iota(window), first)
    last = b.maximum(b.sub(b.length(time), 1), 0)
    seen = b.op("gather", base.value, b.minimum(b.maximum(frames, 0), last), dim=time)
    new: Sequence[Dim] = ()
    if opt.inner_size:
        b.require_room(opt.inner_size)
        inner = b.dim("inner", opt.inner_size)
        shifts = np.arange(opt.inner_size) * opt.inner_size_step - opt.inner_size / 2
        position, new = b.add(position, b.const(shifts, "float32", (inner,))), (inner,)
    away = b.sub(position, b.cast(frames, "float32"))
    density = b.unary("exp", b.mul(b.mul(away, away), -0.5 / opt.std**2))
    weights = b.mul(density, 1.0 / (opt.std * math.sqrt(2 * math.pi)))
    return _without_time(b, opt, base, b.dot(seen, weights, window), *new)


def _position(b: LayerBuilder, x: LayerOutput) -> Value:
    """One number per sequence: the source, without its feature axis of size one."""
    value = x.value
    if x.feature_dim is not None:
        if x.feature_dim.size != 1:
            raise DimError("a position is one number", where=b.place("from"), received=value.type)
        value = b.op("squeeze", value, dim=x.feature_dim)
    return b.cast(value, "float32")
