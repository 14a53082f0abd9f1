"""Label sequences: repeats, removed and renumbered labels, other lengths, CTC decoding."""

from __future__ import annotations

from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op

__all__ = [
    "Labels",
    "beam_search",
    "best_path",
    "class_number",
    "label_sequence",
    "map_labels",
    "time_of",
    "truncated",
    "without_repeats",
]

#: Label numbers (integers that are not labels of a dim any more) and the axis that they follow each other on.
Labels = tuple[Value, Dim]


def class_number(b: LayerBuilder, number: int, classes: Dim, key: str) -> int:
    """The class that an option names; negative numbers count from the end."""
    count = b.size(classes)
    if not -count <= number < count:
        raise ConfigError("no such class", where=b.place(key), expected=f"{-count} to {count - 1}", received=number)
    return number % count


def time_of(b: LayerBuilder, x: LayerOutput, what: str) -> Dim:
    """The time axis, which a loss of sequences cannot do without."""
    if x.time_dim is None:
        raise DimError(f"the {what} has no time axis", where=b.place("loss"), received=x.value.type)
    return x.time_dim


def label_sequence(b: LayerBuilder, x: LayerOutput, what: str, *, apart_from: Dim | None = None) -> Labels:
    """The labels of a sparse output or target, on another axis than ``apart_from`` even if theirs is the same."""
    if x.sparse_dim is None:
        raise ConfigError(
            f"loss {b.definition.options.loss!r} needs labels as {what}", where=b.place("loss"), received=x.value.type
        )
    time = time_of(b, x, what)
    value = b.op("set_sparse", x.value, sparse_dim=None)
    if time is not apart_from:
        return value, time
    own = b.dim("reference", None)
    b.define(own, b.length(time))
    return b.rename(value, (time, own)), own


def _previous(b: LayerBuilder, labels: Value, time: Dim) -> Value:
    """The label one frame before, -1 in front."""
    padded = b.op("pad", labels, dim=time, out=time + 1, left=1, value=-1)
    return b.op("slice", padded, dim=time + 1, out=time, start=0, end=-1)


def _select(b: LayerBuilder, labels: Labels, wanted: Value, role: str) -> Labels:
    """The labels where ``wanted`` holds, side by side on a dim of this layer's."""
    value, time = labels
    kept = b.cast(b.binary("logical_and", wanted, b.mask(time)), "int64")
    dim = b.dim(role, None)
    b.define(dim, b.reduce("sum", kept, time, mask=False))
    position = b.where(b.binary("equal", kept, 1), b.sub(b.op("cumsum", kept, dim=time), 1), -1)
    return b.op("scatter_add", value, position, dims=(time,), out=dim), dim


def without_repeats(b: LayerBuilder, labels: Labels) -> Labels:
    """Of equal labels in a row the first."""
    return _select(b, labels, b.binary("not_equal", labels[0], _previous(b, *labels)), "collapsed")


def truncated(b: LayerBuilder, labels: Labels, longest: Value) -> Labels:
    """At most ``longest`` labels of each sequence."""
    value, time = labels
    dim = b.dim("clipped", None)
    b.define(dim, b.minimum(b.length(time), longest))
    return b.op("resize_axis", value, dim=time, out=dim), dim


def map_labels(b: LayerBuilder, labels: Labels, table: dict[int, Any], role: str) -> Labels:
    """Labels renumbered by a table; None removes a label."""
    if sorted(table) != list(range(len(table))):
        raise ConfigError(
            "label_map does not say what becomes of every label",
            where=b.place("loss_opts"),
            expected=f"the keys 0 to {len(table) - 1}",
            received=sorted(table),
        )
    source = Dim("label", len(table))
    numbers = [-1 if table[i] is None else int(table[i]) for i in range(len(table))]
    mapped = b.op("gather", b.const(numbers, "int64", (source,)), b.labels(labels[0], source), dim=source)
    if None not in table.values():
        return mapped, labels[1]
    return _select(b, (mapped, labels[1]), b.binary("not_equal", mapped, -1), f"{role}.mapped")


def best_path(b: LayerBuilder, logits: Value, time: Dim, classes: Dim, blank: int) -> Labels:
    """Greedy CTC decoding: the best label of every frame, repeats merged, blanks removed."""
    best = b.op("set_sparse", b.op("argmax", logits, dim=classes), sparse_dim=None)
    starts = b.binary("not_equal", best, _previous(b, best, time))
    return _select(b, (best, time), b.binary("logical_and", starts, b.binary("not_equal", best, blank)), "decoded")


def beam_search(b: LayerBuilder, logits: Value, time: Dim, classes: Dim, blank: int, width: int) -> Labels:
    """CTC decoding by prefix beam search."""
    decoded = b.dim("decoded", None)
    attrs = {"dim": time, "classes": classes, "blank": blank, "out": decoded, "beam_width": width}
    labels, lengths = b.emit(get_op("ctc_beam_decode"), [logits], attrs)
    b.define(decoded, lengths)
    return labels, decoded
