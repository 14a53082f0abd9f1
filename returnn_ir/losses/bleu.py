"""The BLEU score per sequence (Papineni et al., 2002), as an error that is to become small."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError
from returnn_ir.expression.numbered import copy_of_dim
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.losses.labels import label_sequence
from returnn_ir.network.loss_registry import LossInput, LossOptions, LossResult, loss

__all__: list[str] = []

#: Sequences of up to so many labels are compared.
_MAX_ORDER = 4


@loss("bleu", framewise=False, recurrent=True)
def bleu(b: LayerBuilder, x: LossInput[LossOptions]) -> LossResult:
    """Minus the score of the output's labels against the target's; there is no loss to be derived."""
    if x.target is None:
        raise ConfigError("the loss needs a target", where=b.place("target"))
    labels, time = label_sequence(b, x.output, "output")
    truth, own = label_sequence(b, x.target, "target", apart_from=time)
    again = copy_of_dim(b, time, "again")
    with_truth = _Matches(b, time, own, b.binary("equal", labels, truth))
    with_itself = _Matches(b, time, again, b.binary("equal", labels, b.rename(labels, (time, again))))
    score = b.mul(_mean_precision(b, with_truth, with_itself), _brevity(b, b.length(time), b.length(own)))
    return LossResult(None, b.unary("neg", score))


@dataclass
class _Matches:
    """Which sequences of labels that begin at a place on ``a`` and on ``b`` are equal.

    Attributes:
        equal: of a length that grows by one with each :meth:`longer`.
    """

    builder: LayerBuilder
    a: Dim
    b: Dim
    equal: Value

    def longer(self) -> None:
        """Compare one label more."""
        b, following = self.builder, self.equal
        for dim in (self.a, self.b):
            following = b.op("gather", following, _next_place(b, dim), dim=dim)
            following = b.rename(following, (_shifted(b, dim), dim))
        self.equal = b.binary("logical_and", self.equal, following)


def _shifted(b: LayerBuilder, dim: Dim) -> Dim:
    return copy_of_dim(b, dim, f"next_{dim.name}")


def _next_place(b: LayerBuilder, dim: Dim) -> Value:
    """The place behind each, on an axis of its own; the last one's stands for a label that nothing is equal to."""
    return b.minimum(b.add(b.iota(_shifted(b, dim)), 1), b.sub(b.extent(dim), 1))


def _begins(b: LayerBuilder, dim: Dim, order: int) -> Value:
    """Whether ``order`` labels follow from a place on."""
    return b.binary("less_equal", b.add(b.iota(dim), order), b.length(dim))


def _mean_precision(b: LayerBuilder, with_truth: _Matches, with_itself: _Matches) -> Value:
    """The geometric mean over orders; an order without a match counts half of what the one before that did."""
    total, smooth, any_label = b.const(0.0), b.const(1.0), b.const(False)
    for order in range(1, _MAX_ORDER + 1):
        if order > 1:
            with_truth.longer()
            with_itself.longer()
        found, possible = _counts(b, with_truth, with_itself, order)
        nothing = b.binary("logical_and", b.binary("greater", possible, 0.0), b.binary("equal", found, 0.0))
        smooth = b.where(nothing, b.mul(smooth, 2.0), smooth)
        precision = b.div(b.where(nothing, b.div(1.0, smooth), found), b.maximum(possible, 1.0))
        some = b.binary("greater", possible, 0.0)
        total = b.add(total, b.where(some, b.unary("log", b.where(some, precision, 1.0)), 0.0))
        any_label = b.binary("logical_or", any_label, some)
    return b.where(any_label, b.unary("exp", b.mul(total, 1.0 / _MAX_ORDER)), 0.0)


def _counts(b: LayerBuilder, with_truth: _Matches, with_itself: _Matches, order: int) -> tuple[Value, Value]:
    """How many of the output's sequences of labels are in the target, each at most as often as there; of how many."""
    time, own, again = with_truth.a, with_truth.b, with_itself.b
    here = _begins(b, time, order)
    there = b.binary("logical_and", with_truth.equal, _begins(b, own, order))
    often = b.reduce("sum", b.cast(there, "int64"), own, mask=False)
    earlier = b.binary("logical_and", with_itself.equal, b.binary("less", b.iota(again), b.iota(time)))
    before = b.reduce("sum", b.cast(earlier, "int64"), again, mask=False)
    counted = b.binary("logical_and", here, b.binary("less", before, often))
    found, possible = (b.reduce("sum", b.cast(v, "float32"), time, mask=False) for v in (counted, here))
    return found, possible


def _brevity(b: LayerBuilder, length: Value, wanted: Value) -> Value:
    """The penalty of an output that is shorter than the target."""
    ratio = b.div(b.cast(length, "float32"), b.cast(b.maximum(wanted, 1), "float32"))
    some = b.binary("greater", ratio, 0.0)
    penalty = b.unary("exp", b.sub(1.0, b.div(1.0, b.where(some, ratio, 1.0))))
    return b.where(some, b.minimum(penalty, 1.0), 0.0)
