"""AdamW of TensorFlow 1's contrib.opt, the one that RETURNN can run: the decay does not depend on the learning rate."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.options import ZeroOrMore
from runtime.optimizers.registry import optimizer
from runtime.optimizers.rules.adam import AdamOptions, apply_adam
from runtime.optimizers.update import Update

__all__ = ["AdamWOptions", "adamw"]


@dataclass(frozen=True, kw_only=True)
class AdamWOptions(AdamOptions):
    """AdamW.

    Attributes:
        weight_decay: the share of a variable that goes away in each step, whatever the learning rate.
    """

    weight_decay: ZeroOrMore


@optimizer("adamw", options=AdamWOptions, slot_name="AdamW", slots=lambda opt: (0.0, 0.0), powers=("beta1", "beta2"))
def adamw(update: Update, opt: AdamWOptions) -> None:
    """AdamW (Loshchilov and Hutter 2019); of an embedding, the rows that a step uses decay, and all move as in Adam."""
    update.subtract(update.scalar(opt.weight_decay) * update.rows(update.variable))
    apply_adam(update.dense(), opt, nesterov=False)
