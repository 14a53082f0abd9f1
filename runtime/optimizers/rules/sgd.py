"""Keras' gradient descent."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.options import ZeroOrMore
from runtime.optimizers.registry import OptimizerOptions, optimizer
from runtime.optimizers.update import Update

__all__ = ["SgdOptions", "sgd"]


@dataclass(frozen=True, kw_only=True)
class SgdOptions(OptimizerOptions):
    """Keras' gradient descent.

    Attributes:
        momentum: the share of the last update that is added to the next.
        nesterov: looks ahead by the momentum (Nesterov 1983).
    """

    momentum: ZeroOrMore = 0.0
    nesterov: bool = False


@optimizer("sgd", options=SgdOptions, slot_name="SGD", slots=lambda opt: (0.0,) if opt.momentum else ())
def sgd(update: Update, opt: SgdOptions) -> None:
    """Keras' gradient descent: the learning rate is inside of the momentum."""
    if not opt.momentum:
        update.subtract(update.rate * update.grad)
        return
    (velocity,) = update.slots
    update.kernel(
        "KerasMomentum", accum=velocity.handle, lr=update.rate, grad=update.grad,
        momentum=update.scalar(opt.momentum), use_nesterov=opt.nesterov,
    )  # fmt: skip
