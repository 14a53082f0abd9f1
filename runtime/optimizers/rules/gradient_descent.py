"""Gradient descent, what a config without an optimizer gets."""

from __future__ import annotations

from runtime.optimizers.registry import OptimizerOptions, optimizer
from runtime.optimizers.update import Update

__all__ = ["gradient_descent"]


@optimizer("gradientdescent", options=OptimizerOptions, slot_name="GradientDescent")
def gradient_descent(update: Update, opt: OptimizerOptions) -> None:
    """Gradient descent."""
    import tensorflow as tf

    tf.raw_ops.ResourceApplyGradientDescent(var=update.var, alpha=update.rate, delta=update.grad)
