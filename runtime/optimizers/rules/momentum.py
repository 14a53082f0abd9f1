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
    (velocity,) = update.slots
    share = update.scalar(opt.momentum)
    if update.indices is None:
        update.kernel(
            "Momentum", accum=velocity.handle, lr=update.rate, grad=update.grad, momentum=share,
            use_nesterov=opt.nesterov,
        )  # fmt: skip
        return
    # the kernel for rows has no form for a GPU
    moved = update.set(velocity, update.rows(velocity) * share + update.grad)
    update.subtract(update.rate * (update.grad + share * moved if opt.nesterov else moved))
