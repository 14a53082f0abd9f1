"""The learning-rate control of one training: history, rule and file together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from runtime.learning_rate.file import load_history, save_history
from runtime.learning_rate.history import EpochData, best_epoch
from runtime.learning_rate.options import LearningRateOptions
from runtime.learning_rate.rules import next_rate

__all__ = ["LearningRateControl", "flat_scores"]


class LearningRateControl:
    """Knows the rate of every epoch. The history is read from ``options.file`` and written by :meth:`save`."""

    def __init__(self, options: LearningRateOptions) -> None:
        self.options = options
        path = Path(options.file) if options.file else None
        self.history: dict[int, EpochData] = load_history(path) if path and path.exists() else {}
        for epoch, rate in options.fixed.items():
            self._set_default(epoch, rate)

    @staticmethod
    def from_config(config: Mapping[str, object]) -> LearningRateControl:
        """The control that ``config`` asks for, with the history of its file where that exists."""
        return LearningRateControl(LearningRateOptions.from_config(config))

    def learning_rate(self, epoch: int, *, pretrain_epochs: int = 0) -> float:
        """The rate of ``epoch`` (from 1), which the history then holds.

        While pretraining the pretrain rate is used and the default one in the epoch after it, unless
        ``use_learning_rate_control_always``.
        """
        options = self.options
        if epoch > pretrain_epochs + 1 or pretrain_epochs == 0 or options.always:
            if epoch not in self.history:
                self.history[epoch] = EpochData(next_rate(options, self.history, epoch))
            return self.history[epoch].learning_rate
        rate = options.pretrain_learning_rate if epoch <= pretrain_epochs else options.default_learning_rate
        self._set_default(epoch, rate)
        return rate

    def overwrite(self, epoch: int, rate: float) -> None:
        """Make this the rate of an epoch, whatever it is by the rule or the file."""
        self.history[epoch] = replace(self._data(epoch), learning_rate=rate)

    def set_scores(self, epoch: int, scores: Mapping[str, float | Mapping[str, float]]) -> None:
        """Add scores and errors of ``epoch``.

        A mapping from losses to values becomes one entry per loss (``dev_score_LAYER``), or the plain key if it has
        just one. A prefix up to the first colon (``cost:LAYER``) is dropped.
        """
        flat = flat_scores(scores)
        data = self._data(epoch)
        self.history[epoch] = replace(data, scores={**data.scores, **flat})

    def set_meta(self, epoch: int, meta: Mapping[str, object]) -> None:
        """Add other facts about ``epoch`` (number of steps, device, ...), kept in the file as ``:meta:KEY``."""
        data = self._data(epoch)
        self.history[epoch] = replace(data, meta={**data.meta, **meta})

    def best_epoch(self, epochs: list[int] | None = None) -> int | None:
        """The epoch with the lowest watched score, among ``epochs`` where given; None without scores."""
        return best_epoch(self.history, self.options.error_measure, epochs=epochs)

    def save(self) -> None:
        """Write the file, if the config names one."""
        if self.options.file:
            save_history(Path(self.options.file), self.history)

    def _data(self, epoch: int) -> EpochData:
        self.learning_rate(epoch)
        return self.history[epoch]

    def _set_default(self, epoch: int, rate: float) -> None:
        """Set the rate where the epoch has none or zero, as RETURNN does."""
        data = self.history.get(epoch)
        if data is None:
            self.history[epoch] = EpochData(rate)
        elif data.learning_rate == 0:
            self.history[epoch] = replace(data, learning_rate=rate)


def flat_scores(scores: Mapping[str, float | Mapping[str, float]]) -> dict[str, float]:
    """Scores by their keys in the file, see :meth:`LearningRateControl.set_scores`."""
    flat: dict[str, float] = {}
    for key, value in scores.items():
        if not isinstance(value, Mapping):
            flat[key] = float(value)
        elif len(value) == 1:
            flat[key] = float(next(iter(value.values())))
        else:
            for name, entry in value.items():
                flat[f"{key}_{name.split(':', 1)[-1]}"] = float(entry)
    return flat
