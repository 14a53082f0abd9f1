"""Adamax, Adam by the largest gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from returnn_ir.options import Alias, ZeroOrMore
from runtime.optimizers.registry import EPSILON, OptimizerOptions, optimizer
from runtime.optimizers.update import Update

__all__ = ["AdamaxOptions", "adamax"]


@dataclass(frozen=True, kw_only=True)
class AdamaxOptions(OptimizerOptions):
    """Adamax; Keras' names of the options are known, too.

    Attributes:
        beta1: the decay of the mean of the gradients.
        beta2: the decay of their largest absolute value.
        epsilon: added to the latter.
    """

    beta1: Annotated[ZeroOrMore, Alias("beta_1")] = 0.9
    beta2: Annotated[ZeroOrMore, Alias("beta_2")] = 0.999
    epsilon: ZeroOrMore = EPSILON


@optimizer("adamax", options=AdamaxOptions, slot_name="AdaMax", slots=lambda opt: (0.0, 0.0), powers=("beta1", "beta2"))
def adamax(update: Update, opt: AdamaxOptions) -> None:
    """Adamax (Kingma and Ba 2015): the mean of the gradients by their largest absolute value, both decaying."""
    import tensorflow as tf

    mean, largest = update.slots
    beta1, beta2, grad = update.scalar(opt.beta1), update.scalar(opt.beta2), update.grad
    new_mean = update.set(mean, beta1 * update.rows(mean) + (1 - beta1) * grad)
    bound = update.set(largest, tf.maximum(beta2 * update.rows(largest), tf.abs(grad)))
    update.subtract(update.rate / (1 - update.power("beta1")) * new_mean / (bound + update.scalar(opt.epsilon)))
