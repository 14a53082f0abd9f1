"""The update rules: one fused TensorFlow kernel per variable.

The kernels are those that TensorFlow 1's optimizers call, so each step gives RETURNN's numbers.
Adam: Kingma & Ba 2015, in the form before section 2.1 (epsilon is added to the uncorrected root). Nadam: Dozat 2015.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from runtime.optimizers.options import OptimizerKind, OptimizerOptions

__all__ = ["SLOTS_PER_VARIABLE", "AdamPowers", "update_variable"]

Tensor: TypeAlias = Any  # TensorFlow has no type information
Variable: TypeAlias = Any

SLOTS_PER_VARIABLE = {
    OptimizerKind.GRADIENT_DESCENT: 0,
    OptimizerKind.MOMENTUM: 1,
    OptimizerKind.SGD: 1,
    OptimizerKind.ADAM: 2,
    OptimizerKind.NADAM: 2,
}


@dataclass(frozen=True)
class AdamPowers:
    """``beta1 ** step`` and ``beta2 ** step`` of the current step, float32 scalars; None for other optimizers."""

    beta1: Tensor | None = field(default=None)
    beta2: Tensor | None = field(default=None)


def update_variable(
    options: OptimizerOptions, variable: Variable, slots: list[Variable], grad: Tensor, rate: Tensor, powers: AdamPowers
) -> None:
    """Change ``variable`` and its ``slots`` in place; all have the shape of ``grad``, ``rate`` is a scalar."""
    import tensorflow as tf

    raw = tf.raw_ops

    def scalar(value: Tensor) -> Tensor:
        return tf.cast(value, variable.dtype)

    handles = [variable.handle, *(slot.handle for slot in slots)]
    if options.kind is OptimizerKind.GRADIENT_DESCENT:
        raw.ResourceApplyGradientDescent(var=handles[0], alpha=scalar(rate), delta=grad)
    elif options.kind in (OptimizerKind.MOMENTUM, OptimizerKind.SGD):
        kernel = raw.ResourceApplyMomentum if options.kind is OptimizerKind.MOMENTUM else raw.ResourceApplyKerasMomentum
        kernel(
            var=handles[0], accum=handles[1], lr=scalar(rate), grad=grad,
            momentum=scalar(options.momentum), use_nesterov=options.nesterov,
        )  # fmt: skip
    else:
        raw.ResourceApplyAdam(
            var=handles[0], m=handles[1], v=handles[2], lr=scalar(rate), grad=grad,
            beta1_power=scalar(powers.beta1), beta2_power=scalar(powers.beta2),
            beta1=scalar(options.beta1), beta2=scalar(options.beta2), epsilon=scalar(options.epsilon),
            use_nesterov=options.kind is OptimizerKind.NADAM,
        )  # fmt: skip
