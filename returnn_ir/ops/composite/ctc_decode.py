"""Composite: the most probable label sequence under CTC, by prefix beam search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Scope, get_op
from returnn_ir.ir.signature import DIM, AtLeast0, AtLeast1, Attr
from returnn_ir.ir.types import TensorType
from returnn_ir.ops.composite.spec import composite

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]

#: log of zero that stays finite in sums and maxima; an entry of the beam below half of it is not there
_IMPOSSIBLE = -1e30


@dataclass(frozen=True)
class _Beam:
    """The prefixes that are kept.

    Attributes:
        label: the last label of each [..., slot], -1 for the empty prefix.
        blank, symbol: log probabilities of all paths so far that end in a blank, or in the last label.
        size: the number of labels.
        prefix: the labels [..., slot, position], -1 behind the end.
        begins: whether the prefix in the other slot is the beginning of this one, or the same [..., slot, other].
    """

    label: Value
    blank: Value
    symbol: Value
    size: Value
    prefix: Value
    begins: Value

    def carries(self) -> list[Value]:
        """As the loop carries them."""
        return [self.label, self.blank, self.symbol, self.size, self.prefix, self.begins]


@dataclass(frozen=True)
class _Dims:
    """The axes of the search; ``other`` and ``new`` are slots too."""

    classes: Dim
    rest: tuple[Dim, ...]
    position: Dim
    slot: Dim
    other: Dim
    new: Dim


def _rest(types: Types, attrs: Attrs) -> tuple[Dim, ...]:
    return tuple(d for d in types[0].dims if d not in (attrs["dim"], attrs["classes"]))


def _infer(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    rest = _rest(types, attrs)
    return [TensorType("int64", (*rest, attrs["out"])), TensorType("int64", rest)]


def _order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...]]:
    return [(attrs["dim"], *_rest(types, attrs), attrs["classes"])]


def _log_add(b: Builder, x: Value, y: Value) -> Value:
    largest = b.maximum(x, y)
    gap = b.sub(b.minimum(x, y), largest)
    return b.add(largest, b.unary("log1p", b.unary("exp", gap)))


def _start(b: Builder, dims: _Dims, dtype: str) -> _Beam:
    first = b.binary("equal", b.iota(dims.slot), 0)
    none = b.expand(b.const(-1), *dims.rest, dims.slot)
    impossible = b.expand(b.const(_IMPOSSIBLE, dtype), *dims.rest, dims.slot)
    same = b.binary("equal", b.iota(dims.slot), b.iota(dims.other))
    return _Beam(
        label=none,
        blank=b.expand(b.where(first, b.const(0.0, dtype), b.const(_IMPOSSIBLE, dtype)), *dims.rest),
        symbol=impossible,
        size=b.expand(b.const(0), *dims.rest, dims.slot),
        prefix=b.expand(none, dims.position),
        begins=b.expand(same, *dims.rest),
    )


def _parents(b: Builder, beam: _Beam, total: Value, dims: _Dims) -> Value:
    """Whether the other slot holds this prefix without its last label [..., slot, other]."""
    alive = b.binary("greater", total, _IMPOSSIBLE / 2)
    longer = b.binary("equal", beam.size, b.add(b.rename(beam.size, (dims.slot, dims.other)), 1))
    both = b.binary("logical_and", alive, b.rename(alive, (dims.slot, dims.other)))
    return b.binary("logical_and", b.binary("logical_and", beam.begins, longer), both)


def _stay(b: Builder, beam: _Beam, total: Value, parents: Value, scores: Value, dims: _Dims, blank: int) -> list[Value]:
    """The scores of the same prefixes one frame later: ending in a blank, ending in the last label."""
    label, ends_blank, all_paths = (b.rename(v, (dims.slot, dims.other)) for v in (beam.label, beam.blank, total))
    # an equal label is a new one only behind a blank
    from_parent = b.where(b.binary("equal", beam.label, label), ends_blank, all_paths)
    grown = b.reduce("max", b.where(parents, from_parent, _IMPOSSIBLE), dims.other)
    emitted = b.op("gather", scores, b.maximum(beam.label, 0), dim=dims.classes)
    symbol = b.add(_log_add(b, beam.symbol, grown), emitted)
    silence = b.op("gather", scores, b.const(blank), dim=dims.classes)
    return [b.maximum(v, _IMPOSSIBLE) for v in (b.add(total, silence), symbol)]


def _extend(b: Builder, beam: _Beam, total: Value, parents: Value, scores: Value, dims: _Dims, blank: int) -> Value:
    """The scores of all prefixes with one more label [..., slot * classes], impossible where a slot holds it."""
    classes, number = dims.classes, b.iota(dims.classes)
    repeated = b.binary("equal", number, beam.label)
    extended = b.add(b.where(repeated, beam.blank, total), scores)
    allowed = b.binary("logical_and", b.binary("not_equal", number, blank), b.binary("greater", total, _IMPOSSIBLE / 2))
    extended = b.where(allowed, b.maximum(extended, _IMPOSSIBLE), _IMPOSSIBLE)
    flat = b.op("merge", b.expand(extended, *dims.rest), dims=(dims.slot, classes), out=dims.slot * classes)
    parent = b.op("set_sparse", b.op("argmax", b.cast(parents, "int64"), dim=dims.other), sparse_dim=None)
    at = b.add(b.mul(parent, b.size(classes)), beam.label)
    at = b.where(b.reduce("any", parents, dims.other), at, -1)
    held = b.op("scatter_add", b.expand(b.const(1), *at.dims), at, dims=(dims.slot,), out=dims.slot * classes)
    return b.where(b.binary("greater", held, 0), _IMPOSSIBLE, flat)


def _next(b: Builder, beam: _Beam, kept: list[Value], extended: Value, dims: _Dims) -> _Beam:
    """The best of the prefixes that stay and of those that are longer by a label."""
    size, classes = b.size(dims.slot), b.size(dims.classes)
    everything = dims.slot + dims.slot * dims.classes
    stays = _log_add(b, *kept)
    joined = b.op("concat", stays, extended, dims=(dims.slot, dims.slot * dims.classes), out=everything)
    best, chosen = b.emit(get_op("top_k"), [joined], {"dim": everything, "k": dims.slot})
    chosen = b.op("set_sparse", chosen, sparse_dim=None)
    old = b.binary("less", chosen, size)
    place = b.sub(chosen, size)
    source = b.rename(b.where(old, chosen, b.binary("floordiv", place, classes)), (dims.slot, dims.new))
    label = b.where(old, -1, b.binary("mod", place, classes))

    def pick(x: Value, dim: Dim = dims.slot) -> Value:
        return b.rename(b.op("gather", x, source, dim=dim), (dims.new, dim))

    before = pick(beam.size)
    here = b.binary("logical_and", b.binary("equal", b.iota(dims.position), before), b.unary("logical_not", old))
    prefix = b.where(here, label, pick(beam.prefix))
    # a longer prefix begins another where its shorter one did and the label that came next is its own
    other_old, other_label, other_before = (b.rename(v, (dims.slot, dims.other)) for v in (old, label, before))
    following = b.op("gather", prefix, other_before, dim=dims.position)
    agrees = b.binary("logical_or", other_old, b.binary("equal", following, other_label))
    return _Beam(
        label=b.where(old, pick(beam.label), label),
        blank=b.where(old, pick(kept[0]), _IMPOSSIBLE),
        symbol=b.where(old, pick(kept[1]), best),
        size=b.add(before, b.where(old, b.const(0), b.const(1))),
        prefix=prefix,
        begins=b.binary("logical_and", pick(pick(beam.begins), dims.other), agrees),
    )


def _decode(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """Prefix beam search (Graves, 2012; Hannun et al., arXiv:1408.2873) without a language model.

    A prefix's probability is that of all paths that collapse to it; of those that end in a blank and in its last label
    the search knows separately. Every frame keeps the ``beam_width`` best prefixes.

    Operands: logits [dim, ..., classes]; a softmax over them is taken.
    Results: labels [..., out] and their number [...], the lengths of ``out``.
    """
    (logits,) = operands
    width: int = attrs["beam_width"]
    slot, other, new = (Dim(name, width) for name in ("slot", "other", "new"))
    dims = _Dims(attrs["classes"], _rest([logits.type], attrs), attrs["dim"] + 1, slot, other, new)
    scores = b.op("log_softmax", logits, dims=(dims.classes,))
    blank: int = attrs["blank"]

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        beam = _Beam(*carries)
        total = _log_add(b, beam.blank, beam.symbol)
        parents = _parents(b, beam, total, dims)
        kept = _stay(b, beam, total, parents, slices[0], dims, blank)
        extended = _extend(b, beam, total, parents, slices[0], dims, blank)
        return _next(b, beam, kept, extended, dims).carries(), []

    carries, _ = b.loop(attrs["dim"], _start(b, dims, logits.dtype).carries(), [scores], step)
    last, best = _Beam(*carries), b.const(0)
    size = b.op("gather", last.size, best, dim=slot)
    b.define(attrs["out"], size)
    prefix = b.op("gather", last.prefix, best, dim=slot)
    return [b.op("resize_axis", prefix, dim=dims.position, out=attrs["out"]), size]


composite(
    "ctc_beam_decode",
    ("logits",),
    {"dim": DIM, "classes": DIM, "blank": Attr(AtLeast0), "out": DIM, "beam_width": Attr(AtLeast1)},
    _decode,
    infer=_infer,
    order=_order,
)
