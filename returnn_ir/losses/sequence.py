"""Losses per sequence: CTC and the edit distance."""

from __future__ import annotations

from returnn_ir.dims import Dim
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.graph import Value
from returnn_ir.layers.context import LayerBuilder
from returnn_ir.layers.output import LayerOutput
from returnn_ir.losses.registry import LossInput, LossResult, loss

__all__: list[str] = []


def _time(b: LayerBuilder, x: LayerOutput, what: str) -> Dim:
    if x.time_dim is None:
        raise DimError(f"the {what} has no time axis", where=b.place("loss"), received=x.value.type)
    return x.time_dim


def per_label_norm(b: LayerBuilder, target: LayerOutput) -> Value:
    """1 / number of reference labels."""
    total = b.length(_time(b, target, "target"))
    return b.div(1.0, b.cast(b.reduce("sum", total, *total.dims), "float32"))


def best_path(b: LayerBuilder, x: LayerOutput, blank: int) -> tuple[Value, Dim]:
    """Greedy CTC decoding: the best label per frame, repeats merged, blanks removed.

    Returns:
        labels [..., D] and their dim D, whose lengths are computed.
    """
    time = _time(b, x, "output")
    feature = b.require_feature(x)
    best = b.op("set_sparse", b.op("argmax", x.value, dim=feature), sparse_dim=None)
    padded = b.op("pad", best, dim=time, out=time + 1, left=1, value=-1)
    previous = b.op("slice", padded, dim=time + 1, out=time, start=0, end=-1)
    starts = b.binary("logical_and", b.binary("not_equal", best, previous), b.binary("not_equal", best, blank))
    kept = b.cast(b.binary("logical_and", starts, b.mask(time)), "int64")
    decoded = b.dim("decoded", None)
    b.define(decoded, b.reduce("sum", kept, time, mask=False))
    position = b.sub(b.op("cumsum", kept, dim=time), 1)
    position = b.where(b.binary("equal", kept, 1), position, -1)
    return b.op("scatter_add", best, position, dims=(time,), out=decoded), decoded


@loss(
    "ctc",
    framewise=False,
    opts=(
        "target_collapse_repeated",
        "auto_clip_target_len",
        "output_in_log_space",
        "beam_width",
        "ctc_opts",
        "use_native",
        "use_viterbi",
    ),
)
def ctc(b: LayerBuilder, x: LossInput) -> LossResult:
    """Connectionist temporal classification; the blank is the last label. Error: edit distance of the best path."""
    output, target = x.output, x.target
    if target is None or target.sparse_dim is None:
        raise ConfigError("ctc needs a target of labels", where=b.place("target"))
    feature = b.require_feature(output)
    time, labels = _time(b, output, "output"), _time(b, target, "target")
    if output.activation is not None and output.activation[0] == "softmax":
        logits = output.activation[1].value
    elif x.options.get("output_in_log_space"):
        logits = output.value
    else:
        logits = b.unary("log", b.maximum(output.value, 1e-20))
    blank = (feature.size or 0) - 1
    value = b.op(
        "ctc_loss",
        logits,
        b.op("set_sparse", target.value, sparse_dim=None),
        dim=time,
        labels=labels,
        classes=feature,
        blank=blank,
        viterbi=bool(x.options.get("use_viterbi", False)),
    )
    ctc_opts = x.options.get("ctc_opts") or {}
    if b.behavior.ctc_zero_infinity or ctc_opts.get("ignore_longer_outputs_than_inputs"):
        value = b.where(b.unary("is_finite", value), value, 0.0)
    hypothesis, decoded = best_path(b, output, blank)
    reference = b.op("set_sparse", target.value, sparse_dim=None)
    error = b.op("edit_distance", hypothesis, reference, a=decoded, b=labels)
    return LossResult(value, error, per_label_norm(b, target))


@loss("edit_distance", framewise=False, opts=("debug_print", "label_map", "ctc_decode", "output_in_log_space"))
def edit_distance(b: LayerBuilder, x: LossInput) -> LossResult:
    """Levenshtein distance of the output's labels to the target's, as error only; normalised by the target's length."""
    output, target = x.output, x.target
    if target is None or target.sparse_dim is None:
        raise ConfigError("edit_distance needs a target of labels", where=b.place("target"))
    for option in ("label_map", "ctc_decode"):
        if x.options.get(option):
            raise ConfigError(f"edit_distance with {option} is not supported", where=b.place("loss_opts"))
    if output.sparse_dim is None:
        raise ConfigError("edit_distance needs labels as output", where=b.place("loss"), received=output.value.type)
    time, labels = _time(b, output, "output"), _time(b, target, "target")
    hypothesis, reference = (b.op("set_sparse", v.value, sparse_dim=None) for v in (output, target))
    if labels is time:
        labels = b.dim("reference", None)
        b.define(labels, b.length(time))
        reference = b.rename(reference, (time, labels))
    distance = b.op("edit_distance", hypothesis, reference, a=time, b=labels)
    return LossResult(None, distance, per_label_norm(b, target))
