"""Adagrad, as TensorFlow 1 has it: without epsilon, so the sum of squares must not start at zero."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.options import Positive
from runtime.optimizers.registry import OptimizerOptions, optimizer
from runtime.optimizers.update import Update

__all__ = ["AdagradOptions", "adagrad"]


@dataclass(frozen=True, kw_only=True)
class AdagradOptions(OptimizerOptions):
    """Adagrad.

    Attributes:
        initial_accumulator_value: what the sum of the squares of the gradients starts with.
    """

    initial_accumulator_value: Positive = 0.1


@optimizer("adagrad", options=AdagradOptions, slot_name="Adagrad", slots=lambda opt: (opt.initial_accumulator_value,))
def adagrad(update: Update, opt: AdagradOptions) -> None:
    """Adagrad (Duchi et al. 2011): the gradient over the root of the sum of its squares."""
    (squares,) = update.slots
    update.kernel("Adagrad", accum=squares.handle, lr=update.rate, grad=update.grad)
