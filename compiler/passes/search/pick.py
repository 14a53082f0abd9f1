"""Picking the best continuations of hypotheses: joint top-k, with the true label kept, or per hypothesis."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.errors import ConfigError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Value
from returnn_ir.ir.op import get_op

__all__ = ["UNUSED", "Picked", "pick"]

#: The score of a hypothesis that is not there.
UNUSED = -1e30
#: The score of what must not be picked.
_NEVER = float("-inf")


@dataclass(frozen=True)
class Picked:
    """The hypotheses after a choice, all [..., beam].

    Attributes:
        slots: which hypothesis before it each comes from.
    """

    scores: Value
    slots: Value
    labels: Value


def pick(
    b: Builder,
    node: Node,
    total: Value,
    before: Dim,
    *,
    gold: Value | None = None,
    origins: Value | None = None,
    first: Value | None = None,
) -> Picked:
    """What the choice ``node`` picks of ``total`` [..., before, classes].

    Args:
        gold: the true labels [...], for ``cheating``.
        origins: behind a choice that does not cheat: the slots [..., before] that the hypotheses had before it.
        first: for the first choice of a step: whether this is the first step (only the first slot is there then).
    """
    after, classes = node.attrs["beam"], node.attrs["classes"]
    last = b.const(b.size(before) - 1, "int64")
    slot = last if first is None else b.where(first, b.const(0, "int64"), last)
    if gold is not None and origins is not None:
        slot = _true_slot(b, total, before, classes, gold, origins)
    joint = _pick(b, node, total, before, after, gold, slot)
    if not node.attrs["keep_beams"]:
        return joint
    each = _pick_each(b, node, total, before, after, classes, gold)
    if first is None:
        return each
    return Picked(
        b.where(first, joint.scores, each.scores),
        b.where(first, joint.slots, each.slots),
        b.where(first, joint.labels, each.labels),
    )


def _true_slot(b: Builder, total: Value, before: Dim, classes: Dim, gold: Value, origins: Value) -> Value:
    """The best hypothesis that comes from the last slot in use, where a cheating choice keeps the truth."""
    used = b.reduce("max", origins, *origins.dims, mask=False)
    score = b.op("gather", total, b.maximum(b.minimum(gold, b.sub(_count(b, classes), 1)), 0), dim=classes)
    score = b.where(b.binary("equal", origins, used), score, _NEVER)
    return b.op("set_sparse", b.op("argmax", score, dim=before, mask=False), sparse_dim=None)


def _pick_each(
    b: Builder, node: Node, total: Value, before: Dim, after: Dim, classes: Dim, gold: Value | None
) -> Picked:
    """Every hypothesis has successors of its own."""
    own, rest = divmod(b.size(after), b.size(before))
    if rest or not own:
        raise ConfigError(
            "keep_beams gives every hypothesis the same number of successors",
            where=node.origin,
            expected=f"a beam_size that is a multiple of {before.size}, the beam before this choice",
            received=after.size,
        )
    one, kept = Dim("one", 1), Dim("kept", own)
    picked = _pick(b, node, b.expand(total, one), one, kept, gold, b.const(0, "int64"))
    slots = b.expand(b.iota(before), *picked.labels.dims)
    scores, slots, labels = (
        b.op("merge", v, dims=(before, kept), out=after) for v in (picked.scores, slots, picked.labels)
    )
    return Picked(scores, slots, labels)


def _pick(
    b: Builder, node: Node, total: Value, before: Dim, after: Dim, gold: Value | None, gold_slot: Value
) -> Picked:
    given = classes = node.attrs["classes"]
    if classes.is_dynamic:
        total, classes = _widened(b, total, classes, after)
    size = _count(b, classes)
    largest = b.sub(_count(b, given), 1)
    gold_score = position = None
    if gold is not None:
        gold = b.maximum(b.minimum(gold, largest), 0)
        position = b.add(b.mul(gold_slot, size), gold)
        gold_score = b.op("gather", b.op("gather", total, gold_slot, dim=before), gold, dim=classes)
        if node.attrs["cheating"] == "exclusive":
            here = b.binary("logical_and", _is(b, before, gold_slot), _is(b, classes, gold))
            total = b.where(here, _NEVER, total)
    scores, flat = _top(b, total, before, classes, after)
    if position is not None and gold_score is not None:
        worst = b.binary("equal", b.iota(after), b.size(after) - 1)
        scores, flat = b.where(worst, gold_score, scores), b.where(worst, position, flat)
    label = b.binary("mod", flat, size)
    label = label if classes is given else b.minimum(label, largest)
    return Picked(scores, b.binary("floordiv", flat, size), label)


def _count(b: Builder, classes: Dim) -> Value:
    """How many labels there are to choose from."""
    return b.const(classes.size, "int64") if classes.size is not None else b.extent(classes)


def _widened(b: Builder, total: Value, classes: Dim, after: Dim) -> tuple[Value, Dim]:
    """Positions on an axis, with as many more that nobody wants as the beam is wide, so that it can always be filled.

    Like RETURNN's, the search sees positions behind a sequence's end; their scores say that they are none.
    """
    wide, count = Dim(f"{classes.name}.wide", None), b.extent(classes)
    b.define(wide, b.add(count, b.size(after)))
    resized = b.op("resize_axis", total, dim=classes, out=wide)
    return b.where(b.binary("less", b.iota(wide), count), resized, UNUSED), wide


def _is(b: Builder, dim: Dim, position: Value) -> Value:
    return b.binary("equal", b.iota(dim), position)


def _top(b: Builder, total: Value, before: Dim, classes: Dim, after: Dim) -> tuple[Value, Value]:
    """The best entries over both axes; where there are fewer than the beam is wide, the rest are not there."""
    both = before * classes
    flat = b.op("merge", total, dims=(before, classes), out=both)
    count = both.size if both.size is not None and both.size < b.size(after) else None
    some = after if count is None else Dim("some", count)
    scores, position = b.emit(get_op("top_k"), [flat], {"dim": both, "k": some, "mask": False})
    position = b.op("set_sparse", position, sparse_dim=None)
    if count is None:
        return scores, position
    there = b.binary("less", b.iota(after), count)
    scores = b.where(there, b.op("resize_axis", scores, dim=some, out=after), UNUSED)
    return scores, b.op("resize_axis", position, dim=some, out=after)
