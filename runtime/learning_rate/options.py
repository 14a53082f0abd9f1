"""The options of learning-rate control, parsed from a config."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from returnn_ir.errors import ConfigError, Origin, did_you_mean
from runtime.options import OptionReader

__all__ = ["CONTROL_NAMES", "LearningRateOptions", "RateUpdate"]

RateUpdate = float | Callable[[float], float] | None
"""How a rate decays or grows: a factor, a function of the rate, or not at all."""

CONTROL_NAMES: Mapping[str, str] = {
    "constant": "constant",
    "newbob": "newbob_relative",
    "newbob_rel": "newbob_relative",
    "newbob_relative": "newbob_relative",
    "newbob_abs": "newbob_abs",
    "newbob_multi_epoch": "newbob_multi_epoch",
}
"""Every accepted name of ``learning_rate_control``, and the rule that it means."""


@dataclass(frozen=True)
class LearningRateOptions:
    """Learning-rate control, as the config asks for it. Comments name the config keys where they differ."""

    control: str = "constant"  # learning_rate_control
    default_learning_rate: float = 1.0  # learning_rate
    min_learning_rate: float = 0.0
    fixed: Mapping[int, float] = field(default_factory=dict)  # learning_rates, by epoch
    decay: RateUpdate = 0.5  # learning_rate_decay, newbob_learning_rate_decay
    growth: RateUpdate = 1.0  # learning_rate_growth, newbob_learning_rate_growth
    error_measure: tuple[str, ...] = ()  # learning_rate_control_error_measure
    relative_to_rate: bool = False  # learning_rate_control_relative_error_relative_lr
    min_epochs_per_rate: int = 0  # learning_rate_control_min_num_epochs_per_new_lr
    divide_by_old: bool = False  # newbob_relative_error_div_by_old
    relative_threshold: float = -0.01  # newbob_relative_error_threshold
    grow_threshold: float = -0.01  # newbob_relative_error_grow_threshold
    absolute_threshold: float = -0.01  # newbob_error_threshold
    num_epochs: int = 5  # newbob_multi_num_epochs
    update_interval: int = 5  # newbob_multi_update_interval
    pretrain_learning_rate: float = 1.0
    always: bool = False  # use_learning_rate_control_always: also in pretraining
    file: str | None = None  # learning_rate_file

    @staticmethod
    def from_config(config: Mapping[str, object]) -> LearningRateOptions:
        """Parse ``config``; a wrong value or an unknown control is a :class:`ConfigError`."""
        reader = OptionReader(config)
        learning_rate = reader.non_negative("learning_rate", 1.0)
        num_epochs = reader.integer("newbob_multi_num_epochs", 5)
        relative_threshold = reader.number("newbob_relative_error_threshold", -0.01)
        options = LearningRateOptions(
            control=_control(reader),
            default_learning_rate=learning_rate,
            min_learning_rate=reader.non_negative("min_learning_rate", 0.0),
            fixed=_fixed_rates(config),
            decay=_update(config, "learning_rate_decay", "newbob_learning_rate_decay", 0.5),
            growth=_update(config, "learning_rate_growth", "newbob_learning_rate_growth", 1.0),
            error_measure=_error_measure(config),
            relative_to_rate=reader.flag("learning_rate_control_relative_error_relative_lr", False),
            min_epochs_per_rate=reader.integer("learning_rate_control_min_num_epochs_per_new_lr", 0),
            divide_by_old=reader.flag("newbob_relative_error_div_by_old", False),
            relative_threshold=relative_threshold,
            grow_threshold=reader.number("newbob_relative_error_grow_threshold", relative_threshold),
            absolute_threshold=reader.number("newbob_error_threshold", -0.01),
            num_epochs=num_epochs,
            update_interval=reader.integer("newbob_multi_update_interval", num_epochs),
            pretrain_learning_rate=reader.non_negative("pretrain_learning_rate", learning_rate),
            always=reader.flag("use_learning_rate_control_always", False),
            file=reader.text("learning_rate_file") or None,
        )
        _check(options)
        return options


def _control(reader: OptionReader) -> str:
    name = reader.text("learning_rate_control", "constant") or "constant"
    if name not in CONTROL_NAMES:
        raise ConfigError(
            f"unknown learning-rate control {name!r}",
            where=Origin(key="learning_rate_control"),
            expected="one of " + ", ".join(CONTROL_NAMES),
            hint=did_you_mean(name, CONTROL_NAMES),
        )
    return CONTROL_NAMES[name]


def _error_measure(config: Mapping[str, object]) -> tuple[str, ...]:
    key = "learning_rate_control_error_measure"
    value = config.get(key)
    if not value:
        return ()
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise _wrong(key, "a score key or a list of them", value)
    return tuple(names)


def _update(config: Mapping[str, object], key: str, old_key: str, default: float) -> RateUpdate:
    used = key if key in config else old_key
    value = config.get(used, default)
    if callable(value):
        return value
    return None if value is None else OptionReader(config).non_negative(used, default)


def _fixed_rates(config: Mapping[str, object]) -> dict[int, float]:
    """``learning_rates``: a list (from epoch 1), a dict by epoch, or a string that holds either."""
    key = "learning_rates"
    value = original = config.get(key)
    if isinstance(value, str):
        value = _parse_text(value)
    if not value:
        return {}
    if isinstance(value, (list, tuple)):
        value = dict(enumerate(value, 1))
    if not isinstance(value, dict):
        raise _wrong(key, "a list of rates, or a dict from epoch to rate", original)
    for epoch, rate in value.items():
        valid_epoch = isinstance(epoch, int) and not isinstance(epoch, bool) and epoch >= 1
        if not valid_epoch or isinstance(rate, bool) or not isinstance(rate, (int, float)) or not rate >= 0:
            raise _wrong(key, "epochs from 1 on with rates that are not negative", {epoch: rate})
    return {epoch: float(rate) for epoch, rate in value.items()}


def _parse_text(text: str) -> object:
    """A Python literal, or rates separated by commas, as old configs have them."""
    try:
        return ast.literal_eval(text) if text.lstrip()[:1] in ("[", "{", "(") else [float(x) for x in text.split(",")]
    except (ValueError, SyntaxError):
        hint = "write a literal such as [0.1, 0.05] or {1: 0.1, 10: 0.05}; expressions belong into a Python config"
        raise ConfigError(
            "learning_rates cannot be understood", where=Origin(key="learning_rates"), received=repr(text), hint=hint
        ) from None


def _check(options: LearningRateOptions) -> None:
    """Values that are fine alone and do not fit together, or would divide by zero."""
    for key, number in (("num_epochs", options.num_epochs), ("update_interval", options.update_interval)):
        if number < 1:
            raise _wrong(f"newbob_multi_{key}", "at least 1", number)
    if options.control == "newbob_multi_epoch" and options.grow_threshold > options.relative_threshold:
        raise ConfigError(
            "between the two thresholds a learning rate would both decay and grow",
            where=Origin(key="newbob_relative_error_grow_threshold"),
            expected=f"at most newbob_relative_error_threshold ({options.relative_threshold})",
            received=options.grow_threshold,
        )
    if options.relative_to_rate and options.default_learning_rate == 0:
        raise ConfigError(
            "an error relative to the learning rate needs a learning_rate above zero",
            where=Origin(key="learning_rate_control_relative_error_relative_lr"),
        )


def _wrong(key: str, expected: str, value: object) -> ConfigError:
    return ConfigError(
        f"option {key!r} has a wrong value", where=Origin(key=key), expected=expected, received=repr(value)
    )
