"""Gradient descent with momentum, as TensorFlow 1 has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from returnn_ir.options import Key, ZeroOrMore
from runtime.optimizers.registry import OptimizerOptions, optimizer
from runtime.optimizers.update import Update

__all__ = ["MomentumOptions", "momentum"]


@dataclass(frozen=True, kw_only=True)
class MomentumOptions(OptimizerOptions):
    """Gradient descent with momentum.

    Attributes:
        momentum: the share of the last update that is added to the next.
        nesterov: looks ahead by the momentum (Nesterov 1983).
    """

    momentum: ZeroOrMore
    nesterov: Annotated[bool, Key("use_nesterov")] = False


@optimizer("momentum", options=MomentumOptions, slot_name="Momentum", slots=lambda opt: (0.0,))
def momentum(update: Update, opt: MomentumOptions) -> None:
    """Gradient descent with momentum (Polyak 1964): the learning rate is outside of it."""
    import tensorflow as tf

    (velocity,) = update.slots
    tf.raw_ops.ResourceApplyMomentum(
        var=update.var, accum=velocity, lr=update.rate, grad=update.grad,
        momentum=update.scalar(opt.momentum), use_nesterov=opt.nesterov,
    )  # fmt: skip
