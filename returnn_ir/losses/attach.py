"""Puts a layer's losses into the program: target, reduction over valid frames, scales, normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from returnn_ir.dims import Dim
from returnn_ir.errors import ConfigError, DimError, did_you_mean
from returnn_ir.graph import Loss, Value
from returnn_ir.layers.output import LayerOutput
from returnn_ir.losses.registry import LossInput, LossSpec, find_loss, loss_names

if TYPE_CHECKING:
    from returnn_ir.layers.context import LayerBuilder

__all__ = ["add_losses", "match_target"]

_COMMON = (
    "scale",
    "use_normalized_loss",
    "custom_norm_factor",
    "custom_inv_norm_factor",
    "use_flatten_frames",
    "base_network",
)


def add_losses(b: LayerBuilder, output: LayerOutput) -> None:
    """Add the loss that the layer's ``loss`` option names."""
    options = b.definition.options
    name = str(options.loss)
    spec = find_loss(name)
    if spec is None:
        raise ConfigError(f"unknown loss {name!r}", where=b.place("loss"), hint=did_you_mean(name, loss_names()))
    opts = b.options_dict("loss_opts")
    unknown = [k for k in opts if k not in (*_COMMON, *spec.opts)]
    if unknown:
        raise ConfigError(
            f"loss {name!r} has no option {unknown[0]!r}",
            where=b.place("loss_opts"),
            expected=", ".join((*_COMMON, *spec.opts)),
            hint=did_you_mean(unknown[0], (*_COMMON, *spec.opts)),
        )
    target = match_target(b, output, b.target(), spec) if spec.needs_target else None
    own = {k: v for k, v in opts.items() if k in spec.opts}
    result = spec.compute(b, LossInput(output, target, own))
    value = _sum(b, result.value)
    error = _sum(b, result.error)
    norm = result.norm_factor if result.norm_factor is not None else _frame_norm(b, output)
    scale = float(opts.get("scale", 1.0)) * float(options.loss_scale)
    b.session.graph.losses[b.definition.path] = Loss(
        value, error, norm, scale, normalized=bool(opts.get("use_normalized_loss", False))
    )


def match_target(b: LayerBuilder, output: LayerOutput, target: LayerOutput, spec: LossSpec) -> LayerOutput:
    """The target with the output's time axis where the loss is framewise; a run-time check compares the lengths."""
    if not spec.rename_target_time or target.time_dim is None or target.time_dim is output.time_dim:
        return target
    if output.time_dim is None:
        raise DimError(
            "the target has a time axis and the output has none", where=b.place("target"), received=target.value.type
        )
    own, other = output.time_dim, target.time_dim
    same = b.reduce("all", b.binary("equal", b.length(own), b.length(other)), *b.length(own).dims)
    b.session.graph.checks.append(
        (f"{b.place('target')}: output and target have other lengths: dims {own.name} and {other.name}", same)
    )
    resized = b.op("resize_axis", target.value, dim=other, out=own)
    return target.with_axes(resized, {other: (own,)})


def _sum(b: LayerBuilder, value: Value | None) -> Value | None:
    if value is None:
        return None
    if value.dtype in ("bool", "int64", "int32"):
        value = b.cast(value, "float32")
    return b.reduce("sum", value, *_closed(b, value)) if value.dims else value


def _frame_norm(b: LayerBuilder, output: LayerOutput) -> Value:
    """1 / number of valid frames: of batch and time, whatever further axes there are."""
    dims = [d for d in (output.batch_dim, output.time_dim) if d is not None]
    if len(dims) < 2:
        dims = [d for d in output.axes if d.is_dynamic] or dims
    ones = b.expand(b.const(1.0), *dims)
    ones = b.expand(ones, *_closed(b, ones))
    return b.div(1.0, b.reduce("sum", ones, *ones.dims)) if ones.dims else b.const(1.0)


def _closed(b: LayerBuilder, value: Value) -> list[Dim]:
    """The dims of a value and those of their lengths: reducing over time alone would bring the batch back in."""
    dims = list(value.dims)
    for dim in value.dims:
        if dim.is_dynamic:
            dims.extend(d for d in b.length(dim).dims if d not in dims)
    return dims
