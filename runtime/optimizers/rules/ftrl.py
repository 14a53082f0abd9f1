"""Ftrl-proximal, as TensorFlow 1 has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from returnn_ir.options import Key, NonNegative, Positive, Range
from runtime.optimizers.registry import OptimizerOptions, optimizer
from runtime.optimizers.update import Update

__all__ = ["FtrlOptions", "ftrl"]


@dataclass(frozen=True, kw_only=True)
class FtrlOptions(OptimizerOptions):
    """Ftrl-proximal.

    Attributes:
        power: how the rate falls with the sum of the squares of the gradients; 0: not.
        initial_accumulator_value: what this sum starts with.
        l1: the factor of the absolute values in what is minimised.
        l2: the factor of the squares in what is minimised.
        l2_shrinkage: the same, by the gradient.
        beta: added to the root of the sum.
    """

    power: Annotated[float, Range(high=0), Key("learning_rate_power")] = -0.5
    initial_accumulator_value: Positive = 0.1
    l1: Annotated[NonNegative, Key("l1_regularization_strength")] = 0.0
    l2: Annotated[NonNegative, Key("l2_regularization_strength")] = 0.0
    l2_shrinkage: Annotated[NonNegative, Key("l2_shrinkage_regularization_strength")] = 0.0
    beta: NonNegative | None = None


@optimizer("ftrl", options=FtrlOptions, slot_name="Ftrl", slots=lambda opt: (opt.initial_accumulator_value, 0.0))
def ftrl(update: Update, opt: FtrlOptions) -> None:
    """Follow the regularised leader (McMahan et al. 2013)."""
    squares, linear = update.slots
    operands = {
        "accum": squares.handle, "linear": linear.handle, "lr": update.rate, "l1": update.scalar(opt.l1),
        "l2": _l2(update, opt), "lr_power": update.scalar(opt.power), "grad": update.grad,
    }  # fmt: skip
    if opt.l2_shrinkage:
        update.kernel("FtrlV2", l2_shrinkage=update.scalar(opt.l2_shrinkage), **operands)
    else:
        update.kernel("Ftrl", **operands)


def _l2(update: Update, opt: FtrlOptions) -> object:
    """With beta in it, as TensorFlow does it."""
    return update.scalar(opt.l2) + update.scalar(opt.beta or 0.0) / (2 * update.rate)
