"""Layers that stretch an axis: repeat, resize."""

from __future__ import annotations

from collections.abc import Sequence

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.roles import arrange, batch_major, moved_to
from returnn_ir.construct.declared_dims import settle
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import Axis, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Count, Positive, Share, option_class

__all__: list[str] = []


@option_class
class RepeatOptions(SourceOptions):
    """Options of ``repeat``.

    Attributes:
        repetitions: how often each frame comes: a number, or a layer.
        axis: the axis of the frames.
    """

    repetitions: LayerRef | Count
    axis: Axis = "T"


@layer("repeat", options=RepeatOptions)
def repeat(b: LayerBuilder, opt: RepeatOptions, x: LayerOutput) -> LayerOutput:
    """Each frame as many times as ``repetitions`` says."""
    axis = b.axis(x, opt.axis)
    counts: Value | None = None
    if isinstance(opt.repetitions, str):
        given = b.layer(opt.repetitions)
        counts = b.cast(b.op("set_sparse", given.value, sparse_dim=None), "int64")
        batch = given.batch_dim
        if batch is not None and x.batch_dim is None:
            x = arrange(x, b.expand(x.value, batch), (batch, *x.axes))
        own = [d for d in given.axes if not d.is_batch]
        if len(own) > 1:
            raise DimError(
                "repetitions may have one axis besides the batch",
                where=b.place("repetitions"),
                received=given.value.type,
            )
        if own and own[0] is not axis:
            if own[0].size != axis.size:
                raise DimError("repetitions are of another axis", where=b.place("repetitions"), expected=axis)
            counts = b.rename(counts, (own[0], axis))
    x = batch_major(x)
    x = moved_to(x, axis, 1 if x.batch_dim is not None else 0)
    value = x.value
    if b.needs_mask(axis):
        value = b.where(b.mask(axis), value, b.const(0, value.dtype))
    if counts is None:
        times = int(opt.repetitions)
        out = axis * times
        value = _each(b, value, axis, times, out)
    else:
        out = opt.out_dim or b.dim("repeated", None, feature=axis.feature, description=f"repeated:{b.definition.name}")
        value = _by_counts(b, value, axis, counts, out)
    result = arrange(x, value, [out if d is axis else d for d in x.axes], {axis: out}, keep_feature=True)
    return settle(b, result, out, opt.out_dim)


def _each(b: LayerBuilder, value: Value, axis: Dim, times: int, out: Dim) -> Value:
    """Every entry ``times`` times."""
    copies = b.dim("copies", times)
    return b.op("merge", b.expand(value, copies), dims=(axis, copies), out=out) if times != 1 else value


def _by_counts(b: LayerBuilder, value: Value, axis: Dim, counts: Value, out: Dim) -> Value:
    """The entry for a place is the first whose counts so far exceed it."""
    if axis not in counts.dims:
        counts = b.expand(counts, axis)
    if b.needs_mask(axis):
        counts = b.where(b.mask(axis), counts, 0)
    if b.lookup(out) is None:
        b.define(out, b.reduce("sum", counts, axis, mask=False))
    until = b.op("cumsum", counts, dim=axis)
    place = b.expand(b.iota(out), *(d for d in counts.dims if d is not axis))
    index = b.op("search_sorted", until, place, dim=axis, side="right")
    taken = b.op("gather", value, index, dim=axis)
    return b.where(b.mask(out), taken, b.const(0, taken.dtype)) if b.needs_mask(out) else taken


@option_class
class ResizeOptions(SourceOptions):
    """Options of ``resize``.

    Attributes:
        factor: how much longer the axis becomes.
        axis: the axis that the layer works on.
        kind: nn, linear, cubic or fill.
        fill_value: what kind fill puts between the frames.
        fill_dropout: the share of the new entries that is left out again, by chance.
    """

    factor: Positive | LayerRef
    axis: Axis
    kind: str = "nn"
    fill_value: int | float | bool | None = None
    fill_dropout: Share | None = None


@layer("resize", options=ResizeOptions)
def resize(b: LayerBuilder, opt: ResizeOptions, x: LayerOutput) -> LayerOutput:
    """An axis with ``factor`` times as many entries, by neighbours, interpolation or filling up."""
    axis = b.axis(x, opt.axis)
    if axis.is_batch:
        raise DimError("the batch axis cannot be resized", where=b.place("axis"))
    x = moved_to(batch_major(x), axis, 1)
    kind = {"nearest_neighbor": "nn"}.get(opt.kind, opt.kind)
    if kind not in ("nn", "linear", "cubic", "fill"):
        raise ConfigError(
            "unknown kind", where=b.place("kind"), expected="nn, linear, cubic or fill", received=opt.kind
        )
    out, scale = _resized_dim(b, opt, axis)
    if kind == "fill":
        value = _filled(b, opt, x, axis, out)
    else:
        value = x.value if out is axis else _interpolated(b, x.value, kind, axis, out, scale)
    if opt.fill_dropout:
        value, out = _thinned(b, opt, value, axis, out)
    result = arrange(x, value, [out if d is axis else d for d in x.axes], {axis: out}, keep_feature=True)
    return settle(b, result, out, opt.out_dim)


