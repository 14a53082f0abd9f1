"""Losses per sequence: CTC and the edit distance."""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeVar

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.losses.framewise import before_activation, safe_log
from returnn_ir.losses.labels import (
    Labels,
    beam_search,
    best_path,
    class_number,
    label_sequence,
    map_labels,
    time_of,
    truncated,
    without_repeats,
)
from returnn_ir.network.loss_registry import LossInput, LossOptions, LossResult, loss
from returnn_ir.options import Alias, Size, checked, option_class, read_options

__all__ = ["NativeCtcOptions", "best_alignment_ctc", "native_ctc"]

#: The beam of the error where nobody says (RETURNN's and TensorFlow's default).
_BEAM_WIDTH = 100


@option_class
class _TfOptions:
    """``ctc_opts`` of ``tf.nn.ctc_loss``.

    Attributes:
        preprocess_collapse_repeated: labels that repeat the one before are taken out of the target.
        ctc_merge_repeated: frames with the same label are one label.
        ignore_longer_outputs_than_inputs: a sequence without any alignment counts nothing.
    """

    preprocess_collapse_repeated: bool | None = None
    ctc_merge_repeated: bool = True
    ignore_longer_outputs_than_inputs: bool | None = None


@option_class
class NativeCtcOptions:
    """``ctc_opts`` of RETURNN's own CTC.

    Attributes:
        label_loop: frames with the same label are one label.
        logits_normalize: the scores get a softmax.
        grad_wrt_softmax_in: the error signal is p - alignment, otherwise - alignment.
        blank_index: the class that is no label.
        zero_infinity: a sequence without any alignment counts nothing; None: by the config.
    """

    label_loop: Annotated[bool | None, Alias("ctc_merge_repeated")] = None
    logits_normalize: bool = True
    grad_wrt_softmax_in: bool = True
    blank_index: int = -1
    zero_infinity: bool | None = None


@option_class
class _ViterbiOptions:
    """``ctc_opts`` of the best alignment: there are none."""


@option_class
class CtcOptions(LossOptions):
    """``loss_opts`` of ``ctc``.

    Attributes:
        target_collapse_repeated: labels that repeat the one before are taken out of the target.
        auto_clip_target_len: what the output has no frames for is cut off the target.
        output_in_log_space: the layer's output are unnormalised log probabilities.
        beam_width: of the search for the error.
        ctc_opts: options of the chosen implementation.
        use_native: RETURNN's own implementation, with its error signals.
        use_viterbi: the best alignment counts, instead of all.
    """

    target_collapse_repeated: bool | None = None
    auto_clip_target_len: bool | None = None
    output_in_log_space: bool | None = None
    beam_width: Size = _BEAM_WIDTH
    ctc_opts: dict[str, Any] | None = None
    use_native: bool | None = None
    use_viterbi: bool | None = None


@option_class
class EditDistanceOptions(LossOptions):
    """``loss_opts`` of ``edit_distance``.

    Attributes:
        debug_print: without effect.
        label_map: what labels are compared as; None: not at all.
        ctc_decode: the output is CTC's, and is searched.
        output_in_log_space: the layer's output are unnormalised log probabilities.
    """

    debug_print: bool | None = None
    label_map: dict[int, int | None] | None = None
    ctc_decode: bool | None = None
    output_in_log_space: bool | None = None


def _scores(b: LayerBuilder, x: LossInput[CtcOptions] | LossInput[EditDistanceOptions]) -> Value:
    """Unnormalised log probabilities."""
    output = x.output
    if x.options.output_in_log_space:
        return output.value
    before = before_activation(b, output, "softmax")
    return safe_log(b, output.value) if before is None else before


def _check_sizes(b: LayerBuilder, x: LossInput[Any], classes: Dim) -> None:
    labels = x.target.sparse_dim if x.target is not None else None
    if labels is not None and labels.size is not None and classes.size != labels.size + 1:
        raise DimError(
            "the output has not the target's labels and a blank",
            where=b.place("n_out"),
            expected=f"n_out {labels.size + 1} (target {b.target_key()!r} has {labels.size} labels)",
            received=classes.size,
        )


_Implementation = _TfOptions | NativeCtcOptions | _ViterbiOptions
_T = TypeVar("_T")


