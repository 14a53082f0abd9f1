"""RETURNN's own gradient descent, an example there of how to write an optimizer."""

from __future__ import annotations

from runtime.optimizers.registry import OptimizerOptions, Rows, optimizer
from runtime.optimizers.update import Update

__all__ = ["custom_gradient_descent"]


@optimizer(
    "customgradientdescent", options=OptimizerOptions, slot_name="CustomGradientDescentOptimizer", rows=Rows.GIVEN
)
def custom_gradient_descent(update: Update, opt: OptimizerOptions) -> None:
    """Gradient descent."""
    update.subtract(update.rate * update.grad)
