"""Losses per frame against labels or distributions (cross entropy and its kin), and outputs that are losses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import is_integer
from returnn_ir.network.loss_registry import LossInput, LossOptions, LossResult, loss
from returnn_ir.options import Finite, Positive, Share, option_class

__all__ = [
    "aligned_target",
    "before_activation",
    "check_labels",
    "frame_error",
    "log_probs",
    "safe_log",
    "valid_frames",
]

#: What RETURNN's safe_log clips at; its gradient ignores the clipping.
_SMALLEST = 1e-20


def safe_log(b: LayerBuilder, x: Value, eps: float = _SMALLEST) -> Value:
    """``log(max(x, eps))`` with the gradient of the maximum taken as the identity."""
    return b.unary("log", b.with_gradient_of(x, b.maximum(x, eps)))


def before_activation(b: LayerBuilder, output: LayerOutput, *names: str) -> Value | None:
    """What an activation of one of these names made the output of, over the output's dims."""
    if output.activation is None or output.activation[0] not in names:
        return None
    before = output.activation[1]
    return b.rename(before.value, *zip(before.axes, output.axes, strict=True))


def log_probs(b: LayerBuilder, output: LayerOutput, eps: float = _SMALLEST) -> Value:
    """Log probabilities of a layer's output, from before its softmax (or exp, log_softmax) where that is known."""
    for name, op in (("softmax", "log_softmax"), ("sigmoid", "log_sigmoid"), ("exp", None)):
        before = before_activation(b, output, name)
        if before is not None:
            attrs = {"dims": (b.require_feature(output),)} if name == "softmax" else {}
            return b.op(op, before, **attrs) if op is not None else before
    return safe_log(b, output.value, eps)


def _has_labels(target: LayerOutput) -> bool:
    """Whether the target holds labels, perhaps of an unknown number of classes."""
    return target.sparse_dim is not None or (target.feature_dim is None and is_integer(target.dtype))


def _plain(b: LayerBuilder, target: LayerOutput) -> Value:
    return b.op("set_sparse", target.value, sparse_dim=None)


def frame_error(b: LayerBuilder, output: LayerOutput, target: LayerOutput) -> Value:
    """Whether the output's best label is another than the target's."""
    # what went into a softmax, as RETURNN has it: batch_norm on the output does not count
    logits = output.activation[1] if output.activation is not None and output.activation[0] == "softmax" else output
    best = b.op("set_sparse", b.op("argmax", logits.value, dim=b.require_feature(logits)), sparse_dim=None)
    if _has_labels(target):
        return b.binary("not_equal", best, _plain(b, target))
    other = b.op("argmax", target.value, dim=b.require_feature(target))
    return b.binary("not_equal", best, b.op("set_sparse", other, sparse_dim=None))


def aligned_target(b: LayerBuilder, x: LossInput[LossOptions]) -> LayerOutput:
    """A dense target with the output's feature dim."""
    output, target = x.output, x.target
    if target is None:
        raise ConfigError("the loss needs a target", where=b.place("target"))
    if target.sparse_dim is not None or target.feature_dim is None or output.feature_dim is None:
        return target
    mine, theirs = output.feature_dim, target.feature_dim
    if mine.size != theirs.size:
        raise DimError(
            "target and output have other feature sizes", where=b.place("target"), expected=mine, received=theirs
        )
    return target.with_axes(b.rename(target.value, (theirs, mine)), {theirs: (mine,)})


def valid_frames(b: LayerBuilder, dims: Sequence[Dim]) -> Value:
    """Which frames do not stand behind a sequence's end: bool over all of ``dims``."""
    valid = b.expand(b.const(True), *dims)
    for dim in dims:
        if b.needs_mask(dim):
            valid = b.binary("logical_and", valid, b.mask(dim))
    return valid


def check_labels(b: LayerBuilder, output: LayerOutput, target: LayerOutput) -> Dim:
    """The output's feature dim, which has as many entries as the target has labels."""
    feature = b.require_feature(output)
    labels = target.sparse_dim
    if labels is not None and labels.size is not None and labels.size != feature.size:
        raise DimError(
            "the output has another size than the target has labels",
            where=b.place("n_out"),
            expected=f"n_out {labels.size} (of target {b.target_key()!r})",
            received=feature.size,
            hint="leave n_out away: it is then the target's",
        )
    return feature


