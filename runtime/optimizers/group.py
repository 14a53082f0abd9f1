"""Variables that one optimizer updates in the same steps, with its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from runtime.optimizers.options import ChosenOptimizer
from runtime.optimizers.registry import Rows
from runtime.optimizers.update import StepScalars, Update

__all__ = ["UpdateGroup"]

Tensor: TypeAlias = Any  # TensorFlow has no type information
Variable: TypeAlias = Any


class UpdateGroup:
    """The slots of some variables, and the scalars that they share.

    Attributes:
        chosen: the optimizer.
        own: layers asked for it, not the config; then it has scalars of its own though it may be an equal one.
        sum_over: the steps of one update; 1: each step is one.
        slots: of each variable, by its name, in the order that the rule declares them.
        powers: options to the power of the steps, by option.
    """

    def __init__(self, chosen: ChosenOptimizer, sum_over: int, *, own: bool = False) -> None:
        import tensorflow as tf

        self.chosen = chosen
        self.own = own
        self.sum_over = sum_over
        self.slots: dict[str, list[Variable]] = {}
        powers = chosen.powers.items()
        self.powers: dict[str, Variable] = {
            name: tf.Variable(first, dtype=tf.float32, trainable=False) for name, first in powers
        }

    def add(self, name: str, variable: Variable) -> None:
        """Make the slots of a variable."""
        import tensorflow as tf

        starts = self.chosen.spec.slots(self.chosen.options)
        self.slots[name] = [_filled(tf.Variable, variable, start) for start in starts]

    def restart(self) -> None:
        """All state as it was at first."""
        starts = self.chosen.spec.slots(self.chosen.options)
        for slots in self.slots.values():
            for slot, start in zip(slots, starts, strict=True):
                _filled(slot.assign, slot, start)
        for name, first in self.chosen.powers.items():
            self.powers[name].assign(first)

    def apply(self, variables: Mapping[str, Variable], grads: Mapping[str, Tensor], rate: Tensor) -> None:
        """One update of those variables that have a gradient; ``rate`` is a float32 scalar."""
        options, powers = self.chosen.options, {name: power.read_value() for name, power in self.powers.items()}
        scalars = StepScalars({"rate": rate * options.learning_rate_multiplier, **powers})
        for name, grad in grads.items():
            values, indices = _as_rows(grad, self.chosen.spec.rows)
            update = Update(variables[name], self.slots[name], values, indices, scalars)
            self.chosen.spec.update(update, options)
        for name, value in self.chosen.powers.items():
            self.powers[name].assign(powers[name] * value)


def _filled(use: Callable[..., Variable], like: Variable, start: float) -> Variable:
    import tensorflow as tf

    value = tf.fill(like.shape, tf.cast(start, like.dtype))
    return use(value, trainable=False) if use is tf.Variable else use(value)


def _as_rows(grad: Tensor, how: Rows) -> tuple[Tensor, Tensor | None]:
    """The gradient as a rule takes it: dense with None, or rows with their indices."""
    import tensorflow as tf

    if not isinstance(grad, tf.IndexedSlices):
        return grad, None
    if how is Rows.DENSE:
        return tf.convert_to_tensor(grad), None
    if how is Rows.GIVEN:
        return grad.values, grad.indices
    indices, places = tf.unique(grad.indices)
    return tf.math.unsorted_segment_sum(grad.values, places, tf.size(indices)), indices
