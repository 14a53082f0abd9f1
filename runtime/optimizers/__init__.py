"""Optimizers with RETURNN's options, numbers and slot names; TensorFlow is imported when they are built."""

from __future__ import annotations

from runtime.optimizers.gradients import GradientOptions
from runtime.optimizers.optimizer import Optimizer
from runtime.optimizers.options import ChosenOptimizer

__all__ = ["ChosenOptimizer", "GradientOptions", "Optimizer"]
