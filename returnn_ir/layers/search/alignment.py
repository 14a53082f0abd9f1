"""Layers about alignments: edit_distance, forced_align, fast_bw."""

from __future__ import annotations

import math
from typing import Annotated, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.search.lattice import Lattice, best_alignment, soft_alignment
from returnn_ir.losses.framewise import before_activation, safe_log
from returnn_ir.losses.labels import class_number
from returnn_ir.losses.rasr import by_rasr
from returnn_ir.losses.via_layer import ALIGNMENT_LOSS
from returnn_ir.network.layer_options import Axis, LayerOptions, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Alias, Finite, Probability, checked, option_class, read_options

__all__: list[str] = []


@option_class
class EditDistanceOptions(LayerOptions):
    """Options of ``edit_distance``.

    Attributes:
        a: the one sequence.
        b: the other sequence.
        a_spatial_dim: the axis of the one.
        b_spatial_dim: the axis of the other.
    """

    a: LayerRef
    b: LayerRef
    a_spatial_dim: Axis = "T"
    b_spatial_dim: Axis = "T"


@layer("edit_distance", options=EditDistanceOptions, sources="none", recurrent=True)
def edit_distance(b: LayerBuilder, opt: EditDistanceOptions) -> LayerOutput:
    """Levenshtein distance of two label sequences, int32."""
    first, second = b.layer(opt.a), b.layer(opt.b)
    dim_a = b.axis(first, "T" if opt.a_spatial_dim is None else opt.a_spatial_dim, "a_spatial_dim")
    dim_b = b.axis(second, "T" if opt.b_spatial_dim is None else opt.b_spatial_dim, "b_spatial_dim")
    left = b.op("set_sparse", first.value, sparse_dim=None)
    right, own = _apart(b, b.op("set_sparse", second.value, sparse_dim=None), dim_b, dim_a)
    distance = b.cast(b.op("edit_distance", left, right, a=dim_a, b=own), "int32")
    axes = [d for d in (*first.axes, *second.axes) if d in distance.dims]
    return LayerOutput.of(distance, tuple(dict.fromkeys(axes)))


def _apart(b: LayerBuilder, value: Value, dim: Dim, other: Dim) -> tuple[Value, Dim]:
    """The labels on an axis of their own, where both sequences have the same."""
    if dim is not other:
        return value, dim
    own = b.dim("reference", dim.size)
    if own.is_dynamic and b.lookup(own) is None:
        b.define(own, b.length(dim))
    return b.rename(value, (dim, own)), own


# -------------------------------------------------------------------- labels to frames


def _lattice(b: LayerBuilder, x: LayerOutput, scores: Value, target: LayerOutput, blank: int, *, loop: bool) -> Lattice:
    classes, time = b.require_feature(x), x.time_dim
    if time is None or x.batch_dim is None or len(x.axes) != 3:
        raise DimError("the source needs batch, time and features", where=b.place("from"), received=x.value.type)
    if target.time_dim is None or target.sparse_dim is None:
        raise DimError("the target is no label sequence", where=b.place("target"), received=target.value.type)
    included = target.sparse_dim.size == classes.size
    labels = b.cast(b.labels(target.value, classes, blank=None if included else blank), "int64")
    labels, dim = _apart(b, labels, target.time_dim, time)
    return Lattice(scores, time, classes, labels, dim, blank, loop)


def _log_scores(b: LayerBuilder, x: LayerOutput, input_type: str, *, from_logits: bool) -> Value:
    if input_type == "log_prob":
        return x.value
    if input_type != "prob":
        raise ConfigError(
            "unknown input_type", where=b.place("input_type"), expected="log_prob or prob", received=input_type
        )
    before = before_activation(b, x, "softmax") if from_logits else None
    return safe_log(b, x.value) if before is None else b.op("log_softmax", before, dims=(b.require_feature(x),))


