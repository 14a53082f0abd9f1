"""RETURNN's own Adam: of an embedding only the rows that a step uses move on, in their means, too."""

from __future__ import annotations

from runtime.optimizers.registry import Rows, optimizer
from runtime.optimizers.rules.adam import AdamOptions
from runtime.optimizers.update import Update

__all__ = ["custom_adam"]


@optimizer(
    "customadam",
    options=AdamOptions,
    slot_name="CustomAdamOptimizer",
    slots=lambda opt: (0.0, 0.0),
    powers=("beta1", "beta2"),
    rows=Rows.GIVEN,
)
def custom_adam(update: Update, opt: AdamOptions) -> None:
    """Adam (Kingma and Ba 2015)."""
    import tensorflow as tf

    mean, mean_square = update.slots
    beta1, beta2, grad = update.scalar(opt.beta1), update.scalar(opt.beta2), update.grad
    update.set(mean, beta1 * update.rows(mean) + (1 - beta1) * grad)
    update.set(mean_square, beta2 * update.rows(mean_square) + (1 - beta2) * grad * grad)
    rate = update.rate * tf.sqrt(1 - update.power("beta2")) / (1 - update.power("beta1"))
    # of a row that comes twice, the last gradient made the means, and both times it moves by them
    update.subtract(rate * update.rows(mean) / (tf.sqrt(update.rows(mean_square)) + update.scalar(opt.epsilon)))