@option_class
class CrossEntropyOptions(LossOptions):
    """``loss_opts`` of ``ce``.

    Attributes:
        input_type: whether the layer's output are probabilities or logits.
        focal_loss_factor: the exponent of 1 - p that scales the loss of easy frames down (Lin et al. 2017).
        label_smoothing: the share of the target that all other labels get.
        label_smoothing_gaussian: the nearest two labels get it instead.
        fake_upper_bound: what the loss shows at most; the gradient stays.
        safe_log_opts: ``eps``, the smallest probability that a logarithm is taken of.
        use_fused: without effect: the loss is computed from logits where there are any.
        debug_dump: without effect.
    """

    input_type: Literal["prob", "logits"] = "prob"
    focal_loss_factor: Finite | None = None
    label_smoothing: Share | None = None
    label_smoothing_gaussian: bool | None = None
    fake_upper_bound: Finite | None = None
    safe_log_opts: dict[Literal["eps"], Positive] | None = None
    use_fused: bool | None = None
    debug_dump: bool | None = None


@loss("ce", options=CrossEntropyOptions)
def cross_entropy(b: LayerBuilder, x: LossInput[CrossEntropyOptions]) -> LossResult:
    """Cross entropy of the output distribution with labels or a distribution; error: another best label."""
    output, target = x.output, aligned_target(b, x)
    feature = check_labels(b, output, target)
    value = _per_frame(b, x, target, feature)
    focal = x.options.focal_loss_factor or 0.0
    if focal and _has_labels(target):
        probs = b.op("softmax", output.value, dims=(feature,)) if x.options.input_type == "logits" else output.value
        correct = b.op("gather", probs, b.labels(target.value, feature), dim=feature)
        value = b.mul(value, b.binary("pow", b.sub(1.0, correct), focal))
    bound = x.options.fake_upper_bound
    if bound is not None:  # a finite number to look at, the gradient stays
        value = b.with_gradient_of(value, b.minimum(value, float(bound)))
    return LossResult(value, frame_error(b, output, target))


def _known_logits(b: LayerBuilder, x: LossInput[CrossEntropyOptions]) -> Value | None:
    """What the output's softmax is taken of."""
    if x.options.input_type == "logits":
        return x.output.value
    return before_activation(b, x.output, "softmax")


def _per_frame(b: LayerBuilder, x: LossInput[CrossEntropyOptions], target: LayerOutput, feature: Dim) -> Value:
    smoothing = x.options.label_smoothing or 0.0
    logits, labels = _known_logits(b, x), _has_labels(target)
    if labels and smoothing:
        gaussian = bool(x.options.label_smoothing_gaussian)
        soft, best = _smoothed(b, b.labels(target.value, feature), feature, smoothing, gaussian=gaussian)
    else:
        soft, best = target.value, 0.0
    if logits is not None:
        if labels and not smoothing:
            return b.op("softmax_cross_entropy", logits, b.labels(target.value, feature), dim=feature)
        return b.sub(b.op("soft_cross_entropy", logits, b.cast(soft, logits.dtype), dim=feature), best)
    logs = log_probs(b, x.output, float((x.options.safe_log_opts or {}).get("eps", _SMALLEST)))
    if labels and not smoothing:
        return b.unary("neg", b.op("gather", logs, b.labels(target.value, feature), dim=feature))
    return b.sub(b.unary("neg", b.reduce("sum", b.mul(soft, logs), feature)), best)


def _smoothed(b: LayerBuilder, labels: Value, feature: Dim, smoothing: float, *, gaussian: bool) -> tuple[Value, float]:
    """Soft targets (Szegedy et al., 2016) and their entropy: taken off, zero is the best value."""
    if feature.size is None or feature.size < 2:
        raise ConfigError(
            "label_smoothing needs several classes of a fixed number",
            where=b.place("loss_opts"),
            received=feature,
        )
    size = feature.size
    confidence = 1.0 - smoothing
    low = smoothing / (size - 1)
    if gaussian:  # a normal density of standard deviation `confidence` around the label
        distance = b.div(b.sub(b.cast(b.iota(feature), "float32"), b.cast(labels, "float32")), confidence)
        density = b.unary("exp", b.mul(b.mul(distance, distance), -0.5))
        soft = b.mul(density, 1.0 / (confidence * math.sqrt(2.0 * math.pi)))
    else:
        soft = b.where(b.binary("equal", b.iota(feature), labels), confidence, low)
    return soft, -(confidence * math.log(confidence) + (size - 1) * low * math.log(low + _SMALLEST))


