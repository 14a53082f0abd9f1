"""RETURNN's gradient descent with gradients of length one."""

from __future__ import annotations

from runtime.optimizers.registry import OptimizerOptions, Rows, optimizer
from runtime.optimizers.update import Update

__all__ = ["normalized_sgd"]


@optimizer("normalizedsgd", options=OptimizerOptions, slot_name="NormalizedSGD", rows=Rows.GIVEN)
def normalized_sgd(update: Update, opt: OptimizerOptions) -> None:
    """Gradient descent, with each variable's gradient divided by its norm."""
    import tensorflow as tf

    update.subtract(update.rate * tf.nn.l2_normalize(update.grad, None))
