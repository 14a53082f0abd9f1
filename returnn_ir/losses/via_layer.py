"""The loss via_layer: value and error signal are those of another layer (fast_bw)."""

from __future__ import annotations

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Value
from returnn_ir.losses.framewise import before_activation
from returnn_ir.network.loss_registry import LossInput, LossResult, loss

__all__ = ["ALIGNMENT_LOSS"]

#: The part of fast_bw that holds -log of the sum over all alignments; no name that a config can use.
ALIGNMENT_LOSS = "/:loss"


@loss(
    "via_layer",
    needs_target=False,
    framewise=False,
    opts={
        "error_signal_layer": str | None,
        "align_layer": str | None,
        "loss_wrt_to_act_in": str | bool,
    },
)
def via_layer(b: LayerBuilder, x: LossInput) -> LossResult:
    """The layer's loss; its derivative is the layer's output, or what the output differs from an alignment by."""
    given = {key: x.options[key] for key in ("error_signal_layer", "align_layer") if x.options.get(key)}
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
    return LossResult(b.add(b.op("stop_gradient", b.sub(held.value, total)), total))


def _derived_by(b: LayerBuilder, x: LossInput, output: LayerOutput) -> Value:
    """What the error signal is the derivative with respect to."""
    wanted = x.options.get("loss_wrt_to_act_in", False)
    if not wanted:
        return output.value
    name = output.activation[0] if output.activation is not None else None
    if name is None or (isinstance(wanted, str) and wanted != name):
        raise ConfigError(
            "the output has another activation", where=b.place("loss_opts"), expected=wanted, received=name
        )
    before = before_activation(b, output, name)
    return output.value if before is None else before
