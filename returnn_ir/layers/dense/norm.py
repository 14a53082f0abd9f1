"""Layers: normalization by the statistics of the input itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.network.layer_options import Axis, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Alias, NonNegative, option_class

__all__: list[str] = []


@option_class
class LayerNormOptions(SourceOptions):
    """Options of ``layer_norm``.

    Attributes:
        epsilon: added to the variance.
    """

    epsilon: NonNegative = 1e-6


@layer("layer_norm", options=LayerNormOptions)
def layer_norm(b: LayerBuilder, opt: LayerNormOptions, x: LayerOutput) -> LayerOutput:
    """Layer norm over the feature axis (or ``in_dim``), with parameters ``scale`` and ``bias``."""
    wanted = opt.in_dim if opt.in_dim is not None else opt.out_dim
    dim = wanted if wanted is not None and wanted in x.axes else b.require_feature(x)
    _require_static(b, dim)
    scale, bias = b.param("scale", (dim,), 1.0), b.param("bias", (dim,), 0.0)
    return x.with_value(b.op("layer_norm", x.value, scale, bias, dim=dim, epsilon=opt.epsilon))


def _require_static(b: LayerBuilder, *dims: Dim) -> None:
    for dim in dims:
        if dim.size is None:
            raise DimError("a parameter needs a static axis", where=b.place(), received=dim)


@option_class
class NormOptions(SourceOptions):
    """Options of ``norm``.

    Attributes:
        axes: the axes that mean and variance are over.
        param_shape: the axes of scale and bias.
        scale: a learned scale.
        bias: a learned bias.
        epsilon: added to the variance.
    """

    axes: Annotated[Axis, Alias("axis")]
    param_shape: Axis = None
    scale: bool = True
    bias: bool = True
    epsilon: NonNegative = 1e-6


@layer("norm", options=NormOptions)
def norm(b: LayerBuilder, opt: NormOptions, x: LayerOutput) -> LayerOutput:
    """Mean zero and variance one over any axes. Over a dynamic axis the statistics count what is behind the end too."""
    dims = b.axes(x, opt.axes)
    if not dims:
        raise DimError("there is no such axis", where=b.place("axes"), received=opt.axes)
    # RETURNN takes the mean over the axes in memory
    masked = b.program.masks_tails
    centred = b.sub(x.value, b.reduce("mean", x.value, *dims, mask=masked))
    variance = b.reduce("mean", b.mul(centred, centred), *dims, mask=masked)
    value = b.mul(centred, b.unary("rsqrt", b.add(variance, opt.epsilon)))
    if opt.scale or opt.bias:
        shape = _param_dims(b, x, opt.param_shape)
        value = b.mul(value, b.param("scale", shape, 1.0)) if opt.scale else value
        value = b.add(value, b.param("bias", shape, 0.0)) if opt.bias else value
    return x.with_value(value)


def _param_dims(b: LayerBuilder, x: LayerOutput, spec: Axis) -> tuple[Dim, ...]:
    """One axis per entry; the features where nothing is said."""
    entries: Sequence[Axis] = spec if isinstance(spec, (list, tuple)) else ["F" if spec is None else spec]
    dims = tuple(b.axis(x, entry, "param_shape") for entry in entries)
    if len(set(dims)) != len(dims):
        raise DimError("param_shape names an axis twice", where=b.place("param_shape"), received=list(dims))
    _require_static(b, *dims)
    return dims