def _ctc_opts(b: LayerBuilder, opts: CtcOptions) -> _Implementation:
    def read(cls: type[_T]) -> _T:
        return checked(read_options(cls, opts.ctc_opts or {}, lambda key: b.place("loss_opts"), owner="ctc_opts"))

    if opts.use_viterbi:
        return read(_ViterbiOptions)
    return read(NativeCtcOptions) if opts.use_native else read(_TfOptions)


def _required_target(b: LayerBuilder, x: LossInput[Any]) -> LayerOutput:
    if x.target is None:
        raise ConfigError("the loss needs a target", where=b.place("target"))
    return x.target


@loss("ctc", framewise=False, extra_labels=1, options=CtcOptions, recurrent=True)
def ctc(b: LayerBuilder, x: LossInput[CtcOptions]) -> LossResult:
    """Connectionist temporal classification; the blank is the last label.

    Error: the edit distance of the best path in training, of the best sequence that a beam search finds otherwise.
    """
    classes, time = b.require_feature(x.output), time_of(b, x.output, "output")
    _check_sizes(b, x, classes)
    opts, logits = _ctc_opts(b, x.options), _scores(b, x)
    labels, labels_dim = label_sequence(b, _required_target(b, x), "target", apart_from=time)
    given = b.labels(labels, classes, blank=_blank(b, opts, classes)), labels_dim
    clipped = _clipped(b, x, given, time)
    if isinstance(opts, _TfOptions):
        value = _tf(b, logits, clipped, time, classes, opts)
    elif isinstance(opts, NativeCtcOptions):
        value = native_ctc(b, logits, given, time, classes, opts)
    else:
        value = best_alignment_ctc(b, logits, given, time, classes, NativeCtcOptions())
    blank = b.size(classes) - 1
    width = x.options.beam_width
    if width > 1 and x.options.use_native:
        raise ConfigError(
            "ctc with use_native has no beam search", where=b.place("loss_opts"), hint='"beam_width": 1 in loss_opts'
        )
    if b.training or width <= 1:
        decoded, dim = best_path(b, logits, time, classes, blank)
    else:
        decoded, dim = beam_search(b, logits, time, classes, blank, width)
    return LossResult(value, b.op("edit_distance", decoded, clipped[0], a=dim, b=clipped[1]))


def _blank(b: LayerBuilder, opts: _Implementation, classes: Dim) -> int:
    """The class that is no label."""
    return (opts.blank_index if isinstance(opts, NativeCtcOptions) else -1) % b.size(classes)


def _clipped(b: LayerBuilder, x: LossInput[CtcOptions], labels: Labels, time: Dim) -> Labels:
    """The target with what the options cut off it."""
    if x.options.auto_clip_target_len:  # one frame is left for a blank
        labels = truncated(b, labels, b.maximum(b.sub(b.length(time), 1), 0))
    return without_repeats(b, labels) if x.options.target_collapse_repeated else labels


def _ctc(
    b: LayerBuilder, logits: Value, labels: Labels, time: Dim, classes: Dim, attrs: dict[str, Any], blank: int = -1
) -> Value:
    return b.op(
        "ctc_loss",
        logits,
        labels[0],
        dim=time,
        labels=labels[1],
        classes=classes,
        blank=class_number(b, blank, classes, "loss_opts"),
        **attrs,
    )


def _zeroes(b: LayerBuilder, given: bool | None) -> bool:
    """Whether a sequence without any alignment counts nothing."""
    if given is None:
        given = b.program.keys.tf_native_ctc_zero_infinity
    return b.behavior.ctc_zero_infinity if given is None else given


def _possible_only(b: LayerBuilder, value: Value, *, zero: bool) -> Value:
    return b.where(b.unary("is_finite", value), value, 0.0) if zero else value


