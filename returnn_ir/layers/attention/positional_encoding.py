"""Layers: positional_encoding (sinusoids, Vaswani et al. 2017) and relative_positional_encoding (Shaw et al. 2018)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.initializers import Init, option_init
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.settled_dims import known_dim
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.builder import Operand
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import Axis, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Count, option_class

__all__: list[str] = []

#: The longest wavelength of the sinusoids is 2 pi times this many frames.
_LONGEST = 1.0e4


@option_class
class PositionalOptions(SourceOptions):
    """Options of ``positional_encoding``.

    Attributes:
        axis: the axis whose positions are encoded.
        add_to_input: the encoding is added to the source.
        constant: a position for all frames; -1: each has its own.
        offset: a layer that is added to the positions.
    """

    axis: Axis = None
    add_to_input: bool = False
    constant: int = -1
    offset: LayerRef | None = None


@layer("positional_encoding", keeps_feature=True, options=PositionalOptions, sources="one", recurrent=True)
def positional_encoding(b: LayerBuilder, opt: PositionalOptions, x: LayerOutput) -> LayerOutput:
    """Sinusoids of the position (or of ``constant``), plus ``offset``; alone or added to the source."""
    feature = b.require_feature(x)
    if x.axes[-1] is not feature:
        raise DimError("the feature axis must be the last one", where=b.place("from"), received=x.value.type)
    out = feature if opt.add_to_input else b.out_feature_dim(default=feature.size)
    position = b.const(opt.constant) if opt.constant > -1 else _position(b, opt, x)
    if opt.offset is not None:
        position = b.add(position, _offset(b, b.layer(opt.offset), x))
    signal = _sinusoids(b, position, out)
    if opt.add_to_input:
        return x.with_value(b.add(x.value, signal))
    return x.with_axes(b.expand(signal, *x.axes[:-1]), {feature: (out,)})


def _position(b: LayerBuilder, opt: PositionalOptions, x: LayerOutput) -> Value:
    if b.is_loop_axis(x, opt.axis):
        return b.step_number()
    time = b.axis(x, opt.axis) if opt.axis is not None else x.time_dim
    if time is None:
        raise ConfigError("the source has no time axis, and the layer is in no loop", where=b.place("from"))
    return b.iota(time)


def _offset(b: LayerBuilder, offset: LayerOutput, x: LayerOutput) -> Value:
    extra = [d for d in offset.axes if d not in x.axes[:-1]]
    if extra:
        raise DimError("offset has axes that the source lacks", where=b.place("offset"), received=offset.value.type)
    return b.op("set_sparse", offset.value, sparse_dim=None)


def _scales(b: LayerBuilder, channels: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The angular frequencies: a geometric sequence from 1 to 1 / :data:`_LONGEST`."""
    count = channels // 2
    if count == 1:
        raise ConfigError(
            "positional encoding needs at least 4 channels",
            where=b.place("n_out"),
            expected="n_out >= 4",
            received=channels,
        )
    b.require_room(count)
    increment = -math.log(_LONGEST) / (count - 1)
    return np.asarray(np.exp(np.arange(count) * increment), np.float32)


def _sinusoids(b: LayerBuilder, position: Value, out: Dim) -> Value:
    """Sines, then cosines, then a zero where the number of channels is odd."""
    channels = b.size(out)
    scales = _scales(b, channels)
    wave, sines, cosines = (Dim(f"{b.definition.path}.{n}", len(scales)) for n in ("wave", "sin", "cos"))
    angle = b.mul(b.cast(position, "float32"), b.const(scales, "float32", (wave,)))
    parts = [b.rename(b.unary("sin", angle), (wave, sines)), b.rename(b.unary("cos", angle), (wave, cosines))]
    dims = [sines, cosines]
    if channels % 2:
        dims.append(Dim(f"{b.definition.path}.odd", 1))
        parts.append(b.expand(b.const(0.0), dims[-1]))
    return b.op("concat", *parts, dims=tuple(dims), out=out)


@option_class
class RelativeOptions(SourceOptions):
    """Options of ``relative_positional_encoding``.

    Attributes:
        forward_weights_init: initial value of the weights for the input.
        clipping: larger distances count as this one.
        fixed: sinusoids, instead of a parameter.
        query_spatial_dim: the axis of the queries.
        key_value_spatial_dim: the axis of the keys.
        query_offset: of the first query's position.
    """

    forward_weights_init: Init = "glorot_uniform"
    clipping: Count = 16
    fixed: bool = False
    query_spatial_dim: Axis = None
    key_value_spatial_dim: Axis = None
    query_offset: int | None = None


@layer("relative_positional_encoding", options=RelativeOptions, recurrent=True)
def relative_positional_encoding(b: LayerBuilder, opt: RelativeOptions, x: LayerOutput) -> LayerOutput:
    """A vector for each distance of a key from a query, [queries, keys, n_out] without batch.

    It is the row ``clip(key - query, -clipping, clipping) + clipping`` of a trained matrix or of the sinusoids.
    """
    out = b.out_feature_dim()
    in_step = b.is_loop_axis(x, opt.query_spatial_dim)
    queries = b.dim("query", 1) if in_step else _spatial(b, x, opt.query_spatial_dim, "query_spatial_dim")
    keys = _keys(b, opt, x)
    if keys is queries:
        keys = b.dim("keys", queries.size)
        if keys.is_dynamic:
            b.define(keys, b.length(queries))
    rows = b.dim("distances", 2 * opt.clipping + 1)
    if opt.fixed:
        table = _sinusoids(b, b.iota(rows), out)
    else:
        table = b.param("encoding_matrix", (rows, out), option_init(opt, "forward_weights_init"))
    offset: Operand = opt.query_offset or 0
    if in_step and opt.query_offset is None:
        offset = b.enclosing_loop.builder.index
    position = b.add(b.iota(queries), offset)
    distance = b.sub(b.iota(keys), position)
    row = b.add(b.minimum(b.maximum(distance, -opt.clipping), opt.clipping), opt.clipping)
    return LayerOutput(b.op("gather", table, row, dim=rows), (queries, keys, out), queries, out)


def _keys(b: LayerBuilder, opt: RelativeOptions, x: LayerOutput) -> Dim:
    """The axis of the keys; in a loop it has all steps so far."""
    spec = opt.key_value_spatial_dim
    if not b.is_loop_axis(x, spec):
        return _spatial(b, x, spec, "key_value_spatial_dim")
    return b.steps_so_far(b.dim("keys", None))


def _spatial(b: LayerBuilder, x: LayerOutput, spec: object, key: str) -> Dim:
    if isinstance(spec, Dim):
        return known_dim(b, spec)
    dim = b.axis(x, spec, key) if spec is not None else x.time_dim
    if dim is None:
        raise ConfigError("the source has no time axis, and the layer is in no loop", where=b.place("from"))
    return dim
