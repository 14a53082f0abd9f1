"""Layers that gather up what came before: cumsum and cum_concat."""

from __future__ import annotations

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.output_type import OutputType
from returnn_ir.axes.roles import batch_major
from returnn_ir.construct.initial_output import initial_output_of
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import Axis, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Finite, option_class

__all__: list[str] = []


@option_class
class CumsumOptions(SourceOptions):
    """Options of ``cumsum``.

    Attributes:
        axis: the axis that the layer works on.
        additional_left_summand_per_element: added to each frame before it is summed up.
        reverse: from the end.
    """

    axis: Axis = "T"
    additional_left_summand_per_element: Finite | None = None
    reverse: bool = False


@layer("cumsum", options=CumsumOptions, recurrent=True)
def cumsum(b: LayerBuilder, opt: CumsumOptions, x: LayerOutput) -> LayerOutput:
    """Sums up to each position of an axis, or over the steps of a loop so far, starting with ``initial_output``."""
    value = x.value
    if opt.additional_left_summand_per_element is not None:
        value = b.cast(b.add(opt.additional_left_summand_per_element, value), value.dtype)
    if b.is_loop_axis(x, opt.axis):
        if opt.reverse:
            raise ConfigError("a loop cannot sum up what is still to come", where=b.place("reverse"))
        return x.with_value(_over_steps(b, x, value))
    total = b.op("cumsum", value, dim=b.axis(x, opt.axis), reverse=opt.reverse)
    if opt.initial_output is not None:
        total = b.add(initial_output_of(b.scope, b.definition, OutputType.of(x), b), total)
    return x.with_value(total)


def _over_steps(b: LayerBuilder, x: LayerOutput, value: Value) -> Value:
    with b.outside_loop():
        start = initial_output_of(b.scope, b.definition, OutputType.of(x), b)
    total = b.add(b.loop_state("state", start), value)
    b.set_loop_state("state", total)
    return total


@option_class
class CumConcatOptions(SourceOptions):
    """Options of ``cum_concat``.

    Attributes:
        out_spatial_dim: the axis of all frames so far.
        axis: the axis that is concatenated; None: steps of the loop.
    """

    out_spatial_dim: Dim
    axis: Axis = None


@layer("cum_concat", options=CumConcatOptions, recurrent=True)
def cum_concat(b: LayerBuilder, opt: CumConcatOptions, x: LayerOutput) -> LayerOutput:
    """The source in all steps of the loop so far, along ``out_spatial_dim``: [batch, out_spatial_dim, ...]."""
    if not b.in_loop:
        raise ConfigError("the layer must stand in a recurrent subnetwork", where=b.place())
    if opt.axis is not None and not b.is_loop_axis(x, opt.axis):
        raise ConfigError("only the steps of the loop can be accumulated", where=b.place("axis"), received=opt.axis)
    dim = opt.out_spatial_dim
    if not dim.is_dynamic or dim in x.axes:
        raise DimError(
            "out_spatial_dim must be a new axis without size", where=b.place("out_spatial_dim"), received=dim
        )
    if b.scope.step_mask is not None:
        raise ConfigError(
            "cum_concat inside of a masked_computation fails in RETURNN, too: each sequence has frames of its own",
            where=b.place(),
            hint="mask behind it: all frames so far, and seq_len_mask or a switch for those that count",
        )
    x = batch_major(x)
    value = b.history(x.value, dim)
    at = 0 if x.batch_dim is None else 1
    time = x.time_dim if x.time_dim is not None else dim
    return LayerOutput(value, (*x.axes[:at], dim, *x.axes[at:]), time, x.feature_dim)
