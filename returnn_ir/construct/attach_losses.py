"""Puts a layer's losses into the program: target, reduction over valid frames, scales, normalisation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.config.returnn_classes import hint_for, not_known
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Loss, Value
from returnn_ir.ir.hypotheses import beam_of
from returnn_ir.ir.mode import Mode
from returnn_ir.network.loss_registry import (
    LossInput,
    LossOptions,
    LossSpec,
    find_loss,
    loss_names,
    read_loss_options,
)
from returnn_ir.options import checked

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder
    from returnn_ir.network.layer_options import LayerOptions

__all__ = ["add_losses", "has_loss", "loss_input", "match_target", "require_loss"]


def has_loss(options: LayerOptions, mode: Mode) -> bool:
    """Whether a layer's loss exists in a mode: not in forward mode, nor where an ``only_on`` option rules it out."""
    if options.loss is None or mode == Mode.FORWARD:
        return False
    if options.loss_only_on_non_search and mode == Mode.SEARCH:
        return False
    return not (options.only_on_eval and mode == Mode.TRAIN)


def add_losses(b: LayerBuilder, output: LayerOutput) -> None:
    """Add the loss that the layer's ``loss`` option names."""
    options = b.definition.options
    spec = require_loss(b, str(options.loss), "loss")
    output = _counted_once(b, output)
    opts = checked(read_loss_options(spec, b.options_dict("loss_opts"), b.place("loss_opts")))
    given = _given_target(b, spec)
    target = match_target(b, output, given, spec) if given is not None and spec.needs_target else None
    result = spec.compute(b, LossInput(output, target, opts))
    b.program.graph.losses[_loss_name(b)] = Loss(
        _sum(b, result.value, output),
        _sum(b, result.error, output),
        result.norm_factor if result.norm_factor is not None else _norm_factor(b, output, given, opts),
        _scale(b, opts),
        normalized=bool(opts.use_normalized_loss),
    )


def _counted_once(b: LayerBuilder, output: LayerOutput) -> LayerOutput:
    """Without the axes along which RETURNN's tensor is not repeated, so that a sum counts their entry once."""
    dims = [d for d in output.axes if d in output.once and d is not output.time_dim]
    for dim in dims:
        first = b.op("gather", output.value, b.const(0), dim=dim)
        output = replace(output.with_axes(first, {dim: ()}), time_dim=output.time_dim, once=output.once)
    return output


def _loss_name(b: LayerBuilder) -> str:
    """The layer's path, with the prefix of an extra network (taken off again if no other loss is called so)."""
    path, extra = b.definition.path, b.program.extra
    return f"{extra}:{path}" if extra else path


def require_loss(b: LayerBuilder, name: str, key: str) -> LossSpec:
    """The loss of that name, or an error that says which there are."""
    spec = find_loss(name)
    if spec is None:
        what, hint = not_known("loss", name), hint_for("loss", name, loss_names())
        raise ConfigError(what, where=b.place(key), expected=", ".join(loss_names()), hint=hint)
    return spec


def loss_input(
    b: LayerBuilder,
    spec: LossSpec,
    output: LayerOutput,
    target: LayerOutput | None,
    opts: dict[str, Any],
    key: str,
) -> LossInput[Any]:
    """What the loss function gets; ``key`` is where its options stand."""
    return LossInput(output, target, checked(read_loss_options(spec, opts, b.place(key))))


def _given_target(b: LayerBuilder, spec: LossSpec) -> LayerOutput | None:
    """The target; where the loss needs none, one that is named still sets the normalisation."""
    return b.target() if spec.needs_target or b.definition.targets() else None


