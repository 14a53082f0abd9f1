"""The options of learning-rate control, read from a config."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from returnn_ir.config.read import place_of, read_config
from returnn_ir.errors import ConfigError
from returnn_ir.options import Alias, Described, Form, Key, LikeField, Size, ZeroOrMore

__all__ = ["LearningRateOptions", "RateUpdate"]

RateUpdate = ZeroOrMore | Callable[[float], float] | None
"""How a rate decays or grows: a factor, a function of the rate, or not at all."""

#: The rules; ``newbob`` and ``newbob_rel`` are other names of ``newbob_relative``.
Control = Literal["constant", "newbob", "newbob_rel", "newbob_relative", "newbob_abs", "newbob_multi_epoch"]

_LITERAL_HINT = "write a literal such as [0.1, 0.05] or {1: 0.1, 10: 0.05}; expressions belong into a Python config"


def _control(given: object) -> object:
    return "constant" if given == "" else given


def _by_epoch(given: object) -> object:
    """``learning_rates``: a list (from epoch 1), a dict by epoch, or a text that holds either."""
    rates = _literal(given) if isinstance(given, str) else given
    return dict(enumerate(rates, 1)) if isinstance(rates, (list, tuple)) else rates or {}


def _literal(text: str) -> object:
    """A Python literal, or rates separated by commas, as old configs have them."""
    try:
        return ast.literal_eval(text) if text.lstrip()[:1] in ("[", "{", "(") else [float(x) for x in text.split(",")]
    except (ValueError, SyntaxError):
        raise ConfigError("learning_rates cannot be understood", received=repr(text), hint=_LITERAL_HINT) from None


def _names(given: object) -> object:
    """One name is a tuple of one."""
    return (given,) if isinstance(given, str) and given else tuple(given) if isinstance(given, list) else given or ()


@dataclass(frozen=True, kw_only=True)
class LearningRateOptions:
    """Learning-rate control, as the config asks for it.

    Attributes:
        control: the rule for the next epoch's rate.
        default_learning_rate: of the first epoch, and of every one that nothing else says a rate for.
        min_learning_rate: no rule goes below it.
        fixed: rates by epoch.
        decay: what a rule does to the rate when the scores do not improve.
        growth: what a rule does to the rate when they do.
        error_measure: scores to watch, the first that is there counts; empty: the default ones.
        relative_to_rate: the relative error is taken relative to the learning rate, too.
        min_epochs_per_rate: epochs that a rate is kept at least.
        divide_by_old: the relative error is relative to the older score.
        relative_threshold: a relative error above it lets the rate decay.
        grow_threshold: one below it lets the rate grow.
        absolute_threshold: as ``relative_threshold``, of the difference of two scores.
        num_epochs: the epochs that ``newbob_multi_epoch`` compares.
        update_interval: it changes the rate after so many epochs.
        pretrain_learning_rate: of the epochs of a pretraining.
        always: the rules hold while pretraining, too.
        file: where rates and scores are kept.
    """

    control: Annotated[Control, Key("learning_rate_control"), Form(_control)] = "constant"
    default_learning_rate: Annotated[ZeroOrMore, Key("learning_rate")] = 1.0
    min_learning_rate: ZeroOrMore = 0.0
    fixed: Annotated[
        Mapping[Size, ZeroOrMore],
        Key("learning_rates"),
        Form(_by_epoch),
        Described("a list of rates >= 0, or a dict from epoch, counted from 1, to rate"),
    ] = field(default_factory=dict)
    decay: Annotated[RateUpdate, Key("learning_rate_decay"), Alias("newbob_learning_rate_decay")] = 0.5
    growth: Annotated[RateUpdate, Key("learning_rate_growth"), Alias("newbob_learning_rate_growth")] = 1.0
    error_measure: Annotated[
        tuple[str, ...],
        Key("learning_rate_control_error_measure"),
        Form(_names),
        Described("the name of a score, or a list of them"),
    ] = ()
    relative_to_rate: Annotated[bool, Key("learning_rate_control_relative_error_relative_lr")] = False
    min_epochs_per_rate: Annotated[int, Key("learning_rate_control_min_num_epochs_per_new_lr")] = 0
    divide_by_old: Annotated[bool, Key("newbob_relative_error_div_by_old")] = False
    relative_threshold: Annotated[float, Key("newbob_relative_error_threshold")] = -0.01
    grow_threshold: Annotated[
        float, Key("newbob_relative_error_grow_threshold"), LikeField("relative_threshold")
    ] = -0.01
    absolute_threshold: Annotated[float, Key("newbob_error_threshold")] = -0.01
    num_epochs: Annotated[Size, Key("newbob_multi_num_epochs")] = 5
    update_interval: Annotated[Size, Key("newbob_multi_update_interval"), LikeField("num_epochs")] = 5
    pretrain_learning_rate: Annotated[ZeroOrMore, LikeField("default_learning_rate")] = 1.0
    always: Annotated[bool, Key("use_learning_rate_control_always")] = False
    file: Annotated[str | None, Key("learning_rate_file")] = None

    @staticmethod
    def from_config(config: Mapping[str, object]) -> LearningRateOptions:
        """Read the options; a UserError tells everything that is wrong."""
        options = read_config(LearningRateOptions, config)
        _check(options, config)
        return options


def _check(options: LearningRateOptions, config: Mapping[str, object]) -> None:
    """Values that are fine alone and do not fit together, or would divide by zero."""
    if options.control == "newbob_multi_epoch" and options.grow_threshold > options.relative_threshold:
        raise ConfigError(
            "between the two thresholds a learning rate would both decay and grow",
            where=place_of(config, "newbob_relative_error_grow_threshold"),
            expected=f"at most newbob_relative_error_threshold ({options.relative_threshold})",
            received=options.grow_threshold,
        )
    if options.relative_to_rate and options.default_learning_rate == 0:
        raise ConfigError(
            "an error relative to the learning rate needs a learning_rate above zero",
            where=place_of(config, "learning_rate_control_relative_error_relative_lr"),
        )
