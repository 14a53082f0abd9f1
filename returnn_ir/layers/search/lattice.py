"""Alignments of label sequences to frames over the states of CTC: all of them weighted (Baum-Welch), or the best one.

Graves et al., "Connectionist temporal classification" (ICML 2006); without ``label_loop`` a label stands for one frame
only (RNA: Sak et al., "Recurrent neural aligner", Interspeech 2017). The states are blanks and labels in turn.
"""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ops.composite.losses import IMPOSSIBLE, label_states, log_sum, shifted

__all__ = ["Lattice", "best_alignment", "soft_alignment"]


@dataclass(frozen=True)
class Lattice:
    """What is aligned.

    Attributes:
        scores: log probabilities [time, ..., classes].
        labels: [..., dim], int64.
        label_loop: whether a label may last several frames, and needs a blank between it and an equal one.
    """

    scores: Value
    time: Dim
    classes: Dim
    labels: Value
    dim: Dim
    blank: int
    label_loop: bool

    @property
    def rest(self) -> tuple[Dim, ...]:
        """The axes of a sequence's score."""
        own = [d for d in self.scores.dims if d not in (self.time, self.classes)]
        return tuple(dict.fromkeys((*own, *(d for d in self.labels.dims if d is not self.dim))))


@dataclass(frozen=True)
class _States:
    """The states of a lattice: axis, symbols, whether the one before may be skipped, whether they last, and scores."""

    dim: Dim
    symbol: Value
    skip: Value
    lasts: Value
    emitted: Value


def _states(b: Builder, x: Lattice) -> _States:
    attrs = {"labels": x.dim, "blank": x.blank, "label_loop": x.label_loop}
    dim, symbol, skip = label_states(b, x.labels, attrs)
    is_blank = b.binary("equal", b.binary("mod", b.iota(dim), 2), 0)
    lasts = b.binary("greater_equal", b.iota(dim), 0) if x.label_loop else is_blank
    return _States(dim, symbol, skip, lasts, b.op("gather", x.scores, symbol, dim=x.classes))


def _ways(b: Builder, x: _States, alpha: Value) -> list[Value]:
    """Scores of coming from the same state, the one before, and the one before that."""
    stayed, skipped = (b.where(c, v, IMPOSSIBLE) for c, v in ((x.lasts, alpha), (x.skip, shifted(b, alpha, x.dim, 2))))
    return [stayed, shifted(b, alpha, x.dim, 1), skipped]


def _first(b: Builder, x: Lattice, states: _States) -> Value:
    """The score in front of the first frame: as if a blank had just been there."""
    start = b.where(b.binary("equal", b.iota(states.dim), 0), 0.0, IMPOSSIBLE)
    return b.expand(b.cast(start, x.scores.dtype), *x.rest)


def _last(b: Builder, x: Lattice) -> tuple[Value, Value]:
    """The states in which a sequence may end: the last blank and the last label (the blank where there is none)."""
    blank = b.mul(b.length(x.dim), 2)
    return blank, b.maximum(b.sub(blank, 1), 0)


# -------------------------------------------------------------------- all alignments


def soft_alignment(b: Builder, x: Lattice) -> tuple[Value, Value]:
    """The share of all alignments, weighted by probability, that has a class in a frame, and -log of their sum.

    Returns:
        [time, ..., classes], zero where no alignment is possible and behind the end; [...], inf where none is possible.
    """
    states = _states(b, x)

    def forward(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        alpha = b.maximum(b.add(log_sum(b, _ways(b, states, carries[0])), slices[0]), IMPOSSIBLE)
        return [alpha], [alpha]

    (end,), (alphas,) = b.loop(x.time, [_first(b, x, states)], [states.emitted], forward)
    blank, label = _last(b, x)
    ends = b.binary(
        "logical_or", b.binary("equal", b.iota(states.dim), blank), b.binary("equal", b.iota(states.dim), label)
    )
    final = b.expand(b.cast(b.where(ends, 0.0, IMPOSSIBLE), x.scores.dtype), *x.rest)
    betas = _backward(b, x, states, final)
    total = b.reduce("logsumexp", b.add(end, final), states.dim, mask=False)
    possible = b.binary("greater", total, IMPOSSIBLE / 2)
    share = b.unary("exp", b.minimum(b.sub(b.add(alphas, betas), total), 0.0))
    kept = b.where(b.binary("logical_and", possible, b.mask(x.time)), share, 0.0)
    symbols = b.expand(states.symbol, *x.rest, x.time)
    found = b.op("scatter_add", kept, symbols, dims=(states.dim,), out=x.classes)
    return found, b.where(possible, b.unary("neg", total), float("inf"))


def _backward(b: Builder, x: Lattice, states: _States, final: Value) -> Value:
    """The score of the frames that follow, by frame and state."""
    skips = b.where(states.skip, 0.0, IMPOSSIBLE)
    lasts = b.where(states.lasts, 0.0, IMPOSSIBLE)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        after = carries[0]  # the score of the frame behind and of all that follows it, by its state
        ways = [b.add(after, lasts), _earlier(b, after, states.dim, 1), _earlier(b, b.add(after, skips), states.dim, 2)]
        beta = b.where(b.binary("equal", i, 0), final, b.maximum(log_sum(b, ways), IMPOSSIBLE))
        return [b.maximum(b.add(beta, slices[0]), IMPOSSIBLE)], [beta]

    turned = b.op("reverse", states.emitted, dim=x.time)
    _, (betas,) = b.loop(x.time, [final], [turned], step)
    return b.op("reverse", betas, dim=x.time)


def _earlier(b: Builder, x: Value, dim: Dim, by: int) -> Value:
    """``x[s + by]``, impossible behind the last state."""
    padded = b.op("pad", x, dim=dim, out=dim + by, right=by, value=IMPOSSIBLE)
    return b.op("slice", padded, dim=dim + by, out=dim, start=by)


# -------------------------------------------------------------------- the best alignment


def best_alignment(b: Builder, x: Lattice) -> tuple[Value, Value]:
    """The class of each frame in the most probable alignment, and its log probability (-inf where there is none).

    Returns:
        [time, ...] int64; [...].
    """
    states = _states(b, x)

    def forward(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        stayed, moved, skipped = _ways(b, states, carries[0])
        best = b.maximum(b.maximum(stayed, moved), skipped)
        one = b.where(b.binary("greater", moved, stayed), b.const(1), b.const(0))
        back = b.where(b.binary("greater", skipped, b.maximum(stayed, moved)), b.const(2), one)
        return [b.maximum(b.add(best, slices[0]), IMPOSSIBLE)], [back]

    (alpha,), (backs,) = b.loop(x.time, [_first(b, x, states)], [states.emitted], forward)
    blank, label = _last(b, x)
    in_blank, in_label = (b.op("gather", alpha, b.expand(s, *x.rest), dim=states.dim) for s in (blank, label))
    ends = b.expand(b.where(b.binary("greater", in_label, in_blank), label, blank), *x.rest)

    def trace(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        return [b.sub(carries[0], b.op("gather", slices[0], carries[0], dim=states.dim))], [carries[0]]

    _, (path,) = b.loop(x.time, [ends], [b.op("reverse", backs, dim=x.time)], trace)
    path = b.op("reverse", path, dim=x.time)
    score = b.maximum(in_blank, in_label)
    possible = b.binary("greater", score, IMPOSSIBLE / 2)
    found = b.op("gather", b.expand(states.symbol, *x.rest), path, dim=states.dim)
    return b.where(possible, found, b.const(0)), b.where(possible, score, float("-inf"))
