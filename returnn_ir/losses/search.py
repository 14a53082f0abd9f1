"""Losses on the hypotheses of a search: their scores, or the expectation of another loss over them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from returnn_ir.construct.attach_losses import loss_input, match_target, require_loss
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Value
from returnn_ir.ir.hypotheses import beam_of
from returnn_ir.network.loss_registry import LossInput, LossOptions, LossResult, loss
from returnn_ir.options import Described, option_class

__all__: list[str] = []


@loss("search_score", needs_target=False)
def search_score(b: LayerBuilder, x: LossInput[LossOptions]) -> LossResult:
    """The negative score of every hypothesis."""
    return LossResult(b.unary("neg", b.op("beam_scores", x.output.value)))


@option_class
class ExpectedOptions(LossOptions):
    """``loss_opts`` of ``expected_loss``.

    Attributes:
        loss: the other loss, a dict with its class and its options.
        loss_kind: what of it the expectation is of.
        norm_scores: the weights are normalised over the beam.
        norm_scores_stop_gradient: what they are normalised by has no gradient.
        divide_beam_size: the result is divided by the size of the beam.
        subtract_average_loss: the mean over the beam is taken off, against the variance.
        loss_correction_grad_only: the result is as if it were not, the gradient is not.
    """

    loss: Annotated[dict[str, Any], Described("a dict {'class': ...}")]
    loss_kind: Literal["value", "error"]
    norm_scores: bool = True
    norm_scores_stop_gradient: bool = True
    divide_beam_size: bool = True
    subtract_average_loss: bool = True
    loss_correction_grad_only: bool = False


@loss("expected_loss", framewise=False, options=ExpectedOptions, recurrent=True)
def expected_loss(b: LayerBuilder, x: LossInput[ExpectedOptions]) -> LossResult:
    """The expectation of a loss per sequence under the scores of the hypotheses (minimum Bayes risk), [B]."""
    beam = beam_of(x.output.value)
    if beam is None:
        raise ConfigError(
            "expected_loss needs the hypotheses of a search",
            where=b.place("from"),
            hint="'from': 'extra.search:output' searches within training",
        )
    opts = x.options
    axis = b.dim("hypotheses", beam.size)
    losses = b.op("split_beam", _other_loss(b, x), out=axis)
    scores = b.op("split_beam", b.op("beam_scores", x.output.value), out=axis)
    if opts.norm_scores:
        total = b.reduce("logsumexp", scores, axis)
        stops = opts.norm_scores_stop_gradient
        scores = b.sub(scores, b.op("stop_gradient", total) if stops else total)
    weights = b.unary("exp", scores)
    corrected = losses
    if opts.subtract_average_loss:
        corrected = b.sub(losses, b.op("stop_gradient", b.reduce("mean", losses, axis)))
    value = b.reduce("sum", b.mul(corrected, weights), axis)
    if opts.loss_correction_grad_only and corrected is not losses:
        off = b.reduce("sum", b.mul(b.sub(losses, corrected), weights), axis)
        value = b.add(value, b.op("stop_gradient", off))
    if opts.divide_beam_size:
        value = b.div(value, float(b.size(beam)))
    return LossResult(value)


def _other_loss(b: LayerBuilder, x: LossInput[ExpectedOptions]) -> Value:
    """The loss that the expectation is of, per sequence."""
    given, kind = x.options.loss, x.options.loss_kind
    if "class" not in given:
        raise ConfigError(
            "expected_loss needs another loss",
            where=b.place("loss_opts"),
            expected="'loss': {'class': ...} in loss_opts",
            received=given,
        )
    spec = require_loss(b, str(given["class"]), "loss_opts")
    target = match_target(b, x.output, b.target(), spec) if spec.needs_target else None
    own = {k: v for k, v in given.items() if k != "class"}
    result = spec.compute(b, loss_input(b, spec, x.output, target, own, "loss_opts"))
    value = result.value if kind == "value" else result.error
    if value is None or any(not d.is_batch for d in value.dims):
        raise ConfigError(
            f"loss {spec.name!r} has no {kind} per sequence",
            where=b.place("loss_opts"),
            received=value.type if value is not None else None,
        )
    return b.cast(value, "float32")
