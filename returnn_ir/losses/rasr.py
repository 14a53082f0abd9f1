"""Losses that RASR (once called Sprint) computes: they are built, but no target runs them."""

from __future__ import annotations

from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.attach_losses import match_target, require_loss
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Value
from returnn_ir.losses.framewise import before_activation, frame_error
from returnn_ir.network.loss_registry import LossInput, LossOptions, LossResult, loss
from returnn_ir.options import Finite, option_class

__all__ = ["by_rasr"]

#: What the messages call it.
_RASR = "RASR (Sprint)"


def by_rasr(b: LayerBuilder, x: Value, *, like: Value | None = None) -> Value:
    """What RASR computes from ``x``: a number per sequence, or something ``like`` another value."""
    dims = tuple(d for d in x.dims if d.is_batch) if like is None else like.dims
    return b.op("external", x, program=_RASR, dtype="float32", dims=dims)


@option_class
class SprintOptions(LossOptions):
    """``loss_opts`` of ``sprint``.

    Attributes:
        sprint_opts: how RASR is started.
    """

    sprint_opts: dict[str, Any]


@option_class
class FastBwLossOptions(SprintOptions):
    """``loss_opts`` of ``fast_bw``.

    Attributes:
        tdp_scale: the factor of the transition scores of RASR's automata.
    """

    tdp_scale: Finite = 1.0


@loss("sprint", needs_target=False, options=SprintOptions, recurrent=True)
def sprint(b: LayerBuilder, x: LossInput[SprintOptions]) -> LossResult:
    """A sequence criterion of RASR (sMBR, MMI ...) of a softmax; error: the best label of a frame is not the target."""
    return _loss(b, x.output)


@loss("fast_bw", needs_target=False, options=FastBwLossOptions, recurrent=True)
def fast_bw(b: LayerBuilder, x: LossInput[FastBwLossOptions]) -> LossResult:
    """The sum over all alignments that RASR's automata allow, of a softmax; error as ``sprint``."""
    return _loss(b, x.output)


def _loss(b: LayerBuilder, output: LayerOutput) -> LossResult:
    if output.time_dim is None or before_activation(b, output, "softmax") is None:
        raise ConfigError("the loss needs a softmax over time", where=b.place("loss"), received=output.value.type)
    error = None
    if b.definition.targets():
        target = match_target(b, output, b.target(), require_loss(b, "ce", "loss"))
        error = frame_error(b, output, target)
    return LossResult(by_rasr(b, output.value), error)
