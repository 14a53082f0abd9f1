"""Adam with Nesterov's momentum."""

from __future__ import annotations

from runtime.optimizers.registry import optimizer
from runtime.optimizers.rules.adam import AdamOptions, apply_adam
from runtime.optimizers.update import Update

__all__ = ["nadam"]


# the slots are called Adam: TensorFlow 1's Nadam says so
@optimizer("nadam", options=AdamOptions, slot_name="Adam", slots=lambda opt: (0.0, 0.0), powers=("beta1", "beta2"))
def nadam(update: Update, opt: AdamOptions) -> None:
    """Nadam (Dozat 2016)."""
    apply_adam(update, opt, nesterov=True)
