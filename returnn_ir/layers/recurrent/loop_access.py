"""Layers that reach into a recurrent subnetwork or out of one: rec_last_output, get_rec_accumulated, rec_unstack."""

from __future__ import annotations

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.loops.step_axes import LAST, RecUnstackOptions
from returnn_ir.network.layer_options import LayerOptions, LayerRef
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

__all__: list[str] = []


@option_class
class RecLastOutputOptions(LayerOptions):
    """Options of ``rec_last_output``.

    Attributes:
        rec_layer: the loop.
        sub_layer_name: the layer inside of it.
    """

    rec_layer: LayerRef
    sub_layer_name: str


@layer("rec_last_output", options=RecLastOutputOptions, sources="none")
def rec_last_output(b: LayerBuilder, opt: RecLastOutputOptions) -> LayerOutput:
    """What a layer of a loop gave in each sequence's last step."""
    loop = b.layer(opt.rec_layer)
    found = loop.parts.get(opt.sub_layer_name + LAST)
    if found is None:
        raise ConfigError(
            f"the last output of {opt.sub_layer_name!r} is not known",
            where=b.place("sub_layer_name"),
            expected=", ".join(n.removesuffix(LAST) for n in loop.parts if n.endswith(LAST)) or "a rec layer",
            hint="'need_last': True in that layer",
        )
    return found


@option_class
class RecAccumulatedOptions(LayerOptions):
    """Options of ``get_rec_accumulated``.

    Attributes:
        sub_layer: the layer inside of the loop.
    """

    sub_layer: str


@layer("get_rec_accumulated", options=RecAccumulatedOptions, sources="one")
def get_rec_accumulated(b: LayerBuilder, opt: RecAccumulatedOptions, loop: LayerOutput) -> LayerOutput:
    """What an output layer of a loop gave in all steps, which ``LOOP/LAYER`` means too."""
    if opt.sub_layer not in loop.parts:
        raise ConfigError(
            f"the loop has no output layer {opt.sub_layer!r}",
            where=b.place("sub_layer"),
            expected=", ".join(n for n in loop.parts if not n.endswith(LAST)) or "a rec layer as source",
            hint="'is_output_layer': True in that layer",
        )
    return loop.parts[opt.sub_layer]


@layer("rec_unstack", options=RecUnstackOptions, sources="one")
def rec_unstack(b: LayerBuilder, opt: RecUnstackOptions, x: LayerOutput) -> LayerOutput:
    """The step's part of something that is seen whole inside of the loop, along ``axis`` (default: the loop's)."""
    builder = b.enclosing_loop.builder
    given = b.program.declared.get(opt.axis, opt.axis) if isinstance(opt.axis, Dim) else opt.axis
    axis = builder.own_time if given is None or given is builder.dim else b.axis(x, given)
    if axis not in x.axes:
        raise DimError("the source has not the loop's axis", where=b.place("axis"), expected=axis, received=x.axes)
    value = builder.part_of_step(x.value, axis)
    rest: tuple[Dim, ...] = tuple(d for d in x.axes if d is not axis)
    result = LayerOutput.of(value, rest)
    if x.feature_dim in rest:
        return LayerOutput(value, rest, result.time_dim, x.feature_dim)
    return result