@option_class
class ForcedAlignOptions(SourceOptions):
    """Options of ``forced_align``.

    Attributes:
        align_target: the layer with the labels.
        topology: rna, or ctc, where frames with the same label are one label.
        input_type: what the source is: prob, log_prob or logits.
        blank_idx: the number of the label that is no label.
        blank_included: the classes have a blank already.
    """

    align_target: LayerRef
    topology: str
    input_type: str
    blank_idx: int = -1
    blank_included: bool = False


@layer("forced_align", options=ForcedAlignOptions)
def forced_align(b: LayerBuilder, opt: ForcedAlignOptions, x: LayerOutput) -> LayerOutput:
    """The best alignment of the target's labels, [time, batch]; its log probability is the part ``/scores``."""
    if opt.topology not in ("ctc", "rna"):
        raise ConfigError("unknown topology", where=b.place("topology"), expected="ctc or rna", received=opt.topology)
    target, classes = b.layer(opt.align_target), b.require_feature(x)
    count = b.size(classes)
    labels = target.sparse_dim.size if target.sparse_dim is not None else None
    if labels != (count if opt.blank_included else count - 1):
        raise DimError(
            "the target has another number of labels",
            where=b.place("align_target"),
            expected=f"{count} labels with the blank among them" if opt.blank_included else f"{count - 1} labels",
            received=labels,
        )
    if not opt.blank_included and opt.blank_idx != -1:
        raise ConfigError("the blank must be the last class", where=b.place("blank_idx"), received=opt.blank_idx)
    blank = class_number(b, opt.blank_idx, classes, "blank_idx")
    scores = _log_scores(b, x, opt.input_type, from_logits=False)
    lattice = _lattice(b, x, scores, target, blank, loop=opt.topology == "ctc")
    path, score = best_alignment(b, lattice)
    value = b.op("set_sparse", b.cast(path, "int32"), sparse_dim=classes)
    parts = {"scores": LayerOutput.of(b.op("stop_gradient", score), lattice.rest)}
    return LayerOutput(value, (lattice.time, *lattice.rest), lattice.time, None, parts=parts)


@option_class
class FastBwOptions(SourceOptions):
    """Options of ``fast_bw``.

    Attributes:
        align_target: what kind of alignment: ctc, sprint (by RASR: built, but not run) or staircase.
        align_target_key: the data key of the labels; None: the layer's target.
        ctc_opts: options of the alignment.
        sprint_opts: how RASR is started, for its automata.
        input_type: what the source is: prob, log_prob or logits.
        tdp_scale: the factor of the transition scores of RASR's automata.
        am_scale: the factor of the scores.
        min_prob: the smallest probability.
        staircase_seq_len_source: the layer with as many frames as a staircase has steps.
    """

    align_target: str
    align_target_key: str | None = None
    ctc_opts: dict[str, Any] | None = None
    sprint_opts: Any = None
    input_type: str = "log_prob"
    tdp_scale: Finite = 1.0
    am_scale: Finite = 1.0
    min_prob: Probability = 0.0
    staircase_seq_len_source: LayerRef | None = None


@option_class
class _CtcOptions:
    """``ctc_opts`` of ``fast_bw``.

    Attributes:
        blank_idx: the class that is no label; None: the last one.
        label_loop: frames with the same label are one label.
        edges_bound: without effect: how much memory RETURNN plans with.
    """

    blank_idx: int | None = None
    label_loop: Annotated[bool | None, Alias("ctc_merge_repeated")] = True
    edges_bound: Any = None


