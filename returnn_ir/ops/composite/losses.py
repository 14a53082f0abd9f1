"""Composites of sequence losses: CTC and the edit distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Scope
from returnn_ir.ir.signature import DIM, AtLeast0, Attr
from returnn_ir.ir.types import TensorType
from returnn_ir.ops.composite.spec import composite

__all__ = ["IMPOSSIBLE", "label_states", "log_sum", "shifted"]

Types = Sequence[TensorType]
Attrs = dict[str, Any]

#: log of zero that stays finite in sums and maxima
IMPOSSIBLE = -1e30


def _rest(types: Types, attrs: Attrs) -> tuple[Dim, ...]:
    own = [d for d in types[0].dims if d not in (attrs["dim"], attrs["classes"])]
    return tuple(dict.fromkeys((*own, *(d for d in types[1].dims if d is not attrs["labels"]))))


def _infer_ctc(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    return [TensorType(types[0].dtype, _rest(types, attrs))]


def _ctc_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...]]:
    rest = _rest(types, attrs)
    return [(attrs["dim"], *rest, attrs["classes"]), (*rest, attrs["labels"])]


def shifted(b: Builder, x: Value, dim: Dim, by: int) -> Value:
    """``x[s - by]``, impossible in front."""
    padded = b.op("pad", x, dim=dim, out=dim + by, left=by, value=IMPOSSIBLE)
    return b.op("slice", padded, dim=dim + by, out=dim, start=0, end=-by)


def log_sum(b: Builder, terms: Sequence[Value]) -> Value:
    """log(sum(exp)) of a few values, entry by entry; the gradient does not go through the largest one."""
    largest = terms[0]
    for term in terms[1:]:
        largest = b.maximum(largest, term)
    largest = b.op("stop_gradient", largest)
    total = b.unary("exp", b.sub(terms[0], largest))
    for term in terms[1:]:
        total = b.add(total, b.unary("exp", b.sub(term, largest)))
    return b.add(b.unary("log", total), largest)


def label_states(b: Builder, labels: Value, attrs: Attrs) -> tuple[Dim, Value, Value]:
    """The dim of states (blanks and labels in turn), the label of each, and whether the blank before may be skipped."""
    dim: Dim = attrs["labels"]
    states = 2 * dim + 1
    number = b.iota(states)
    is_label = b.binary("equal", b.binary("mod", number, 2), 1)
    at = b.op("gather", b.cast(labels, "int64"), b.binary("floordiv", number, 2), dim=dim)
    blank = b.const(attrs["blank"], "int64")
    symbol = b.where(is_label, at, blank)
    if not attrs["label_loop"]:
        return states, symbol, is_label
    two_back = b.op("pad", symbol, dim=states, out=states + 2, left=2, value=-1)
    two_back = b.op("slice", two_back, dim=states + 2, out=states, start=0, end=-2)
    skip = b.binary("logical_and", is_label, b.binary("not_equal", symbol, two_back))
    return states, symbol, skip


def _ctc_loss(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """-log p(labels | logits), Graves et al. (2006), by the forward recursion in log space; inf where impossible.

    Operands: logits [dim, ..., classes] (``normalize``: a softmax over them is taken), labels [..., labels].
    ``viterbi``: of the best path only. Without ``label_loop`` a label stands for one frame only, and a label may follow
    an equal one directly.
    """
    logits, labels = operands
    log_probs = b.op("log_softmax", logits, dims=(attrs["classes"],)) if attrs["normalize"] else logits
    states, symbol, skip = label_states(b, labels, attrs)
    emitted = b.op("gather", log_probs, symbol, dim=attrs["classes"])
    start = b.where(b.binary("equal", b.iota(states), 0), 0.0, IMPOSSIBLE)
    start = b.expand(b.cast(start, logits.dtype), *_rest([logits.type, labels.type], attrs))
    # a label's score from the frame before counts only where a label may last
    lasts = None if attrs["label_loop"] else b.binary("equal", b.binary("mod", b.iota(states), 2), 0)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        alpha = carries[0]
        skipped = b.where(skip, shifted(b, alpha, states, 2), IMPOSSIBLE)
        stayed = alpha if lasts is None else b.where(lasts, alpha, IMPOSSIBLE)
        terms = [stayed, shifted(b, alpha, states, 1), skipped]
        merged = b.maximum(b.maximum(*terms[:2]), terms[2]) if attrs["viterbi"] else log_sum(b, terms)
        return [b.maximum(b.add(merged, slices[0]), IMPOSSIBLE)], []

    (alpha,), _ = b.loop(attrs["dim"], [start], [emitted], step)
    last = b.mul(b.length(attrs["labels"]), 2)
    in_blank = b.op("gather", alpha, last, dim=states)
    in_label = b.op("gather", alpha, b.maximum(b.sub(last, 1), 0), dim=states)
    in_label = b.where(b.binary("greater", last, 0), in_label, IMPOSSIBLE)
    total = b.maximum(in_blank, in_label) if attrs["viterbi"] else log_sum(b, [in_blank, in_label])
    possible = b.binary("greater", total, IMPOSSIBLE / 2)
    return [b.where(possible, b.unary("neg", total), np.inf)]


def _infer_edit(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    return [TensorType("int64", _edit_rest(types, attrs))]


def _edit_rest(types: Types, attrs: Attrs) -> tuple[Dim, ...]:
    own = [d for d in types[0].dims if d is not attrs["a"]]
    return tuple(dict.fromkeys((*own, *(d for d in types[1].dims if d is not attrs["b"]))))


def _edit_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...]]:
    rest = _edit_rest(types, attrs)
    return [(*rest, attrs["a"]), (*rest, attrs["b"])]


def _edit_distance(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """Levenshtein (1966): substitutions, insertions and deletions that turn ``a`` into ``b``.

    Operands: a [..., a], b [..., b]. One row of the table is a carry; within the row a second loop carries the entry
    on the left.
    """
    first, second = (b.cast(v, "int64") for v in operands)
    dim_a, dim_b = attrs["a"], attrs["b"]
    columns = dim_b + 1
    rest = _edit_rest([first.type, second.type], attrs)
    start = b.expand(b.iota(columns), *rest)

    def row(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        above = b.op("slice", carries[0], dim=columns, out=dim_b, start=1)
        diagonal = b.op("slice", carries[0], dim=columns, out=dim_b, start=0, end=-1)
        differs = b.cast(b.binary("not_equal", slices[0], second), "int64")
        from_above = b.minimum(b.add(above, 1), b.add(diagonal, differs))
        left = b.expand(b.add(i, 1), *rest)

        def entry(j: Value, inner: list[Value], cells: list[Value]) -> tuple[list[Value], list[Value]]:
            best = b.minimum(cells[0], b.add(inner[0], 1))
            return [best], [best]

        _, (entries,) = b.loop(dim_b, [left], [from_above], entry)
        one = Dim("left", 1)
        joined = b.op("concat", b.expand(left, one), entries, dims=(one, dim_b), out=columns)
        return [b.expand(joined, *start.dims)], []

    (last,), _ = b.loop(dim_a, [start], [first], row)
    return [b.op("gather", last, b.length(dim_b), dim=columns)]


_CTC = {
    "dim": DIM,
    "labels": DIM,
    "classes": DIM,
    "blank": Attr(AtLeast0),
    "normalize": Attr(bool, True),
    "viterbi": Attr(bool, False),
    "label_loop": Attr(bool, True),
}
composite(
    "ctc_loss",
    ("logits", "labels"),
    _CTC,
    _ctc_loss,
    infer=_infer_ctc,
    order=_ctc_order,
)
composite("edit_distance", ("a", "b"), {"a": DIM, "b": DIM}, _edit_distance, infer=_infer_edit, order=_edit_order)
