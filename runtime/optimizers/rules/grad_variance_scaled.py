"""RETURNN's gradient descent by the variance of gradients."""

from __future__ import annotations

from runtime.optimizers.registry import Rows, optimizer
from runtime.optimizers.rules.adam import AdamOptions
from runtime.optimizers.update import Update

__all__ = ["grad_variance_scaled"]


@optimizer(
    "gradvariancescaled",
    options=AdamOptions,
    slot_name="GradVarianceScaledOptimizer",
    slots=lambda opt: (0.0, 0.0),
    rows=Rows.GIVEN,
)
def grad_variance_scaled(update: Update, opt: AdamOptions) -> None:
    """Gradient descent, with smaller steps for gradients that are farther from their mean than is usual."""
    import tensorflow as tf

    mean, variance = update.slots
    beta1, beta2, grad = update.scalar(opt.beta1), update.scalar(opt.beta2), update.grad
    mean.assign(mean * beta1)
    update.add(mean, (1 - beta1) * grad)
    own = tf.math.squared_difference(grad, update.rows(mean))
    variance.assign(variance * beta2)
    update.add(variance, (1 - beta2) * own)
    usual = update.rows(variance) / (own + update.scalar(opt.epsilon))
    update.subtract(update.rate * grad * tf.minimum(usual, 1))
