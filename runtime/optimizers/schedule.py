"""``dynamic_learning_rate``: the rate inside an epoch, by the global step."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from returnn_ir.errors import ConfigError, Origin
from runtime.options import OptionReader, refuse_unknown

__all__ = ["StepSchedule"]

Tensor: TypeAlias = Any  # TensorFlow has no type information
_KEY = "dynamic_learning_rate"


@dataclass(frozen=True)
class StepSchedule:
    """Either ``rate * decay ** (step % interval)`` or the user's function; at most one of the two is set."""

    interval: int = 0
    decay: float = 1.0
    function: Callable[..., Tensor] | None = None

    @property
    def needs_step(self) -> bool:
        """Whether the rate depends on the global step."""
        return self.interval > 0 or self.function is not None

    @staticmethod
    def from_config(config: Mapping[str, object]) -> StepSchedule:
        """A dict ``{"interval": steps, "decay": factor}``, or a function.

        The function is called as ``f(network=None, global_train_step=..., learning_rate=...)`` and must accept
        ``**kwargs``.
        """
        value = config.get(_KEY)
        if not value:
            return StepSchedule()
        if callable(value):
            kinds = [parameter.kind for parameter in inspect.signature(value).parameters.values()]
            if inspect.Parameter.VAR_KEYWORD not in kinds:
                raise ConfigError(f"the function {_KEY!r} must accept **kwargs", where=Origin(key=_KEY))
            return StepSchedule(function=value)
        if not isinstance(value, Mapping):
            raise ConfigError(
                f"option {_KEY!r} has a wrong value", where=Origin(key=_KEY), received=repr(value),
                expected='a function, or {"interval": steps, "decay": factor}',
            )  # fmt: skip
        refuse_unknown(value, ("interval", "decay"), _KEY, _KEY)
        reader = OptionReader(value, _KEY, _KEY)
        interval = reader.integer("interval", 0)
        if interval < 1 or not reader.has("decay"):
            raise ConfigError(
                f"{_KEY} needs an interval of at least 1 and a decay", where=Origin(key=_KEY), received=repr(value)
            )
        return StepSchedule(interval=interval, decay=reader.non_negative("decay", 1.0))

    def apply(self, learning_rate: Tensor, step: Tensor | None) -> Tensor:
        """The rate (float32 scalar) of this ``step`` (int64 scalar)."""
        import tensorflow as tf

        if not self.needs_step:
            return learning_rate
        if step is None:
            raise ValueError(f"{_KEY} needs the global step")
        if self.function is not None:
            # There is no RETURNN network object here; functions that use it fail with a clear AttributeError.
            rate = self.function(network=None, global_train_step=step, learning_rate=learning_rate)
            return tf.cast(rate, tf.float32)
        return learning_rate * tf.pow(tf.constant(self.decay, tf.float32), tf.cast(step % self.interval, tf.float32))
