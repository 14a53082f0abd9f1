"""The update rules: one fused TensorFlow kernel per variable.

The kernels are those that TensorFlow 1's optimizers call, so each step gives RETURNN's numbers.
Adam: Kingma & Ba 2015, in the form before section 2.1 (epsilon is added to the uncorrected root). Nadam: Dozat 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from runtime.optimizers.options import OptimizerKind, OptimizerOptions

__all__ = ["SLOTS_PER_VARIABLE", "Scalars", "update_variable"]

Tensor: TypeAlias = Any  # TensorFlow has no type information
Variable: TypeAlias = Any

SLOTS_PER_VARIABLE = {
    OptimizerKind.GRADIENT_DESCENT: 0,
    OptimizerKind.MOMENTUM: 1,
    OptimizerKind.SGD: 1,
    OptimizerKind.ADAM: 2,
    OptimizerKind.NADAM: 2,
}


class Scalars:
    """What the update of every variable needs: the same scalars for all variables of an element type, made once.

    Args:
        rate: the learning rate, float32.
        powers: ``beta1 ** step`` and ``beta2 ** step`` of the current step, float32; nothing for other optimizers.
    """

    def __init__(self, options: OptimizerOptions, rate: Tensor, powers: Sequence[Tensor]) -> None:
        self._values = {
            "rate": rate,
            "momentum": options.momentum,
            "beta1": options.beta1,
            "beta2": options.beta2,
            "epsilon": options.epsilon,
            **dict(zip(("beta1_power", "beta2_power"), powers, strict=False)),
        }
        self._cast: dict[tuple[str, Any], Tensor] = {}

    def get(self, name: str, dtype: Any) -> Tensor:
        """One of them in an element type."""
        import tensorflow as tf

        if (name, dtype) not in self._cast:
            self._cast[name, dtype] = tf.cast(self._values[name], dtype)
        return self._cast[name, dtype]


def update_variable(
    options: OptimizerOptions, variable: Variable, slots: list[Variable], grad: Tensor, scalars: Scalars
) -> None:
    """Change ``variable`` and its ``slots`` in place; all have the shape of ``grad``."""
    import tensorflow as tf

    raw = tf.raw_ops

    def scalar(name: str) -> Tensor:
        return scalars.get(name, variable.dtype)

    handles = [variable.handle, *(slot.handle for slot in slots)]
    if options.kind is OptimizerKind.GRADIENT_DESCENT:
        raw.ResourceApplyGradientDescent(var=handles[0], alpha=scalar("rate"), delta=grad)
    elif options.kind in (OptimizerKind.MOMENTUM, OptimizerKind.SGD):
        kernel = raw.ResourceApplyMomentum if options.kind is OptimizerKind.MOMENTUM else raw.ResourceApplyKerasMomentum
        kernel(
            var=handles[0], accum=handles[1], lr=scalar("rate"), grad=grad,
            momentum=scalar("momentum"), use_nesterov=options.nesterov,
        )  # fmt: skip
    else:
        raw.ResourceApplyAdam(
            var=handles[0], m=handles[1], v=handles[2], lr=scalar("rate"), grad=grad,
            beta1_power=scalar("beta1_power"), beta2_power=scalar("beta2_power"),
            beta1=scalar("beta1"), beta2=scalar("beta2"), epsilon=scalar("epsilon"),
            use_nesterov=options.kind is OptimizerKind.NADAM,
        )  # fmt: skip