def _binary(b: LayerBuilder, x: LossInput[LossOptions], pos_weight: float | None) -> LossResult:
    """Per frame the mean over features; the output is taken as logits."""
    target = aligned_target(b, x)
    feature = b.require_feature(x.output)
    z, y = x.output.value, b.cast(target.value, "float32")
    scale = 1.0 / max(b.size(feature), 1)
    if pos_weight is None:
        per_entry = b.sub(b.unary("softplus", z), b.mul(z, y))
    else:
        # (1 - y) z + (1 + (pos_weight - 1) y) softplus(-z)
        weight = b.add(b.mul(y, pos_weight - 1.0), 1.0)
        per_entry = b.add(b.mul(b.sub(1.0, y), z), b.mul(weight, b.unary("softplus", b.unary("neg", z))))
    wrong = b.binary("not_equal", b.binary("greater", z, 0.0), b.binary("greater", y, 0.5))
    value = b.mul(b.reduce("sum", per_entry, feature), scale)
    return LossResult(value, b.mul(b.reduce("sum", b.cast(wrong, "float32"), feature), scale))


@option_class
class BinaryOptions(LossOptions):
    """``loss_opts`` of ``bin_ce``.

    Attributes:
        pos_weight: the factor of the entries whose target is 1.
    """

    pos_weight: Finite | None = None


@loss("bin_ce", options=BinaryOptions)
def binary_cross_entropy(b: LayerBuilder, x: LossInput[BinaryOptions]) -> LossResult:
    """Binary cross entropy of logits, mean over features."""
    weight = x.options.pos_weight
    return _binary(b, x, None if weight is None else float(weight))


@loss("sse_sigmoid", options=BinaryOptions)
def sse_sigmoid(b: LayerBuilder, x: LossInput[BinaryOptions]) -> LossResult:
    """Another name of ``bin_ce``."""
    return binary_cross_entropy(b, x)


@loss("generic_ce")
def generic_cross_entropy(b: LayerBuilder, x: LossInput[LossOptions]) -> LossResult:
    """Cross entropy of outputs that are normalised here; the error signal is ``d log y / dz * (y - target)``."""
    output, target = x.output, aligned_target(b, x)
    feature = check_labels(b, output, target)
    before = before_activation(b, output, "softmax", "exp", "sigmoid")
    if before is None or output.activation is None:
        raise ConfigError("generic_ce needs an activation of softmax, exp or sigmoid", where=b.place("loss"))
    name = output.activation[0]
    probs = b.div(output.value, b.reduce("sum", output.value, feature))
    clipped = b.minimum(b.maximum(probs, 1e-20), 1e20)
    labels = b.labels(target.value, feature)
    value = b.unary("neg", b.op("gather", b.unary("log", clipped), labels, dim=feature))
    slope = _log_slope(b, name, output.value, feature)
    one_hot = b.cast(b.binary("equal", b.iota(feature), labels), "float32")
    signal = b.op("stop_gradient", b.mul(slope, b.sub(probs, one_hot)))
    surrogate = b.reduce("sum", b.mul(signal, before), feature)
    return LossResult(b.with_gradient_of(surrogate, value), frame_error(b, output, target))


def _log_slope(b: LayerBuilder, name: str, y: Value, feature: Dim) -> Value:
    """The derivative of ``sum(log y)`` with respect to the activation's input."""
    if name == "exp":
        return b.add(b.mul(y, 0.0), 1.0)
    if name == "sigmoid":
        return b.sub(1.0, y)
    return b.sub(1.0, b.mul(y, float(b.size(feature))))


@option_class
class AsIsOptions(LossOptions):
    """``loss_opts`` of ``as_is``.

    Attributes:
        as_error: the output is the error, not the loss.
    """

    as_error: bool | None = None


@loss("as_is", needs_target=False, options=AsIsOptions)
def as_is(b: LayerBuilder, x: LossInput[AsIsOptions]) -> LossResult:
    """The layer's output is the loss, or with ``as_error`` the error."""
    value = b.cast(b.op("set_sparse", x.output.value, sparse_dim=None), "float32")
    return LossResult(None, value) if x.options.as_error else LossResult(value)
