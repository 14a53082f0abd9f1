"""Gradient descent, what a config without an optimizer gets."""

from __future__ import annotations

from runtime.optimizers.registry import OptimizerOptions, Rows, optimizer
from runtime.optimizers.update import Update

__all__ = ["gradient_descent"]


@optimizer("gradientdescent", options=OptimizerOptions, slot_name="GradientDescent", rows=Rows.GIVEN)
def gradient_descent(update: Update, opt: OptimizerOptions) -> None:
    """Gradient descent."""
    if update.indices is None:
        update.kernel("GradientDescent", alpha=update.rate, delta=update.grad)
    else:
        update.subtract(update.rate * update.grad)
