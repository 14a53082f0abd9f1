"""The optimizer of one training: options, slots and one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from returnn_ir.errors import did_you_mean
from runtime.optimizers.gradients import GradientOptions, process_gradients
from runtime.optimizers.options import ChosenOptimizer
from runtime.optimizers.schedule import StepSchedule
from runtime.optimizers.update import StepScalars, Update

__all__ = ["Optimizer"]

Tensor: TypeAlias = Any  # TensorFlow has no type information
Variable: TypeAlias = Any

_SCOPE = "optimize"  # RETURNN's variable scope for slots


class Optimizer:
    """Updates plain ``tf.Variable`` objects from gradients.

    ``create`` → ``build`` (outside of any ``tf.function``, it makes variables) → ``apply`` in the training step.
    """

    def __init__(self, chosen: ChosenOptimizer, gradients: GradientOptions, schedule: StepSchedule) -> None:
        self.chosen = chosen
        self.gradients = gradients
        self.schedule = schedule
        self._variables: dict[str, Variable] = {}
        self._slots: dict[str, list[Variable]] = {}
        self._powers: dict[str, Variable] = {}

    @staticmethod
    def create(config: Mapping[str, object]) -> Optimizer:
        """The optimizer that ``config`` asks for; a wrong option is a :class:`ConfigError`."""
        return Optimizer(
            ChosenOptimizer.from_config(config), GradientOptions.from_config(config), StepSchedule.from_config(config)
        )

    @property
    def needs_step(self) -> bool:
        """Whether :meth:`apply` needs the global step (gradient noise, a dynamic learning rate)."""
        return self.gradients.noise > 0 or self.schedule.needs_step

    def build(self, variables: Mapping[str, Variable]) -> None:
        """Make the slots of those of the trainable ``variables``, keyed by checkpoint name, that have none yet.

        What was built before, for another network, goes on as it is.
        """
        import tensorflow as tf

        starts = self.chosen.spec.slots(self.chosen.options)
        for name, v in variables.items():
            if name not in self._variables:
                self._variables[name] = v
                self._slots[name] = [
                    tf.Variable(tf.fill(v.shape, tf.cast(start, v.dtype)), trainable=False) for start in starts
                ]
        if not self._powers:
            powers = self.chosen.powers.items()
            self._powers = {name: tf.Variable(first, dtype=tf.float32, trainable=False) for name, first in powers}

    def reset(self, variables: Mapping[str, Variable]) -> None:
        """Start anew: slots and powers of these trainable variables as before the first step, and no others.

        Slots of variables that are the same objects stay the same objects.
        """
        import tensorflow as tf

        gone = [name for name, variable in self._variables.items() if variables.get(name) is not variable]
        for name in gone:
            del self._variables[name], self._slots[name]
        starts = self.chosen.spec.slots(self.chosen.options)
        for slots in self._slots.values():
            for slot, start in zip(slots, starts, strict=True):
                slot.assign(tf.fill(slot.shape, tf.cast(start, slot.dtype)))
        for name, power in self._powers.items():
            power.assign(self.chosen.powers[name])
        self.build(variables)

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
        options, powers = self.chosen.options, {name: power.read_value() for name, power in self._powers.items()}
        rate = self.schedule.apply(tf.cast(learning_rate, tf.float32), step) * options.learning_rate_multiplier
        scalars = StepScalars({"rate": rate, **powers})
        for name, grad in process_gradients(self.gradients, dense, step).items():
            self.chosen.spec.update(Update(self._variables[name], self._slots[name], grad, scalars), options)
        for name, value in self.chosen.powers.items():
            self._powers[name].assign(powers[name] * value)

    def state(self) -> dict[str, Variable]:
        """Slots and counters by checkpoint name: ``optimize/lin/W/Adam``, ``optimize/beta1_power``."""
        suffix = self.chosen.slot_suffix
        result = {
            f"{_SCOPE}/{name}/{suffix}" + (f"_{index}" if index else ""): slot
            for name, slots in self._slots.items()
            for index, slot in enumerate(slots)
        }
        result.update({f"{_SCOPE}/{name}_power": power for name, power in self._powers.items()})
        return result
