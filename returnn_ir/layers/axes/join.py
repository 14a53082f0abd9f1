"""Layers that put several sources on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.roles import arrange
from returnn_ir.axes.unify import match_dims
from returnn_ir.construct.declared_dims import settle
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import LayerOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

__all__: list[str] = []


@option_class
class ConcatOptions(LayerOptions):
    """Options of ``concat``; each entry of ``from`` is (layer, axis).

    Attributes:
        allow_broadcast: sources may lack axes of the others.
    """

    allow_broadcast: bool = False


@layer("concat", options=ConcatOptions, sources="many")
def concat(b: LayerBuilder, opt: ConcatOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """Join the sources, each along its own axis, as they lie in memory."""
    axes = _own_axes(b, sources)
    out = axes[0]
    for axis in axes[1:]:
        out = out + axis
    model = max(range(len(sources)), key=lambda i: len(sources[i].axes))
    values = _matched(b, opt, sources, axes, model)
    value = b.op("concat", *values, dims=tuple(axes), out=out)
    x = sources[model]
    order = [out if d is axes[model] else d for d in x.axes]
    order[:0] = [d for d in value.dims if d not in order]
    return settle(b, arrange(x, value, order, {axes[model]: out}), out, opt.out_dim)


def _own_axes(b: LayerBuilder, sources: Sequence[LayerOutput]) -> list[Dim]:
    given: Any = b.definition.raw.get("from")
    pairs = given if isinstance(given, (list, tuple)) else []
    if (
        not sources
        or len(pairs) != len(sources)
        or not all(isinstance(p, (list, tuple)) and len(p) == 2 for p in pairs)
    ):
        raise ConfigError(
            "concat needs an axis for each source",
            where=b.place("from"),
            expected='a list such as [("a", "T"), ("b", "T")]',
            received=given,
        )
    return [b.axis(x, spec, "from") for x, (_, spec) in zip(sources, pairs, strict=True)]


def _matched(
    b: LayerBuilder, opt: ConcatOptions, sources: Sequence[LayerOutput], axes: Sequence[Dim], model: int
) -> list[Value]:
    """The sources with the other axes named alike."""
    base = sources[model]
    common = [d for d in base.axes if d is not axes[model]]
    feature = base.feature_dim if base.feature_dim in common else None
    values: list[Value] = []
    for number, (x, own) in enumerate(zip(sources, axes, strict=True)):
        if number == model:
            values.append(x.value)
            continue
        rest = _without(b, x, own)
        mapping = match_dims(rest, common, feature, b.behavior, b.place("from"))
        missing = [d for d in common if d not in mapping.values()] + [d for d in rest.axes if d not in mapping]
        if missing and not opt.allow_broadcast:
            raise DimError(
                f"source {number} differs in further axes",
                where=b.place("from"),
                expected=common,
                received=list(rest.axes),
                hint="allow_broadcast=True repeats a source along axes that it lacks",
            )
        values.append(b.rename(x.value, *mapping.items()))
    return values


def _without(b: LayerBuilder, x: LayerOutput, axis: Dim) -> LayerOutput:
    """A stand-in without one axis, which only serves to match the others."""
    value = b.reduce("max", x.value, axis, mask=False)
    return replace(x.with_axes(value, {axis: ()}), feature_dim=x.feature_dim if x.feature_dim is not axis else None)


@option_class
class StackOptions(LayerOptions):
    """Options of ``stack``.

    Attributes:
        axis: where the new axis is put.
        out_spatial_dim: the new axis.
    """

    axis: int | None = None
    out_spatial_dim: Dim | None = None


@layer("stack", options=StackOptions, sources="many")
def stack(b: LayerBuilder, opt: StackOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """The sources side by side on a new axis."""
    if not sources:
        raise ConfigError("stack needs a source", where=b.place("from"))
    unified = b.unify(sources)
    out = opt.out_spatial_dim or b.dim("stack", len(sources), description=f"{b.definition.name}:stack")
    if out.size != len(sources):
        raise DimError(
            f"out_spatial_dim must be of size {len(sources)}", where=b.place("out_spatial_dim"), received=out
        )
    entries = [b.dim(f"entry{i}", 1) for i in range(len(sources))]
    dtype = b.operands(*unified.values)[0].dtype
    wide = [b.expand(b.cast(v, dtype), entry, *unified.axes) for v, entry in zip(unified.values, entries, strict=True)]
    value = b.op("concat", *wide, dims=tuple(entries), out=out)
    common = unified.output(b.expand(unified.values[0], *unified.axes))
    spatial = [d for d in common.axes if not d.is_batch and d is not common.feature_dim]
    if opt.axis is not None:
        position = opt.axis if opt.axis >= 0 else opt.axis + len(common.axes) + 1
    elif spatial:
        position = common.axes.index(spatial[-1]) + 1
    elif common.feature_dim is not None:
        position = common.axes.index(common.feature_dim)
    else:
        position = len(common.axes)
    order = list(common.axes)
    order.insert(position, out)
    return arrange(common, value, order)
