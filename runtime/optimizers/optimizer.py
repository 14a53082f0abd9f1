"""The optimizer of one training: options, slots and one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from returnn_ir.errors import did_you_mean
from runtime.optimizers.gradients import GradientOptions, process_gradients
from runtime.optimizers.options import OptimizerOptions
from runtime.optimizers.rules import SLOTS_PER_VARIABLE, Scalars, update_variable
from runtime.optimizers.schedule import StepSchedule

__all__ = ["Optimizer"]

Tensor: TypeAlias = Any  # TensorFlow has no type information
Variable: TypeAlias = Any

_SCOPE = "optimize"  # RETURNN's variable scope for slots


class Optimizer:
    """Updates plain ``tf.Variable`` objects from gradients.

    ``create`` → ``build`` (outside of any ``tf.function``, it makes variables) → ``apply`` in the training step.
    """

    def __init__(self, options: OptimizerOptions, gradients: GradientOptions, schedule: StepSchedule) -> None:
        self.options = options
        self.gradients = gradients
        self.schedule = schedule
        self._variables: dict[str, Variable] = {}
        self._slots: dict[str, list[Variable]] = {}
        self._powers: list[Variable] = []

    @staticmethod
    def create(config: Mapping[str, object]) -> Optimizer:
        """The optimizer that ``config`` asks for; a wrong option is a :class:`ConfigError`."""
        return Optimizer(
            OptimizerOptions.from_config(config), GradientOptions.from_config(config), StepSchedule.from_config(config)
        )

    @property
    def needs_step(self) -> bool:
        """Whether :meth:`apply` needs the global step (gradient noise, a dynamic learning rate)."""
        return self.gradients.noise > 0 or self.schedule.needs_step

    def build(self, variables: Mapping[str, Variable]) -> None:
        """Make the slots of those of the trainable ``variables``, keyed by checkpoint name, that have none yet.

        Slots start at zero; what was built before, for another network, goes on as it is.
        """
        import tensorflow as tf

        count = SLOTS_PER_VARIABLE[self.options.kind]
        for name, v in variables.items():
            if name not in self._variables:
                self._variables[name] = v
                self._slots[name] = [tf.Variable(tf.zeros(v.shape, v.dtype), trainable=False) for _ in range(count)]
        if not self._powers:
            self._powers = [tf.Variable(beta, dtype=tf.float32, trainable=False) for beta in self.options.betas]

    def apply(self, grads: Mapping[str, Tensor | None], learning_rate: Tensor, step: Tensor | None = None) -> None:
        """One update of the variables that ``grads`` names; a gradient of None leaves its variable as it is.

        Args:
            grads: by variable name, dense or ``tf.IndexedSlices``, each of its variable's shape.
            learning_rate: float32 scalar.
            step: int64 scalar, the global step before this update; only where :attr:`needs_step`.
        """
        import tensorflow as tf

        for name in grads:
            if name not in self._variables:
                raise KeyError(f"no variable {name!r} was built; {did_you_mean(name, self._variables) or ''}")
        dense = {name: tf.convert_to_tensor(grad) for name, grad in grads.items() if grad is not None}
        rate = self.schedule.apply(tf.cast(learning_rate, tf.float32), step) * self.options.learning_rate_multiplier
        powers = [power.read_value() for power in self._powers]
        scalars = Scalars(self.options, rate, powers)
        for name, grad in process_gradients(self.gradients, dense, step).items():
            update_variable(self.options, self._variables[name], self._slots[name], grad, scalars)
        for variable, power, beta in zip(self._powers, powers, self.options.betas, strict=True):
            variable.assign(power * beta)

    def state(self) -> dict[str, Variable]:
        """Slots and counters by checkpoint name: ``optimize/lin/W/Adam``, ``optimize/beta1_power``."""
        suffix = self.options.slot_suffix
        result = {
            f"{_SCOPE}/{name}/{suffix}" + (f"_{index}" if index else ""): slot
            for name, slots in self._slots.items()
            for index, slot in enumerate(slots)
        }
        result.update({f"{_SCOPE}/beta{index}_power": power for index, power in enumerate(self._powers, 1)})
        return result
