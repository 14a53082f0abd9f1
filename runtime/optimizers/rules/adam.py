"""Adam, in the form before section 2.1 of its paper: epsilon is added to the uncorrected root."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.options import ZeroOrMore
from runtime.optimizers.registry import EPSILON, OptimizerOptions, Rows, optimizer
from runtime.optimizers.update import Update

__all__ = ["AdamOptions", "adam", "apply_adam"]


@dataclass(frozen=True, kw_only=True)
class AdamOptions(OptimizerOptions):
    """Adam and Nadam.

    Attributes:
        beta1: the decay of the mean of the gradients.
        beta2: the decay of the mean of their squares.
        epsilon: added to the root of the latter.
    """

    beta1: ZeroOrMore = 0.9
    beta2: ZeroOrMore = 0.999
    epsilon: ZeroOrMore = EPSILON


# of an embedding, too, a step moves all rows, by the means of their gradients until then
@optimizer(
    "adam", options=AdamOptions, slot_name="Adam", slots=lambda opt: (0.0, 0.0), powers=("beta1", "beta2"),
    rows=Rows.DENSE,
)  # fmt: skip
def adam(update: Update, opt: AdamOptions) -> None:
    """Adam (Kingma and Ba 2015)."""
    apply_adam(update, opt, nesterov=False)


def apply_adam(update: Update, opt: AdamOptions, *, nesterov: bool) -> None:
    """One update by the means of the gradients and of their squares.

    Args:
        nesterov: looks ahead: this step's gradient counts once more.
    """
    mean, mean_square = update.slots
    update.kernel(
        "Adam", m=mean.handle, v=mean_square.handle, lr=update.rate, grad=update.grad,
        beta1_power=update.power("beta1"), beta2_power=update.power("beta2"),
        beta1=update.scalar(opt.beta1), beta2=update.scalar(opt.beta2), epsilon=update.scalar(opt.epsilon),
        use_nesterov=nesterov,
    )  # fmt: skip
