"""RETURNN's optimizer with a rule that a search over rules has found."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.options import Finite, ZeroOrMore
from runtime.optimizers.registry import OptimizerOptions, Rows, optimizer
from runtime.optimizers.update import Update

__all__ = ["NeuralOptimizerOptions", "neural_optimizer"]


@dataclass(frozen=True, kw_only=True)
class NeuralOptimizerOptions(OptimizerOptions):
    """NeuralOptimizer1.

    Attributes:
        beta1: the decay of the mean of the gradients.
        decrease_factor: of gradients that point away from their mean.
    """

    beta1: ZeroOrMore = 0.9
    decrease_factor: Finite = 0.1


# its name ends with a number, not with Optimizer
@optimizer(
    "neuraloptimizer1", options=NeuralOptimizerOptions, slot_name="NeuralOptimizer1", slots=lambda opt: (0.0,),
    rows=Rows.GIVEN,
)  # fmt: skip
def neural_optimizer(update: Update, opt: NeuralOptimizerOptions) -> None:
    """Gradient descent, with smaller steps against the mean of the gradients (after Bello et al. 2017)."""
    import tensorflow as tf

    (mean,) = update.slots
    beta1, grad = update.scalar(opt.beta1), update.grad
    mean.assign(mean * beta1)
    update.add(mean, (1 - beta1) * grad)
    agrees = tf.equal(tf.sign(update.rows(mean)), tf.sign(grad))
    update.subtract(update.rate * grad * tf.where(agrees, update.scalar(1.0), update.scalar(opt.decrease_factor)))
