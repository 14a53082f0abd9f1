"""One pure function per learning-rate control: options and history in, the next epoch's rate out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np

from returnn_ir.errors import ConfigError
from runtime.learning_rate.history import History, error_key_value, relative_change
from runtime.learning_rate.options import LearningRateOptions, RateUpdate

__all__ = ["RULES", "constant", "newbob_abs", "newbob_multi_epoch", "newbob_relative", "next_rate", "relative_error"]


def next_rate(options: LearningRateOptions, history: History, epoch: int) -> float:
    """The rate for ``epoch`` by the chosen rule, after the minimum number of epochs per rate."""
    wanted = options.min_epochs_per_rate
    if wanted > 1:
        rates = [history[e].learning_rate for e in _past(history, epoch)[-wanted:]]
        if len(set(rates)) >= 2 or 0 < len(rates) < wanted:
            return rates[-1]
    return RULES[options.control](options, history, epoch)


def constant(options: LearningRateOptions, history: History, epoch: int) -> float:
    """The last rate, the default one in the first epoch."""
    past = _past(history, epoch)
    return history[past[-1]].learning_rate if past else options.default_learning_rate


def newbob_relative(options: LearningRateOptions, history: History, epoch: int) -> float:
    """Decay where the relative change of the last two epochs is above the threshold, else grow."""
    past = _past(history, epoch)
    rate = constant(options, history, epoch)
    change = relative_error(options, history, past[-2], past[-1]) if len(past) >= 2 else None
    if change is None:
        return rate
    decay = change > options.relative_threshold
    return _decay_or_grow(options, rate, decay=decay, grow=not decay)


def newbob_abs(options: LearningRateOptions, history: History, epoch: int) -> float:
    """Like :func:`newbob_relative`, with the absolute change."""
    past = _past(history, epoch)
    rate = constant(options, history, epoch)
    pair = _score_pair(options, history, past[-2], past[-1]) if len(past) >= 2 else None
    if pair is None:
        return rate
    decay = pair[1] - pair[0] > options.absolute_threshold
    return _decay_or_grow(options, rate, decay=decay, grow=not decay)


def newbob_multi_epoch(options: LearningRateOptions, history: History, epoch: int) -> float:
    """Decay or grow by the mean relative change over several epochs, every ``update_interval`` epochs."""
    rate = constant(options, history, epoch)
    if options.update_interval > 1 and epoch % options.update_interval != 1:
        return rate
    past = _past(history, epoch)[-(options.num_epochs + 1) :]
    changes = [relative_error(options, history, old, new) for old, new in pairwise(past)]
    known = [change for change in changes if change is not None]
    if not known or len(known) < len(changes):
        return rate
    mean = float(np.mean(known))
    return _decay_or_grow(options, rate, decay=mean > options.relative_threshold, grow=mean < options.grow_threshold)


RULES: Mapping[str, Callable[[LearningRateOptions, History, int], float]] = {
    "constant": constant,
    "newbob": newbob_relative,
    "newbob_rel": newbob_relative,
    "newbob_relative": newbob_relative,
    "newbob_abs": newbob_abs,
    "newbob_multi_epoch": newbob_multi_epoch,
}


def relative_error(options: LearningRateOptions, history: History, old: int, new: int) -> float | None:
    """The relative change of the watched score between two epochs; None where they have no common key."""
    pair = _score_pair(options, history, old, new)
    if pair is None:
        return None
    change = relative_change(*pair, by_old=options.divide_by_old)
    rate = history[new].learning_rate
    if options.relative_to_rate and rate > 0:
        # A smaller rate than the initial one moves the score less; measure it by that.
        change /= rate / options.default_learning_rate
    return change


def _score_pair(options: LearningRateOptions, history: History, old: int, new: int) -> tuple[float, float] | None:
    before = error_key_value(history, old, options.error_measure)
    after = error_key_value(history, new, options.error_measure)
    if before is None or after is None or before[0] != after[0]:
        return None
    return before[1], after[1]


def _past(history: History, epoch: int) -> list[int]:
    return sorted(e for e in history if e < epoch)


def _decay_or_grow(options: LearningRateOptions, rate: float, *, decay: bool, grow: bool) -> float:
    if decay:
        return max(_updated(rate, options.decay, "learning_rate_decay"), options.min_learning_rate)
    return _updated(rate, options.growth, "learning_rate_growth") if grow else rate


def _updated(rate: float, update: RateUpdate, key: str) -> float:
    if update is None:
        return rate
    if not callable(update):
        return rate * update
    result = update(rate)
    if isinstance(result, bool) or not isinstance(result, (int, float)):
        raise ConfigError(f"the function {key!r} must return a number", received=repr(result))
    return float(result)
