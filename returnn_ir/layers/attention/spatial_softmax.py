"""Layers: softmax over time or another spatial axis."""

from __future__ import annotations

import math

import numpy as np

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import Axis, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Count, Finite, option_class

__all__: list[str] = []


@option_class
class SpatialSoftmaxOptions(SourceOptions):
    """Options of ``softmax_over_spatial``.

    Attributes:
        axis: the axis that the weights sum up to one on.
        energy_factor: the scores are multiplied with it first.
        start: the first frame that is let through.
        window_start: the first frame of the window that is let through.
        window_size: of the window.
        use_time_mask: what stands behind a sequence's end does not count.
        log_space: the logarithm of the softmax.
    """

    axis: Axis = None
    energy_factor: Finite | None = None
    start: LayerRef | None = None
    window_start: int | LayerRef | None = None
    window_size: Count | LayerRef | None = None
    use_time_mask: bool | None = None
    log_space: bool = False


@layer("softmax_over_spatial", options=SpatialSoftmaxOptions, recurrent=lambda opt, out: not out.axes[-1].is_static)
def softmax_over_spatial(b: LayerBuilder, opt: SpatialSoftmaxOptions, x: LayerOutput) -> LayerOutput:
    """Softmax over the time axis, or another one, which comes last; frames behind the end weigh nothing."""
    dim = b.axis(x, opt.axis if opt.axis is not None else "T")
    masked = b.needs_mask(dim) if opt.use_time_mask is None else opt.use_time_mask
    energy = b.mul(x.value, opt.energy_factor) if opt.energy_factor else x.value
    allowed = _allowed(b, opt, x, dim)
    if (allowed is not None or opt.use_time_mask) and not (masked and dim.is_dynamic):
        raise DimError(
            "start, window_start, window_size and use_time_mask need an axis with lengths, and its mask",
            where=b.place("use_time_mask"),
            received=dim,
        )
    infinity = b.program.keys.inf_value
    if allowed is not None:
        # a finite number first: where nothing is allowed, RETURNN's weights are NaN, and so are all gradients
        lowest = float(np.finfo(energy.dtype).min) if math.isinf(infinity) else -infinity
        energy = b.where(allowed, energy, lowest)
    weights = b.op("log_softmax" if opt.log_space else "softmax", energy, dims=(dim,), mask=masked)
    if allowed is not None and math.isinf(infinity):
        weights = b.where(allowed, weights, -math.inf if opt.log_space else 0.0)
    result = x.with_value(weights)
    axes = (*(d for d in result.axes if d is not dim), dim)
    return LayerOutput(weights, axes, result.time_dim, result.feature_dim)


def _allowed(b: LayerBuilder, opt: SpatialSoftmaxOptions, x: LayerOutput, dim: Dim) -> Value | None:
    """True on the frames that ``start`` and the window let through, None where all are."""
    frames = b.iota(dim)
    allowed: Value | None = None
    if opt.start is not None:
        allowed = b.binary("greater_equal", frames, _frame_number(b, x, opt.start))
    if opt.window_start is not None:
        if opt.window_size is None:
            raise ConfigError("window_start needs window_size", where=b.place("window_start"))
        start, size = _frame_number(b, x, opt.window_start), _frame_number(b, x, opt.window_size)
        inside = b.binary(
            "logical_and",
            b.binary("greater_equal", frames, start),
            b.binary("less", frames, b.add(start, size)),
        )
        allowed = inside if allowed is None else b.binary("logical_and", allowed, inside)
    return allowed


def _frame_number(b: LayerBuilder, x: LayerOutput, given: int | LayerRef) -> Value:
    """A number of frames: a constant, or a layer's output, its axes matched with those of ``x``."""
    if isinstance(given, int):
        return b.const(given)
    number = b.unify([x, b.layer(given)]).values[1]
    return b.op("set_sparse", number, sparse_dim=None) if number.type.sparse_dim is not None else number
