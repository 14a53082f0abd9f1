"""Adam with Nesterov's momentum."""

from __future__ import annotations

from runtime.optimizers.registry import optimizer
from runtime.optimizers.rules.adam import AdamOptions, apply_adam
from runtime.optimizers.update import Update

__all__ = ["nadam"]


# the slots are called Adam: TensorFlow 1's Nadam says so
@optimizer("nadam", options=AdamOptions, slot_name="Adam", slots=lambda opt: (0.0, 0.0), powers=("beta1", "beta2"))
def nadam(update: Update, opt: AdamOptions) -> None:
    """Nadam (Dozat 2016); of an embedding, a step moves only the rows that it uses, but the means of all."""
    if update.indices is None:
        apply_adam(update, opt, nesterov=True)
    else:
        _rows(update, opt)


def _rows(update: Update, opt: AdamOptions) -> None:
    import tensorflow as tf

    mean, mean_square = update.slots
    beta1, beta2, grad = update.scalar(opt.beta1), update.scalar(opt.beta2), update.grad
    for slot, decay, new in ((mean, beta1, grad), (mean_square, beta2, grad * grad)):
        slot.assign(slot * decay)
        update.add(slot, (1 - decay) * new)
    rate = update.rate * tf.sqrt(1 - update.power("beta2")) / (1 - update.power("beta1"))
    ahead = (1 - beta1) * grad + beta1 * update.rows(mean)
    update.subtract(rate * ahead / (tf.sqrt(update.rows(mean_square)) + update.scalar(opt.epsilon)))
