"""Gradient descent with proximal steps, as TensorFlow 1 has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from returnn_ir.options import Key, NonNegative
from runtime.optimizers.registry import OptimizerOptions, optimizer
from runtime.optimizers.update import Update

__all__ = ["ProximalGradientDescentOptions", "proximal_gradient_descent"]


@dataclass(frozen=True, kw_only=True)
class ProximalGradientDescentOptions(OptimizerOptions):
    """Gradient descent with proximal steps.

    Attributes:
        l1: the factor of the absolute values in what is minimised.
        l2: the factor of the squares in what is minimised.
    """

    l1: Annotated[NonNegative, Key("l1_regularization_strength")] = 0.0
    l2: Annotated[NonNegative, Key("l2_regularization_strength")] = 0.0


@optimizer("proximalgradientdescent", options=ProximalGradientDescentOptions, slot_name="ProximalGradientDescent")
def proximal_gradient_descent(update: Update, opt: ProximalGradientDescentOptions) -> None:
    """Gradient descent, then the step that minimises the regularisation (Duchi and Singer 2009)."""
    import tensorflow as tf

    rate, there = update.rate, update.rows(update.variable)
    moved = there - rate * update.grad
    if opt.l1:
        moved = tf.sign(moved) * tf.maximum(tf.abs(moved) - rate * update.scalar(opt.l1), 0)
    update.set(update.variable, moved / (1 + rate * update.scalar(opt.l2)))
