"""What most layers do first: join the sources over features, and drop out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
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
    dims = _noise_dims(b, x, options.dropout_noise_shape, options.dropout_axis)
    value = b.dropout(x.value, options.dropout, dims, role)
    return x.with_value(value)


def _noise_dims(b: LayerBuilder, x: LayerOutput, noise_shape: Any, axis: Any) -> list[Dim]:
    """The axes along which the mask differs."""
    if axis is not None:
        return b.axes(x, axis, "dropout_axis")
    if noise_shape is None:
        return [d for d in x.axes if not d.is_batch and d is not x.time_dim and d.is_static]
    if isinstance(noise_shape, dict):
        default = noise_shape.get("*", 1)
        varies = dict.fromkeys(x.axes, default != 1)
        for spec, size in noise_shape.items():
            if spec != "*":
                varies.update(dict.fromkeys(b.axes(x, spec, "dropout_noise_shape"), size != 1))
        return [d for d, v in varies.items() if v]
    if isinstance(noise_shape, (list, tuple)) and len(noise_shape) == len(x.axes):
        return [d for d, size in zip(x.axes, noise_shape, strict=True) if size != 1]
    raise DimError(
        "dropout_noise_shape is not understood",
        where=b.place("dropout_noise_shape"),
        expected="a dict of axis -> 1 or None, or one entry per axis",
        received=noise_shape,
    )