def _resized_dim(b: LayerBuilder, opt: ResizeOptions, axis: Dim) -> tuple[Dim, Value]:
    """The new axis, and how far its entries lie apart on the old one (float32)."""
    if isinstance(opt.factor, int):
        return axis * opt.factor, b.const(1.0 / opt.factor)
    if isinstance(opt.factor, str):
        layer_factor = b.layer(opt.factor)
        if layer_factor.axes or layer_factor.dtype not in ("int32", "int64", "float32"):
            raise DimError("factor must be one number", where=b.place("factor"), received=layer_factor.value.type)
        factor = layer_factor.value
    else:
        factor = b.const(float(opt.factor))

    def longer(length: Value) -> Value:
        return b.cast(b.unary("ceil", b.mul(b.cast(length, "float32"), b.cast(factor, "float32"))), "int64")

    out = _own_dim(b, opt, axis)
    if b.lookup(out) is None:
        b.define(out, longer(b.length(axis)))
    extent = b.extent(axis)
    return out, b.div(b.cast(extent, "float32"), b.cast(longer(extent), "float32"))


def _own_dim(b: LayerBuilder, opt: ResizeOptions, axis: Dim) -> Dim:
    """The new axis where its size does not follow from the old one's."""
    return opt.out_dim or b.dim("resized", None, feature=axis.feature, description=f"{b.definition.name}_resize")


def _thinned(b: LayerBuilder, opt: ResizeOptions, value: Value, axis: Dim, wide: Dim) -> tuple[Value, Dim]:
    """Some entries between the old ones left out, the same of all sequences, and in every mode, as RETURNN has it."""
    factor, rate = opt.factor, opt.fill_dropout or 0.0
    if not isinstance(factor, int) or factor < 2:
        raise ConfigError(
            "fill_dropout needs entries to leave out",
            where=b.place("fill_dropout"),
            expected="a whole factor above one",
            received=factor,
        )
    between, copies = b.dim("between", factor - 1), b.dim("copies", factor)
    drawn = b.binary("greater_equal", b.random("uniform", (axis, between), "fill_dropout"), rate)
    kept = b.op("pad", b.cast(drawn, "int64"), dim=between, out=copies, left=1, value=1.0)
    kept = b.op("merge", kept, dims=(axis, copies), out=wide)
    if b.needs_mask(wide):
        kept = b.where(b.mask(wide), kept, 0)
    out = _own_dim(b, opt, axis)
    if b.lookup(out) is None:
        b.define(out, b.reduce("sum", kept, wide, mask=False))
    until = b.op("cumsum", kept, dim=wide)
    place = b.expand(b.add(b.iota(out), 1), *(d for d in kept.dims if d is not wide))
    position = b.op("search_sorted", until, place, dim=wide, side="left")
    return b.op("gather", value, position, dim=wide), out


def _filled(b: LayerBuilder, opt: ResizeOptions, x: LayerOutput, axis: Dim, out: Dim) -> Value:
    fill, factor = opt.fill_value, opt.factor
    if not isinstance(factor, int) or factor <= 1 or fill is None:
        raise ConfigError("kind 'fill' needs a whole factor above one and fill_value", where=b.place("kind"))
    if x.sparse_dim is not None and fill < 0 and x.sparse_dim.size is not None:
        fill += x.sparse_dim.size
    copies = b.dim("copies", factor)
    first = b.op("equal", b.iota(copies), b.const(0))
    wide = b.where(first, b.expand(x.value, copies), b.const(fill, x.dtype))
    return b.op("merge", wide, dims=(axis, copies), out=out)


def _interpolated(b: LayerBuilder, value: Value, kind: str, axis: Dim, out: Dim, scale: Value) -> Value:
    """TensorFlow's first image resizing: entry ``i`` lies at ``i * scale``, without alignment of corners or centres."""
    at = b.mul(b.iota(out, "float32"), scale)
    floor = b.unary("floor", at)
    low = b.cast(floor, "int64")
    last = b.sub(b.extent(axis), 1)

    def take(offset: int) -> Value:
        index = b.maximum(b.minimum(b.add(low, offset), last), 0)
        return b.op("gather", value, index, dim=axis)

    if kind == "nn":
        return take(0)
    value = b.cast(value, "float32")
    part = b.sub(at, floor)
    if kind == "linear":
        below = take(0)
        return b.add(below, b.mul(b.sub(take(1), below), part))
    # the kernel looks its weights up in a table of 1024 steps
    step = b.mul(b.unary("round", b.mul(part, 1024.0)), 1.0 / 1024.0)
    weighted = [b.mul(take(offset), weight) for offset, weight in zip(range(-1, 3), _cubic(b, step), strict=True)]
    total = weighted[0]
    for further in weighted[1:]:
        total = b.add(total, further)
    return total


def _cubic(b: LayerBuilder, t: Value) -> Sequence[Value]:
    """Weights of the entries at -1, 0, 1, 2 (Keys' cubic convolution, a = -0.75) for a place ``t`` behind 0."""
    a = -0.75

    def near(x: Value) -> Value:
        inner = b.sub(b.mul(x, a + 2.0), a + 3.0)
        return b.add(b.mul(b.mul(inner, x), x), 1.0)

    def far(x: Value) -> Value:
        inner = b.add(b.mul(b.sub(b.mul(x, a), 5.0 * a), x), 8.0 * a)
        return b.sub(b.mul(inner, x), 4.0 * a)

    rest = b.sub(1.0, t)
    return [far(b.add(t, 1.0)), near(t), near(rest), far(b.add(rest, 1.0))]
