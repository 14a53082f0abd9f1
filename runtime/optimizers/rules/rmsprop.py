"""RMSprop, as TensorFlow 1 has it."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.options import Probability, ZeroOrMore
from runtime.optimizers.registry import EPSILON, OptimizerOptions, optimizer
from runtime.optimizers.update import Update

__all__ = ["RmsPropOptions", "rmsprop"]


@dataclass(frozen=True, kw_only=True)
class RmsPropOptions(OptimizerOptions):
    """RMSprop.

    Attributes:
        decay: of the mean of the squares of the gradients.
        momentum: the share of the last update that is added to the next.
        epsilon: added to that mean, inside of the root.
        centered: divides by the standard deviation: a mean of the gradients is kept, too.
    """

    decay: Probability = 0.9
    momentum: ZeroOrMore = 0.0
    epsilon: ZeroOrMore = EPSILON
    centered: bool = False


def _slots(opt: RmsPropOptions) -> tuple[float, ...]:
    """The mean of squares, which starts at one, the mean where it is needed, and the last update."""
    return (1.0, 0.0, 0.0) if opt.centered else (1.0, 0.0)


@optimizer("rmsprop", options=RmsPropOptions, slot_name="RMSProp", slots=_slots)
def rmsprop(update: Update, opt: RmsPropOptions) -> None:
    """RMSprop (Tieleman and Hinton 2012): the gradient over the root of the mean of its squares, then momentum."""
    if update.indices is not None:
        _rows(update, opt)
        return
    mean_square, *mean, last = update.slots
    operands = {
        "ms": mean_square.handle, "mom": last.handle, "lr": update.rate, "rho": update.scalar(opt.decay),
        "momentum": update.scalar(opt.momentum), "epsilon": update.scalar(opt.epsilon), "grad": update.grad,
    }  # fmt: skip
    if opt.centered:
        update.kernel("CenteredRMSProp", mg=mean[0].handle, **operands)
    else:
        update.kernel("RMSProp", **operands)


def _rows(update: Update, opt: RmsPropOptions) -> None:
    """The same for some rows; the kernels for rows have no form for a GPU."""
    import tensorflow as tf

    mean_square, *mean, last = update.slots
    decay, grad = update.scalar(opt.decay), update.grad
    square = update.set(mean_square, decay * update.rows(mean_square) + (1 - decay) * grad * grad)
    if opt.centered:
        own = update.set(mean[0], decay * update.rows(mean[0]) + (1 - decay) * grad)
        square = square - own * own
    step = update.rate * grad * tf.math.rsqrt(square + update.scalar(opt.epsilon))
    update.subtract(update.set(last, update.scalar(opt.momentum) * update.rows(last) + step))
