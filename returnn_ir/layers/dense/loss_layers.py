"""Layers: losses as layers, and layers that act on gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.attach_losses import loss_input, match_target, require_loss
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.graph import Value
from returnn_ir.losses.labels import class_number
from returnn_ir.losses.sequence import NativeCtcOptions, native_ctc, viterbi_ctc
from returnn_ir.network.layer_options import Axis, LayerOptions, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Count, Finite, Size, option_class

__all__: list[str] = []


@option_class
class LossLayerOptions(LayerOptions):
    """Options of ``loss``; the trailing underscore tells them from the loss that every layer may have.

    Attributes:
        loss_: the loss.
        target_: what the source is compared with.
        loss_opts_: options of the loss.
        use_error: the error, not the loss.
    """

    loss_: str
    target_: str | None = None
    loss_opts_: dict[str, Any] | None = None
    use_error: bool = False


def _loss_refs(opt: LossLayerOptions) -> list[str]:
    target = opt.target_ or ""
    return [target.removeprefix("layer:")] if target.startswith("layer:") else []


@layer("loss", options=LossLayerOptions, sources="one", extra_refs=_loss_refs, recurrent=True)
def loss(b: LayerBuilder, opt: LossLayerOptions, x: LayerOutput) -> LayerOutput:
    """The value of a loss per frame (or sequence); parts ``loss`` and ``error``."""
    spec = require_loss(b, opt.loss_, "loss_")
    target = match_target(b, x, b.target(opt.target_), spec) if spec.needs_target else None
    result = spec.compute(b, loss_input(b, spec, x, target, dict(opt.loss_opts_ or {}), "loss_opts_"))
    parts = {
        name: _like(x, b.cast(value, "float32"))
        for name, value in (("loss", result.value), ("error", result.error))
        if value is not None
    }
    wanted = "error" if opt.use_error else "loss"
    if wanted not in parts:
        raise ConfigError(f"loss {opt.loss_!r} has no {wanted}", where=b.place("loss_"))
    return replace(parts[wanted], parts=parts)


def _like(x: LayerOutput, value: Value) -> LayerOutput:
    """A result with the axes of ``x`` that are left, in its order."""
    axes = [d for d in x.axes if d in value.dims]
    return LayerOutput.of(value, [*(d for d in value.dims if d not in axes), *axes])


@option_class
class SparseCrossEntropyOptions(LayerOptions):
    """Options of ``sparse_softmax_cross_entropy_with_logits``.

    Attributes:
        logits: the layer with the scores of the classes, before a softmax.
        targets: the layer with the labels.
        axis: the axis of the classes.
    """

    logits: LayerRef
    targets: LayerRef
    axis: Axis = None


@layer("sparse_softmax_cross_entropy_with_logits", options=SparseCrossEntropyOptions, sources="none")
def sparse_cross_entropy(b: LayerBuilder, opt: SparseCrossEntropyOptions) -> LayerOutput:
    """Cross entropy of labels given logits, per frame."""
    logits, targets = b.layer(opt.logits), b.layer(opt.targets)
    axis = b.axis(logits, opt.axis if opt.axis is not None else "F")
    return _like(logits, b.op("softmax_cross_entropy", logits.value, b.labels(targets.value, axis), dim=axis))


@option_class
class CtcLossOptions(LayerOptions):
    """Options of ``ctc_loss``.

    Attributes:
        logits: the layer with the scores of the classes, before a softmax.
        targets: the layer with the labels.
        logits_normalized: the scores are log probabilities already.
        blank_index: the number of the label that is no label.
        max_approx: the best alignment counts, instead of all.
        label_loop: frames with the same label are one label.
    """

    logits: LayerRef
    targets: LayerRef
    logits_normalized: bool = False
    blank_index: int = -1
    max_approx: bool = False
    label_loop: bool = True


@layer("ctc_loss", options=CtcLossOptions, sources="none", recurrent=True)
def ctc_loss(b: LayerBuilder, opt: CtcLossOptions) -> LayerOutput:
    """The CTC loss per sequence."""
    logits, targets = b.layer(opt.logits), b.layer(opt.targets)
    if logits.time_dim is None or targets.time_dim is None:
        raise DimError("logits and targets need a time axis", where=b.place("logits"))
    feature = b.require_feature(logits)
    blank, normalize = class_number(b, opt.blank_index, feature, "blank_index"), not opt.logits_normalized
    labels = b.labels(targets.value, feature, blank=blank), targets.time_dim
    if opt.max_approx:
        attrs = {"normalize": normalize, "label_loop": opt.label_loop}
        value = viterbi_ctc(b, logits.value, labels, logits.time_dim, feature, blank=blank, **attrs)
    else:
        native = NativeCtcOptions(
            label_loop=opt.label_loop, logits_normalize=normalize, grad_wrt_softmax_in=normalize, blank_index=blank
        )
        value = native_ctc(b, logits.value, labels, logits.time_dim, feature, native)
    return LayerOutput.of(value, value.dims)


@option_class
class GradientOptions(LayerOptions):
    """Options of ``gradient``.

    Attributes:
        y: the layer that is derived.
        x: the layer that it is derived by.
    """

    y: LayerRef
    x: LayerRef


@layer("gradient", options=GradientOptions, sources="none")
def gradient(b: LayerBuilder, opt: GradientOptions) -> LayerOutput:
    """The derivative of the scalar ``y`` with respect to ``x``."""
    y, x = b.layer(opt.y), b.layer(opt.x)
    if y.axes:
        raise DimError("y must be a scalar", where=b.place("y"), received=y.value.type)
    return x.with_value(b.op("gradient", y.value, x.value))


@option_class
class SyntheticGradientOptions(SourceOptions):
    """Options of ``synthetic_gradient``.

    Attributes:
        gradient: the layer that predicts the gradient.
        meta_loss_scale: the factor of the layer's own loss.
    """

    gradient: LayerRef
    meta_loss_scale: Finite = 1.0


@layer("synthetic_gradient", options=SyntheticGradientOptions)
def synthetic_gradient(b: LayerBuilder, opt: SyntheticGradientOptions, x: LayerOutput) -> LayerOutput:
    """The identity; its gradient is that of the other layer (Jaderberg et al., arXiv:1608.05343).

    In training the other layer learns to predict the true gradient, which needs a custom gradient that is not here yet.
    """
    if b.training:
        raise ConfigError("synthetic_gradient is not supported in training", where=b.place())
    predicted = b.unify([x, b.layer(opt.gradient)]).values[1]
    # the value is zero, and the derivative with respect to x the prediction, whatever comes from above
    product = b.mul(b.op("stop_gradient", predicted), x.value)
    total = b.reduce("sum", product, *product.dims, mask=False)
    b.program.constraints.append(b.sub(total, b.op("stop_gradient", total)))
    return x.with_value(b.op("stop_gradient", x.value))


@option_class
class TikhonovOptions(SourceOptions):
    """Options of ``tikhonov_regularization``.

    Attributes:
        meta_loss_scale: the factor of the layer's own loss.
    """

    meta_loss_scale: Finite = 1.0


@layer("tikhonov_regularization", options=TikhonovOptions, any_size=True, joins_sources=True)
def tikhonov_regularization(b: LayerBuilder, opt: TikhonovOptions, x: LayerOutput) -> LayerOutput:
    """The identity; in training the norm of the gradient is a further loss, which is not here yet."""
    if b.training:
        raise ConfigError("tikhonov_regularization is not supported in training", where=b.place())
    # outside of training nothing is added, but the variable takes part in the objective
    b.program.constraints.append(b.mul(b.param("dummy", (), 0.0), 0.0))
    return x


@option_class
class FramewiseStatisticsOptions(LayerOptions):
    """Options of ``framewise_statistics``.

    Attributes:
        sil_label_idx: the label of silence.
        histogram_num_bins: how many bins.
    """

    sil_label_idx: Count
    histogram_num_bins: Size = 20


@layer("framewise_statistics", options=FramewiseStatisticsOptions, sources="many")
def framewise_statistics(
    b: LayerBuilder, opt: FramewiseStatisticsOptions, sources: Sequence[LayerOutput]
) -> LayerOutput:
    """RETURNN collects statistics beside the network here; as a layer it is the constant 0."""
    return LayerOutput(b.const(0, "int32"), ())