def match_target(b: LayerBuilder, output: LayerOutput, target: LayerOutput, spec: LossSpec) -> LayerOutput:
    """The target with the output's time axis where the loss is framewise; a run-time check compares the lengths."""
    if (output.time_dim is None) != (target.time_dim is None):
        with_time, without = ("target", "output") if output.time_dim is None else ("output", "target")
        raise DimError(
            f"the {with_time} has a time axis and the {without} has none",
            where=b.place("target"),
            expected=f"output and target {b.target_key()!r} both with or both without a time axis",
            received=f"output {output.value.type}, target {target.value.type}",
        )
    own, other = output.time_dim, target.time_dim
    if not spec.rename_target_time or own is None or other is None or own is other:
        return target
    same = b.reduce("all", b.binary("equal", b.length(own), b.length(other)), *_length_dims(b, own, other))
    b.program.graph.checks.append(
        (f"{b.place('target')}: output and target have other lengths: dims {own.name} and {other.name}", same)
    )
    resized = b.op("resize_axis", target.value, dim=other, out=own)
    return target.with_axes(resized, {other: (own,)})


def _length_dims(b: LayerBuilder, *dims: Dim) -> list[Dim]:
    return list(dict.fromkeys(d for dim in dims for d in b.length(dim).dims))


def _sum(b: LayerBuilder, value: Value | None, output: LayerOutput) -> Value | None:
    """Over all entries; of an output with a time axis only that one is masked, as in RETURNN."""
    if value is None:
        return None
    if value.dtype in ("bool", "int64", "int32"):
        value = b.cast(value, "float32")
    if b.program.searching or beam_of(value) is not None:
        value = b.op("sum_beam", value)
    if output.time_dim is not None and output.batch_dim is not None:
        whole = [d for d in value.dims if d.is_dynamic and d is not output.time_dim]
        value = b.reduce("sum", value, *whole, mask=False) if whole else value
    ragged = [d for d in value.dims if d.is_dynamic and not set(_length_dims(b, d)) <= set(value.dims)]
    if ragged:  # lengths of sequences that are gone
        value = b.reduce("sum", value, *ragged, mask=False)
    return b.reduce("sum", value, *value.dims) if value.dims else value


def _scale(b: LayerBuilder, opts: LossOptions) -> float:
    own, older = opts.scale, b.definition.options.loss_scale
    if older is None:  # RETURNN takes it where there is no loss, and only there
        raise ConfigError("loss_scale is None", where=b.place("loss_scale"), hint="leave it away, or give a number")
    if own is not None and older != 1.0 and own != older:
        raise ConfigError(
            "loss_scale and the scale in loss_opts differ",
            where=b.place("loss_scale"),
            received=f"{older} and {own}",
            hint="give one of them",
        )
    return float(older if own is None else own)


def _norm_factor(b: LayerBuilder, output: LayerOutput, target: LayerOutput | None, opts: LossOptions) -> Value:
    """What the sums are multiplied by for a mean: 1 / frames of the target, else of the output, else sequences."""
    custom, inverse = opts.custom_norm_factor, opts.custom_inv_norm_factor
    if custom is not None and inverse is not None:
        raise ConfigError("give custom_norm_factor or custom_inv_norm_factor", where=b.place("loss_opts"))
    if inverse is not None:
        counted = b.layer(inverse).value
        return _reciprocal(b, b.reduce("sum", counted, *counted.dims, mask=False))
    if custom is not None:
        return b.const(float(custom))
    counted_output = target if target is not None and output.time_dim is not None else output
    return _per_frame(b, counted_output, output)


def _per_frame(b: LayerBuilder, x: LayerOutput, output: LayerOutput) -> Value:
    """1 / frames of ``x``, counted for every hypothesis of ``output``."""
    batch = x.batch_dim
    frames = [x.time_dim] if x.time_dim is not None and batch is not None else [d for d in x.axes if d.is_dynamic]
    count = b.const(1)
    for dim in frames:
        count = b.mul(count, b.length(dim))
    if batch is not None and batch not in count.dims:
        count = b.mul(count, b.extent(batch))
    if b.program.searching or beam_of(output.value) is not None:
        count = b.op("sum_beam", b.op("like_beam", count, output.value))
    return _reciprocal(b, b.reduce("sum", count, *count.dims, mask=False) if count.dims else count)


def _reciprocal(b: LayerBuilder, count: Value) -> Value:
    return b.div(1.0, b.cast(count, "float32"))
