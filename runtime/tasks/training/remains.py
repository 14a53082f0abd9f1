"""What a training leaves behind that ends within an epoch: parameters under names from which nothing resumes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from compiler.target.protocol import Array
from returnn_ir.errors import DataError
from runtime.checkpoints.files import save_remains
from runtime.datasets import Batch
from runtime.tasks.epoch import TakeResults
from runtime.tasks.log import log

__all__ = ["Remains"]


class Remains:
    """Around the steps of an epoch: an error saves ``PREFIX.crash_STEP``, the number of steps that went well.

    Args:
        prefix: of the epoch's checkpoint; None: nothing is saved.
        variables: gives what a checkpoint has.
    """

    def __init__(self, prefix: str | None, variables: Callable[[], Mapping[str, Any]]) -> None:
        self._prefix, self._variables = prefix, variables
        self._steps = 0

    def __enter__(self) -> Remains:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, Exception):  # and not Ctrl-C
            self._save(f"crash_{self._steps}")

    def counting(self, take: TakeResults) -> TakeResults:
        """Count the steps whose results were taken."""

        def taken(batch: Batch, results: Mapping[str, Array]) -> str:
            line = take(batch, results)
            self._steps += 1
            return line

        return taken

    def check(self, title: str, scores: Mapping[str, float]) -> None:
        """Refuse an epoch with a score that is not finite, of which ``PREFIX.broken`` is saved.

        Raises:
            DataError: there is one.
        """
        wrong = [f"{name} {value}" for name, value in scores.items() if not math.isfinite(value)]
        if wrong:
            self._save("broken")
            raise DataError(
                "the epoch has scores that are not finite",
                where=title,
                received=", ".join(wrong),
                hint="a lower learning rate or gradient_clip; checkpoints of earlier epochs are kept",
            )

    def _save(self, kind: str) -> None:
        if self._prefix is None:
            return
        try:
            log(f"saved what is left as {save_remains(self._prefix, kind, self._variables())}")
        except Exception as error:  # what ended the training is told, not this
            log(f"what is left could not be saved as {self._prefix}.{kind}: {error}")
