"""Learning-rate control: constant and newbob rules, and the learning-rates file."""

from __future__ import annotations

from runtime.learning_rate.control import LearningRateControl
from runtime.learning_rate.history import EpochData, History, best_epoch
from runtime.learning_rate.options import LearningRateOptions

__all__ = ["EpochData", "History", "LearningRateControl", "LearningRateOptions", "best_epoch"]