def _tf(b: LayerBuilder, logits: Value, labels: Labels, time: Dim, classes: Dim, opts: _TfOptions) -> Value:
    """RETURNN's way by ``tf.nn.ctc_loss``."""
    if opts.preprocess_collapse_repeated:
        labels = without_repeats(b, labels)
    value = _ctc(b, logits, labels, time, classes, {"label_loop": opts.ctc_merge_repeated})
    if opts.ignore_longer_outputs_than_inputs:
        return _possible_only(b, value, zero=True)
    possible = b.reduce("all", b.binary("not_equal", value, math.inf), *value.dims)
    message = (
        f"{b.place('loss')}: a target of CTC has more labels than the output has frames for; "
        '"loss_opts": {"ctc_opts": {"ignore_longer_outputs_than_inputs": True}} lets such sequences count nothing'
    )
    b.program.graph.checks.append((message, possible))
    return value


def best_alignment_ctc(
    b: LayerBuilder, logits: Value, labels: Labels, time: Dim, classes: Dim, opts: NativeCtcOptions
) -> Value:
    """RETURNN's own CTC of the best alignment: infinite where there is none, unless the config rules that out."""
    attrs = {"viterbi": True, "normalize": opts.logits_normalize, "label_loop": opts.label_loop is not False}
    value = _ctc(b, logits, labels, time, classes, attrs, opts.blank_index)
    return _possible_only(b, value, zero=_zeroes(b, opts.zero_infinity))


def native_ctc(
    b: LayerBuilder, logits: Value, labels: Labels, time: Dim, classes: Dim, opts: NativeCtcOptions
) -> Value:
    """RETURNN's own CTC, with its error signals: one number for each sequence.

    Without any alignment the loss is 0 and its error signal p, unless ``zero_infinity`` rules that out.

    ``grad_wrt_softmax_in``: p - alignment, whether or not ``logits_normalize`` takes a softmax; without: - alignment.
    """
    normalize, through = opts.logits_normalize, opts.grad_wrt_softmax_in
    attrs = {"normalize": normalize and through, "label_loop": opts.label_loop is None or opts.label_loop}
    scores = logits
    if normalize:
        log_probs = b.op("log_softmax", logits, dims=(classes,))
        scores = logits if through else _value_of(b, log_probs, gradient_of=logits)
    value = _ctc(b, scores, labels, time, classes, attrs, opts.blank_index)
    if not through:
        return _possible_only(b, value, zero=True)
    # its derivative is p, summed over the frames
    kind = "logsumexp" if normalize else "sum"
    mass = b.reduce(kind, logits if normalize else b.unary("exp", logits), classes)
    mass = b.reduce("sum", mass, time)
    signal = b.sub(mass, b.op("stop_gradient", mass))
    if not normalize:
        value = b.add(value, signal)
    return b.where(b.unary("is_finite", value), value, b.const(0.0) if _zeroes(b, opts.zero_infinity) else signal)


def _value_of(b: LayerBuilder, x: Value, *, gradient_of: Value) -> Value:
    """The value of one and the gradient of the other."""
    return b.add(gradient_of, b.op("stop_gradient", b.sub(x, gradient_of)))


@loss("edit_distance", framewise=False, options=EditDistanceOptions, recurrent=True)
def edit_distance(b: LayerBuilder, x: LossInput[EditDistanceOptions]) -> LossResult:
    """Levenshtein distance of the output's labels to the target's, as error only."""
    target = _required_target(b, x)
    time = time_of(b, x.output, "output")
    table = x.options.label_map or {}
    if x.options.ctc_decode:
        classes = b.require_feature(x.output)
        _check_sizes(b, x, classes)
        hypothesis = beam_search(b, _scores(b, x), time, classes, b.size(classes) - 1, _BEAM_WIDTH)
    else:
        hypothesis = label_sequence(b, x.output, "output")
        _check_labels(b, x.output, target)
    reference = label_sequence(b, target, "target", apart_from=time)
    if table:
        hypothesis, reference = map_labels(b, hypothesis, table, "output"), map_labels(b, reference, table, "target")
    distance = b.op("edit_distance", hypothesis[0], reference[0], a=hypothesis[1], b=reference[1])
    return LossResult(None, distance)


def _check_labels(b: LayerBuilder, output: LayerOutput, target: LayerOutput) -> None:
    mine, theirs = output.sparse_dim, target.sparse_dim
    if mine is not None and theirs is not None and mine.size != theirs.size:
        raise DimError("output and target have other labels", where=b.place("target"), expected=mine, received=theirs)
