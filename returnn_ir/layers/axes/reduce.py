"""Layers: reductions over axes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError, did_you_mean
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import Axis, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Alias, Finite, Positive, Probability, Size, option_class

__all__: list[str] = []

_KINDS = {
    "avg": "mean",
    "mean": "mean",
    "sum": "sum",
    "max": "max",
    "min": "min",
    "logsumexp": "logsumexp",
    "any": "any",
    "all": "all",
}


@option_class
class ReduceOptions(SourceOptions):
    """Options of ``reduce``.

    Attributes:
        mode: sum, max, argmax, min, argmin, mean, logsumexp, any or all.
        axes: the axes that are reduced.
        keep_dims: the axes stay, with size 1.
        enforce_batch_dim_axis: integer axes count with the batch at this place.
        use_time_mask: what stands behind a sequence's end does not count.
    """

    mode: str
    axes: Annotated[Axis, Alias("axis")]
    keep_dims: bool = False
    enforce_batch_dim_axis: int | None = None
    use_time_mask: bool | None = None


@layer("reduce", options=ReduceOptions, names_time=True)
def reduce(b: LayerBuilder, opt: ReduceOptions, x: LayerOutput) -> LayerOutput:
    """A reduction over one or more axes; over dynamic ones only valid frames count, unless ``use_time_mask`` is off."""
    x, dims = _reduced_axes(b, x, opt.axes, opt.enforce_batch_dim_axis)
    mask = opt.use_time_mask is not False
    mode = opt.mode.lower()
    if mode in ("argmax", "argmin"):
        if len(dims) != 1:
            raise DimError(f"{mode} goes over one axis", where=b.place("axes"), received=", ".join(map(str, dims)))
        value = b.op(mode, x.value, dim=dims[0], mask=mask)
    elif mode in _KINDS:
        value = b.reduce(_KINDS[mode], x.value, *dims, mask=mask)
    else:
        known = [*_KINDS, "argmax", "argmin"]
        raise ConfigError(
            f"unknown reduce mode {opt.mode!r}",
            where=b.place("mode"),
            expected=", ".join(known),
            hint=did_you_mean(mode, known),
        )
    return _without_axes(b, x, value, dims, keep=opt.keep_dims)


def _reduced_axes(
    b: LayerBuilder, x: LayerOutput, spec: Any, enforce_batch_dim_axis: int | None
) -> tuple[LayerOutput, list[Dim]]:
    """The axes to reduce; integers count with the batch axis in front, or where the option says."""
    at = 0 if enforce_batch_dim_axis is None and _has_integer(spec) else enforce_batch_dim_axis
    if at is not None and x.batch_dim is not None:
        order = [d for d in x.axes if d is not x.batch_dim]
        order.insert(at if at >= 0 else len(order) + 1 + at, x.batch_dim)
        x = replace(x, axes=tuple(order))
    dims = b.axes(x, spec)
    if not dims:
        raise DimError("no axis to reduce", where=b.place("axis"), received=x.value.type)
    return x, dims


def _has_integer(spec: Any) -> bool:
    if isinstance(spec, (list, tuple, set)):
        return any(_has_integer(part) for part in spec)
    return isinstance(spec, int)


def _without_axes(b: LayerBuilder, x: LayerOutput, value: Value, dims: Iterable[Dim], *, keep: bool) -> LayerOutput:
    """The result of a reduction; with ``keep`` an axis of size one stands in the place of each reduced one."""
    mapping: dict[Dim, tuple[Dim, ...]] = {}
    for dim in dims:
        mapping[dim] = (b.dim(f"keep-dim-{x.axes.index(dim)}", 1, feature=dim.feature),) if keep else ()
        value = b.expand(value, *mapping[dim])
    brought = [d for d in value.dims if d not in x.axes and d not in [n for new in mapping.values() for n in new]]
    if brought:
        x = replace(x, axes=(*brought, *x.axes), value=b.expand(x.value, *brought))
    return x.with_axes(value, mapping)


@option_class
class ReduceOutOptions(SourceOptions):
    """Options of ``reduce_out``.

    Attributes:
        mode: max, sum or mean.
        num_pieces: how many neighbouring features become one.
    """

    mode: str
    num_pieces: Size


@layer("reduce_out", options=ReduceOutOptions)
def reduce_out(b: LayerBuilder, opt: ReduceOutOptions, x: LayerOutput) -> LayerOutput:
    """Neighbouring features reduced to one (maxout, Goodfellow et al., arXiv:1302.4389)."""
    mode = opt.mode
    if mode not in ("max", "sum", "avg", "mean"):
        raise ConfigError(f"unknown mode {mode!r}", where=b.place("mode"), expected="max, sum, avg or mean")
    feature = b.require_feature(x)
    if feature.size is None or opt.num_pieces < 1 or feature.size % opt.num_pieces:
        raise DimError(
            "the feature axis is no multiple",
            where=b.place("num_pieces"),
            expected=f"a multiple of {opt.num_pieces}",
            received=feature,
        )
    out = b.dim("out", feature.size // opt.num_pieces, feature=True)
    pieces = b.dim("pieces", opt.num_pieces)
    split = b.op("split", x.value, dim=feature, outs=(out, pieces))
    return x.with_axes(b.reduce(_KINDS[mode], split, pieces), {feature: (out,)})


@option_class
class MathNormOptions(SourceOptions):
    """Options of ``math_norm``.

    Attributes:
        p: the exponent.
        axes: the axes that the norm is over.
        keep_dims: the axes stay, with size 1.
    """

    p: Positive
    axes: Annotated[Axis, Alias("axis")]
    keep_dims: bool = False


@layer("math_norm", options=MathNormOptions, names_time=True)
def math_norm(b: LayerBuilder, opt: MathNormOptions, x: LayerOutput) -> LayerOutput:
    """The p-norm ``sum(|x| ** p) ** (1 / p)``."""
    x, dims = _reduced_axes(b, x, opt.axes, None)
    total = b.reduce("sum", b.binary("pow", b.unary("abs", x.value), float(opt.p)), *dims)
    return _without_axes(b, x, b.binary("pow", total, 1.0 / opt.p), dims, keep=opt.keep_dims)


@option_class
class AccumulateMeanOptions(SourceOptions):
    """Options of ``accumulate_mean``.

    Attributes:
        exp_average: the share of the old value that stays.
        axes: the axes that the mean is over.
        initial_value: before the first step.
        is_prob_distribution: the initial value is uniform.
    """

    exp_average: Probability
    axes: Axis = "bt"
    initial_value: Finite | None = None
    is_prob_distribution: bool | None = None


@layer("accumulate_mean", options=AccumulateMeanOptions)
def accumulate_mean(b: LayerBuilder, opt: AccumulateMeanOptions, x: LayerOutput) -> LayerOutput:
    """A running mean over batches (for priors): the output is the value so far, training moves it to the batch's."""
    x, reduced = _reduced_axes(b, x, opt.axes, None)
    mean = b.reduce("mean", x.value, *reduced)
    dims = tuple(d for d in x.axes if d in mean.dims)
    if any(d.size is None for d in mean.dims):
        raise DimError("the mean must be over all axes but static ones", where=b.place("axes"), received=mean.type)
    if opt.is_prob_distribution and len(dims) != 1:
        raise DimError("a distribution has one axis", where=b.place("is_prob_distribution"), received=mean.type)
    initial = opt.initial_value
    if initial is None:
        initial = 1.0 / max(b.size(dims[0]), 1) if opt.is_prob_distribution else 0.0
    # RETURNN's variable is called so, because TensorFlow has given the name "mean" to the reduction before
    held = b.param("mean_1", dims, initial)
    if b.training:
        name = b.program.layer_params[b.definition.path]["mean_1"].name
        b.program.graph.state_updates[name] = b.add(held, b.mul(b.sub(mean, held), opt.exp_average))
    return LayerOutput.of(held, dims)
