"""Telling of the steps of a training in float16 that change nothing, because a gradient was not finite."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.target.protocol import Array
from runtime.optimizers.loss_scale import LossScale
from runtime.tasks.epoch import RunStep
from runtime.tasks.log import log

__all__ = ["SkippedSteps"]


class SkippedSteps:
    """The step of an epoch, which logs whenever there was no update.

    Args:
        title: what is running.
        step: from a feed to its results.
        scale: of the training.
    """

    def __init__(self, title: str, step: RunStep, scale: LossScale) -> None:
        self._title, self._step, self._scale = title, step, scale
        self._before = self._told = scale.skipped
        self._steps = 0

    def __call__(self, feed: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run one batch.

        Raises:
            DataError: no loss scale makes the gradients finite.
        """
        used = self._scale.value
        results = self._step(feed)
        skipped = self._scale.skipped
        if skipped > self._told:
            self._told = skipped
            following = f"loss scale {used:g} becomes {self._scale.value:g}"
            log(f"{self._title}, step {self._steps}: no update, a gradient is not finite; {following}")
            self._scale.check()
        self._steps += 1
        return results

    def summary(self) -> None:
        """Log how many steps of the epoch there were without an update."""
        skipped = self._scale.skipped - self._before
        log(f"{self._title}: {skipped} of {self._steps} steps without an update, loss scale {self._scale.value:g}")
