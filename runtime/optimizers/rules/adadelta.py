"""Adadelta, as TensorFlow 1 has it."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.options import Probability, ZeroOrMore
from runtime.optimizers.registry import EPSILON, OptimizerOptions, optimizer
from runtime.optimizers.update import Update

__all__ = ["AdadeltaOptions", "adadelta"]


@dataclass(frozen=True, kw_only=True)
class AdadeltaOptions(OptimizerOptions):
    """Adadelta.

    Attributes:
        rho: the decay of the means of the squares of gradients and updates.
        epsilon: added to both, inside of the roots; the first updates are of its size.
    """

    rho: Probability = 0.95
    epsilon: ZeroOrMore = EPSILON


@optimizer("adadelta", options=AdadeltaOptions, slot_name="Adadelta", slots=lambda opt: (0.0, 0.0))
def adadelta(update: Update, opt: AdadeltaOptions) -> None:
    """Adadelta (Zeiler 2012): the gradient by the root of the mean square of the updates over that of the gradients."""
    squares, squares_of_updates = update.slots
    update.kernel(
        "Adadelta", accum=squares.handle, accum_update=squares_of_updates.handle, lr=update.rate, grad=update.grad,
        rho=update.scalar(opt.rho), epsilon=update.scalar(opt.epsilon),
    )  # fmt: skip
