"""The loss via_layer: value and error signal are those of another layer (fast_bw)."""

from __future__ import annotations

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Value
from returnn_ir.losses.framewise import before_activation
from returnn_ir.network.loss_registry import LossInput, LossOptions, LossResult, loss
from returnn_ir.options import option_class

__all__ = ["ALIGNMENT_LOSS"]

#: The part of fast_bw that holds -log of the sum over all alignments; no name that a config can use.
ALIGNMENT_LOSS = "/:loss"


@option_class
class ViaLayerOptions(LossOptions):
    """``loss_opts`` of ``via_layer``.

    Attributes:
        error_signal_layer: its output is the derivative.
        align_layer: its output is an alignment; the derivative is what the layer's output differs from it by.
        loss_wrt_to_act_in: the derivative is with respect to the input of the layer's activation, which may be named.
    """

    error_signal_layer: str | None = None
    align_layer: str | None = None
    loss_wrt_to_act_in: str | bool = False


@loss("via_layer", needs_target=False, framewise=False, options=ViaLayerOptions, recurrent=True)
def via_layer(b: LayerBuilder, x: LossInput[ViaLayerOptions]) -> LossResult:
    """The layer's loss; its derivative is the layer's output, or what the output differs from an alignment by."""
    named = {"error_signal_layer": x.options.error_signal_layer, "align_layer": x.options.align_layer}
    given = {key: name for key, name in named.items() if name}
    if len(given) != 1:
        raise ConfigError("give either error_signal_layer or align_layer", where=b.place("loss_opts"), received=given)
    ((key, name),) = given.items()
    other = b.layer(name)
    held = other.parts.get(ALIGNMENT_LOSS)
    if held is None:
        raise ConfigError("the layer has no loss", where=b.place("loss_opts"), expected="fast_bw", received=name)
    output = x.output
    signal = b.unify([output, other]).values[1]
    if key == "align_layer":
        signal = b.sub(output.value, signal)
    surrogate = b.mul(b.op("stop_gradient", signal), _derived_by(b, x, output))
    total = b.reduce("sum", surrogate, *(d for d in output.axes if d not in held.axes))
    return LossResult(b.with_gradient_of(total, held.value))


def _derived_by(b: LayerBuilder, x: LossInput[ViaLayerOptions], output: LayerOutput) -> Value:
    """What the error signal is the derivative with respect to."""
    wanted = x.options.loss_wrt_to_act_in
    if not wanted:
        return output.value
    name = output.activation[0] if output.activation is not None else None
    if name is None or (isinstance(wanted, str) and wanted != name):
        raise ConfigError(
            "the output has another activation", where=b.place("loss_opts"), expected=wanted, received=name
        )
    before = before_activation(b, output, name)
    return output.value if before is None else before
