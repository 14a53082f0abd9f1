"""Losses per frame against labels or distributions: cross entropy and its kin; and outputs that are losses themselves."""

from __future__ import annotations

from returnn_ir.graph import Value
from returnn_ir.layers.context import LayerBuilder
from returnn_ir.layers.output import LayerOutput
from returnn_ir.losses.registry import LossInput, LossResult, loss

__all__: list[str] = []


def _log_probs(b: LayerBuilder, output: LayerOutput) -> Value:
    feature = b.require_feature(output)
    if output.activation is not None and output.activation[0] == "softmax":
        return b.op("log_softmax", output.activation[1].value, dims=(feature,))
    return b.unary("log", b.maximum(output.value, 1e-7))


@loss(
    "ce",
    opts=(
        "focal_loss_factor",
        "label_smoothing",
        "label_smoothing_gaussian",
        "fake_upper_bound",
        "safe_log_opts",
        "use_fused",
    ),
)
def cross_entropy(b: LayerBuilder, x: LossInput) -> LossResult:
    """Cross entropy of the output distribution with labels; error: the output's best label is another."""
    output, target = x.output, x.target
    if target is None or target.sparse_dim is None:
        return LossResult(None)
    feature = b.require_feature(output)
    labels = b.op("set_sparse", target.value, sparse_dim=None)
    value = b.unary("neg", b.op("gather", _log_probs(b, output), labels, dim=feature))
    best = b.op("set_sparse", b.op("argmax", output.value, dim=feature), sparse_dim=None)
    return LossResult(value, b.binary("not_equal", best, labels))


@loss("as_is", needs_target=False, opts=("as_error",))
def as_is(b: LayerBuilder, x: LossInput) -> LossResult:
    """The layer's output is the loss."""
    return LossResult(x.output.value)
