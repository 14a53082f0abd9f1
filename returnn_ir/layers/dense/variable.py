"""The ``variable`` layer: a parameter as output."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.initializers import Init, option_init
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.layer_init import layer_init
from returnn_ir.errors import ConfigError
from returnn_ir.ir.dim_values import summands
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.types import is_float
from returnn_ir.layers.dense.constant import static_axes
from returnn_ir.network.layer_options import LayerOptions, LayerRef
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import DType, option_class

__all__: list[str] = []


@option_class
class VariableOptions(LayerOptions):
    """Options of ``variable``.

    Attributes:
        shape: the axes, as Dims or sizes.
        dtype: of the entries.
        add_batch_axis: a batch axis of size one is added.
        add_time_axis: a time axis of size one is added.
        saveable: a checkpoint has it.
        non_critical_for_restore: a checkpoint may lack it.
        init: the initial value.
        init_by_layer: the layer that gives the initial value.
        param_name: of the variable; None: that of the layer.
    """

    shape: list[Any] | tuple[Any, ...]
    dtype: DType = "float32"
    add_batch_axis: bool = False
    add_time_axis: bool = False
    saveable: bool = True
    non_critical_for_restore: bool = False
    init: Init = None
    init_by_layer: LayerRef | None = None
    param_name: str | None = None


@layer("variable", options=VariableOptions, sources="none")
def variable(b: LayerBuilder, opt: VariableOptions) -> LayerOutput:
    """A parameter of the given shape, optionally with a batch axis and a time axis of size one in front."""
    axes = static_axes(b, opt.shape)
    for dim in axes:
        if not dim.is_static:
            raise ConfigError("a variable has axes of fixed size", where=b.place("shape"), received=dim)
    name = opt.param_name or b.definition.name
    init = option_init(opt, "init") or 0
    value = b.param(
        name,
        axes,
        init,
        dtype=opt.dtype,
        trainable=is_float(opt.dtype),
        splits={dim: summands(dim) for dim in axes},
        split_under_noise=True,
    )
    full_name = b.program.layer_params[b.definition.path][name].name
    if opt.non_critical_for_restore:
        b.program.params[full_name] = replace(b.program.params[full_name], may_be_missing=True)
    if opt.init_by_layer is not None:
        computed = layer_init(b, b.layer(opt.init_by_layer), axes, "init_by_layer")
        b.program.params[full_name] = replace(b.program.params[full_name], init=computed)
    front: list[Dim] = []
    if opt.add_batch_axis:
        front.append(b.batch())
    if opt.add_time_axis:
        front.append(b.dim("dummy-time", 1))
    value = b.expand(value, *front)
    full = (*front, *axes)
    output = replace(LayerOutput.of(value, full), variable=full_name)
    if not opt.add_time_axis:
        return output
    feature = output.feature_dim if output.feature_dim is not front[-1] else None
    return replace(output, time_dim=front[-1], feature_dim=feature)
