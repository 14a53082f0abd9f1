"""Losses on the hypotheses of a search: their scores, or the expectation of another loss over them."""

from __future__ import annotations

from typing import Any, Literal

from returnn_ir.construct.attach_losses import loss_input, match_target, require_loss
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Value
from returnn_ir.ir.hypotheses import beam_of
from returnn_ir.network.loss_registry import LossInput, LossResult, loss

__all__: list[str] = []


@loss("search_score", needs_target=False)
def search_score(b: LayerBuilder, x: LossInput) -> LossResult:
    """The negative score of every hypothesis."""
    return LossResult(b.unary("neg", b.op("beam_scores", x.output.value)))


@loss(
    "expected_loss",
    framewise=False,
    opts={
        "loss": dict[str, Any],
        "loss_kind": Literal["value", "error"],
        "norm_scores": bool,
        "norm_scores_stop_gradient": bool,
        "divide_beam_size": bool,
        "subtract_average_loss": bool,
        "loss_correction_grad_only": bool,
    },
)
def expected_loss(b: LayerBuilder, x: LossInput) -> LossResult:
    """The expectation of a loss per sequence under the scores of the hypotheses (minimum Bayes risk), [B].

    ``loss``: the other loss with its options; ``loss_kind``: its ``value`` or its ``error``. ``norm_scores``: the
    weights are normalised over the beam. ``subtract_average_loss``: the mean over the beam is taken off, against the
    variance.
    """
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
    if opts.get("norm_scores", True):
        total = b.reduce("logsumexp", scores, axis)
        stops = opts.get("norm_scores_stop_gradient", True)
        scores = b.sub(scores, b.op("stop_gradient", total) if stops else total)
    weights = b.unary("exp", scores)
    corrected = losses
    if opts.get("subtract_average_loss", True):
        corrected = b.sub(losses, b.op("stop_gradient", b.reduce("mean", losses, axis)))
    value = b.reduce("sum", b.mul(corrected, weights), axis)
    if opts.get("loss_correction_grad_only", False) and corrected is not losses:
        off = b.reduce("sum", b.mul(b.sub(losses, corrected), weights), axis)
        value = b.add(value, b.op("stop_gradient", off))
    if opts.get("divide_beam_size", True):
        value = b.div(value, float(beam.size or 1))
    return LossResult(value)


def _other_loss(b: LayerBuilder, x: LossInput) -> Value:
    """The loss that the expectation is of, per sequence."""
    given: Any = x.options.get("loss")
    if not isinstance(given, dict) or "class" not in given:
        raise ConfigError(
            "expected_loss needs another loss",
            where=b.place("loss_opts"),
            expected="'loss': {'class': ...} in loss_opts",
            received=given,
        )
    kind = x.options.get("loss_kind")
    if kind not in ("value", "error"):
        raise ConfigError("unknown loss_kind", where=b.place("loss_opts"), expected="value or error", received=kind)
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
