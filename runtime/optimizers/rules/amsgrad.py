"""AMSGrad, as RETURNN describes it: without Adam's correction for the first steps."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.options import ZeroOrMore
from runtime.optimizers.registry import EPSILON, OptimizerOptions, Rows, optimizer
from runtime.optimizers.update import Update

__all__ = ["AmsGradOptions", "amsgrad"]


@dataclass(frozen=True, kw_only=True)
class AmsGradOptions(OptimizerOptions):
    """AMSGrad.

    Attributes:
        beta1: the decay of the mean of the gradients.
        beta2: the decay of the mean of their squares.
        epsilon: added to the root of the largest of the latter so far.
    """

    beta1: ZeroOrMore = 0.9
    beta2: ZeroOrMore = 0.99
    epsilon: ZeroOrMore = EPSILON


@optimizer(
    "amsgrad", options=AmsGradOptions, slot_name="AMSGradOptimizer", slots=lambda opt: (0.0, 0.0, 0.0), rows=Rows.DENSE
)
def amsgrad(update: Update, opt: AmsGradOptions) -> None:
    """AMSGrad (Reddi et al. 2018): the mean of the gradients over the root of their largest mean square so far."""
    import tensorflow as tf

    mean, mean_square, largest = update.slots
    beta1, beta2, grad = update.scalar(opt.beta1), update.scalar(opt.beta2), update.grad
    new_mean = update.set(mean, beta1 * update.rows(mean) + (1 - beta1) * grad)
    square = update.set(mean_square, beta2 * update.rows(mean_square) + (1 - beta2) * grad * grad)
    bound = update.set(largest, tf.maximum(update.rows(largest), square))
    update.subtract(update.rate * new_mean / (update.scalar(opt.epsilon) + tf.sqrt(bound)))