@layer("fast_bw", options=FastBwOptions, recurrent=True)
def fast_bw(b: LayerBuilder, opt: FastBwOptions, x: LayerOutput) -> LayerOutput:
    """The posterior of each class over all alignments of the target, [time, batch, classes]."""
    time, classes = x.time_dim, b.require_feature(x)
    if time is None or x.batch_dim is None or len(x.axes) != 3:
        raise DimError("the source needs batch, time and features", where=b.place("from"), received=x.value.type)
    automata = {"ctc": _ctc, "sprint": _sprint, "staircase": _staircase}
    if opt.align_target not in automata:
        raise ConfigError(
            "unknown align_target",
            where=b.place("align_target"),
            expected=", ".join(automata),
            received=opt.align_target,
        )
    posterior, loss = automata[opt.align_target](b, opt, x, _am_scores(b, opt, x))
    posterior, loss = (b.op("stop_gradient", v) for v in (posterior, loss))
    rest = tuple(d for d in x.axes if d not in (time, classes))
    parts = {ALIGNMENT_LOSS: LayerOutput.of(loss, rest)}
    return LayerOutput(posterior, (time, *rest, classes), time, classes, parts=parts)


def _am_scores(b: LayerBuilder, opt: FastBwOptions, x: LayerOutput) -> Value:
    """Log probabilities, clipped and scaled."""
    scores = _log_scores(b, x, opt.input_type, from_logits=True)
    if opt.min_prob > 0:
        scores = b.maximum(scores, math.log(opt.min_prob))
    if opt.am_scale != 1:
        scores = b.mul(scores, opt.am_scale)
    return scores


def _ctc(b: LayerBuilder, opt: FastBwOptions, x: LayerOutput, scores: Value) -> tuple[Value, Value]:
    """Labels and blanks; the posterior, and -log of the sum over all alignments."""
    target, classes = b.target(opt.align_target_key), b.require_feature(x)
    blank, loop = _ctc_opts(b, opt, target, classes)
    return soft_alignment(b, _lattice(b, x, scores, target, blank, loop=loop))


def _sprint(b: LayerBuilder, opt: FastBwOptions, x: LayerOutput, scores: Value) -> tuple[Value, Value]:
    """RASR's automata for the sequences of these names."""
    if not opt.sprint_opts:
        raise ConfigError("align_target 'sprint' needs to know how RASR is started", where=b.place("sprint_opts"))
    return by_rasr(b, scores, like=x.value), by_rasr(b, scores)


def _staircase(b: LayerBuilder, opt: FastBwOptions, x: LayerOutput, scores: Value) -> tuple[Value, Value]:
    """One class after the other, up to the length of ``staircase_seq_len_source``: there is one alignment only."""
    if opt.staircase_seq_len_source is None:
        raise ConfigError(
            "align_target 'staircase' needs a layer with the number of steps", where=b.place("staircase_seq_len_source")
        )
    source, time, classes = b.layer(opt.staircase_seq_len_source), x.time_dim, b.require_feature(x)
    if source.time_dim is None or time is None:
        raise DimError("the layer has no time axis", where=b.place("staircase_seq_len_source"))
    length = b.length(source.time_dim)
    fits = b.reduce("all", b.binary("less_equal", length, b.extent(classes)), *length.dims)
    message = f"{b.place('staircase_seq_len_source')}: a staircase has more steps than there are classes"
    b.program.graph.checks.append((message, fits))
    step = b.iota(time)
    here = b.binary("logical_and", b.binary("equal", step, b.iota(classes)), b.binary("less", step, length))
    total = b.reduce("sum", b.where(here, scores, 0.0), time, classes, mask=False)
    return b.expand(b.cast(here, "float32"), *x.axes), b.unary("neg", total)


def _ctc_opts(b: LayerBuilder, opt: FastBwOptions, target: LayerOutput, classes: Dim) -> tuple[int, bool]:
    """The blank's number, and whether labels may last."""
    labels = target.sparse_dim.size if target.sparse_dim is not None else None
    if labels is None or classes.size != labels + 1:
        raise DimError(
            "the source has not the target's labels and a blank",
            where=b.place("from"),
            expected=labels,
            received=classes,
        )
    given = checked(read_options(_CtcOptions, opt.ctc_opts or {}, lambda key: b.place("ctc_opts"), owner="ctc_opts"))
    blank = labels if given.blank_idx is None else given.blank_idx
    return class_number(b, blank, classes, "ctc_opts"), bool(given.label_loop)
