"""Adagrad with proximal steps, as TensorFlow 1 has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from returnn_ir.options import Key, NonNegative
from runtime.optimizers.registry import optimizer
from runtime.optimizers.rules.adagrad import AdagradOptions
from runtime.optimizers.update import Update

__all__ = ["ProximalAdagradOptions", "proximal_adagrad"]


@dataclass(frozen=True, kw_only=True)
class ProximalAdagradOptions(AdagradOptions):
    """Adagrad with proximal steps.

    Attributes:
        l1: the factor of the absolute values in what is minimised.
        l2: the factor of the squares in what is minimised.
    """

    l1: Annotated[NonNegative, Key("l1_regularization_strength")] = 0.0
    l2: Annotated[NonNegative, Key("l2_regularization_strength")] = 0.0


@optimizer(
    "proximaladagrad",
    options=ProximalAdagradOptions,
    slot_name="ProximalAdagrad",
    slots=lambda opt: (opt.initial_accumulator_value,),
)
def proximal_adagrad(update: Update, opt: ProximalAdagradOptions) -> None:
    """Adagrad with proximal steps (Duchi and Singer 2009)."""
    (squares,) = update.slots
    update.kernel(
        "ProximalAdagrad", accum=squares.handle, lr=update.rate, grad=update.grad,
        l1=update.scalar(opt.l1), l2=update.scalar(opt.l2),
    )  # fmt: skip
