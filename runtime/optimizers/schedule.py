"""``dynamic_learning_rate``: the rate inside an epoch, by the global step."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from returnn_ir.config.read import place_of, read_config, read_option
from returnn_ir.errors import ConfigError
from returnn_ir.options import Described, Form, Size, ZeroOrMore

__all__ = ["StepSchedule"]

Tensor: TypeAlias = Any  # TensorFlow has no type information
_KEY = "dynamic_learning_rate"


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's option: a dict, or a function of the step."""

    dynamic_learning_rate: Annotated[
        Mapping[str, Any] | Callable[..., Any] | None,
        Form(lambda given: given or None),
        Described('a function, or {"interval": steps, "decay": factor}'),
    ] = None


@dataclass(frozen=True, kw_only=True)
class _Decay:
    """``dynamic_learning_rate`` as a dict.

    Attributes:
        interval: steps until the rate is back at its start.
        decay: the factor of each step.
    """

    interval: Size
    decay: ZeroOrMore


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

        Raises:
            UserError: everything that is wrong.
        """
        value = read_config(_Keys, config).dynamic_learning_rate
        if value is None:
            return StepSchedule()
        if callable(value):
            kinds = [parameter.kind for parameter in inspect.signature(value).parameters.values()]
            if inspect.Parameter.VAR_KEYWORD not in kinds:
                raise ConfigError(f"the function {_KEY!r} must accept **kwargs", where=place_of(config, _KEY))
            return StepSchedule(function=value)
        given = read_option(_Decay, config, _KEY, value, owner=_KEY)
        return StepSchedule(interval=given.interval, decay=given.decay)

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
