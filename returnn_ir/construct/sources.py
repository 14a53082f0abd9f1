"""What most layers do first: join the sources over features, and drop out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.recurrence import leaves_loop
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.network.layer_options import SourceOptions

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["apply_dropout", "joined_source"]


def joined_source(b: LayerBuilder, options: SourceOptions | None, sources: Sequence[LayerOutput]) -> LayerOutput:
    """All sources as one, with the layer's dropout applied in training."""
    x = b.concat_features(sources)
    if options is None:
        return x
    if options.mask is not None and (options.mask == "dropout") != bool(options.dropout):
        raise ConfigError(
            "'mask' and 'dropout' contradict each other",
            where=b.place("mask"),
            expected="no dropout with 'unity', some with 'dropout'",
            received=f"mask {options.mask!r}, dropout {options.dropout}",
            hint="leave 'mask' out: it says nothing that 'dropout' does not say",
        )
    if options.in_dim is not None and x.feature_or_sparse_dim is not options.in_dim:
        wanted = [d for d in x.axes if d.base is options.in_dim.base]
        if not wanted:
            raise DimError(
                "in_dim is not an axis of the source",
                where=b.place("in_dim"),
                expected=options.in_dim,
                received=x.value.type,
            )
        x = LayerOutput(x.value, x.axes, x.time_dim, max(wanted, key=lambda d: d.match_priority))
    return apply_dropout(b, options, x)


def apply_dropout(b: LayerBuilder, options: SourceOptions, x: LayerOutput, role: str = "dropout") -> LayerOutput:
    """RETURNN's dropout on a source: one mask for batch and time unless ``dropout_noise_shape`` says otherwise.

    ``role`` tells several draws of one layer apart.
    """
    if not options.dropout or not (b.training or options.dropout_on_forward):
        return x
    noise = _noise(b, x, options)
    value = b.dropout(x.value, options.dropout, noise.dims, role, each_step=noise.each_step)
    return x.with_value(value)


class _Noise(NamedTuple):
    """Where a mask differs: along which axes, and in a loop whether from step to step (None: as loops have it)."""

    dims: list[Dim]
    each_step: bool | None = None


def _noise(b: LayerBuilder, x: LayerOutput, options: SourceOptions) -> _Noise:
    """Along what the mask differs; for a layer that leaves its loop the steps are an axis like others."""
    shape, axis = options.dropout_noise_shape, options.dropout_axis
    if axis is not None:
        return _Noise(b.axes(x, axis, "dropout_axis"))
    if shape is None:
        return _Noise([d for d in x.axes if not d.is_batch and d is not x.time_dim and d.is_static])
    has_steps = leaves_loop(b.scope, b.definition.path)
    if isinstance(shape, dict):
        return _noise_by_axis(b, x, shape, has_steps=has_steps)
    if isinstance(shape, (list, tuple)):
        varies = [size != 1 for size in shape]
        if len(varies) == len(x.axes):
            return _Noise([d for d, v in zip(x.axes, varies, strict=True) if v])
        if has_steps and len(varies) == len(x.axes) + 1:
            return _noise_over_steps(b, x, varies)
    raise DimError(
        "dropout_noise_shape is not understood",
        where=b.place("dropout_noise_shape"),
        expected="a dict of axis -> 1 or None, or one entry per axis",
        received=shape,
    )


def _noise_by_axis(b: LayerBuilder, x: LayerOutput, shape: Mapping[Any, Any], *, has_steps: bool) -> _Noise:
    default = shape.get("*", 1) != 1
    varies, steps = dict.fromkeys(x.axes, default), default
    for spec, size in shape.items():
        if has_steps and spec != "*" and b.is_loop_axis(x, spec):
            steps = size != 1
        elif spec != "*":
            varies.update(dict.fromkeys(b.axes(x, spec, "dropout_noise_shape"), size != 1))
    return _Noise([d for d, v in varies.items() if v], steps if has_steps else None)


def _noise_over_steps(b: LayerBuilder, x: LayerOutput, varies: Sequence[bool]) -> _Noise:
    """One entry more than a step has axes; that of the steps is where RETURNN has them in all steps at once."""
    known = b.enclosing_loop.place_of_steps(x.value)
    rest = [[*varies[:at], *varies[at + 1 :]] for at in ((0, 1) if known is None else (known,))]
    if any(entries != rest[0] for entries in rest[1:]):
        raise DimError(
            "dropout_noise_shape has an entry for the loop's steps, and nothing says which one that is",
            where=b.place("dropout_noise_shape"),
            expected="a dict of axis -> 1 or None, the steps being 'T'",
            received=b.definition.raw.get("dropout_noise_shape"),
        )
    at = 0 if known is None else known
    return _Noise([d for d, v in zip(x.axes, rest[0], strict=True) if v], varies[at])
