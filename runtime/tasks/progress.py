"""Progress of long work: a bar on a terminal, plain lines from time to time in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Progress", "log", "progress"]


def log(line: str) -> None:
    """One line of the run's log."""
    print(line, flush=True)


class Progress:
    """A log that reports every ``every`` seconds.

    Args:
        title: e.g. ``train epoch 3``.
        total: of what ``advance`` counts (sequences); None: unknown.
    """

    def __init__(self, title: str, total: int | None, every: float) -> None:
        self._title = title
        self._total = total
        self._every = every
        self._done = 0
        self._steps = 0
        self._started = self._reported = time.monotonic()

    def advance(self, count: int, status: str) -> None:
        """Count further sequences; ``status`` is shown beside them."""
        self._done += count
        self._steps += 1
        now = time.monotonic()
        if now - self._reported >= self._every:
            self._reported = now
            elapsed = now - self._started
            log(
                f"{self._title}, step {self._steps}, {status}, {elapsed / self._steps:.3f} sec/step"
                f"{self._remaining(elapsed)}"
            )

    def _remaining(self, elapsed: float) -> str:
        if not self._total:
            return f", {self._done} sequences"
        share = min(1.0, self._done / self._total)
        remaining = elapsed / share - elapsed if share else 0.0
        return f", exp. remaining {_clock(remaining)}, complete {share:.2%}"


class _Bar(Progress):
    """A bar drawn by rich."""

    def __init__(self, title: str, total: int | None) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        super().__init__(title, total, every=float("inf"))
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[status]}"), TimeRemainingColumn(),
            transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task(title, total=total, status="")

    def advance(self, count: int, status: str) -> None:
        self._bar.update(self._task, advance=count, status=status)

    def start(self) -> None:
        self._bar.start()

    def stop(self) -> None:
        self._bar.stop()


@contextmanager
def progress(title: str, total: int | None, every: float = 10.0) -> Iterator[Progress]:
    """Show progress while the block runs."""
    if not sys.stdout.isatty():
        yield Progress(title, total, every)
        return
    bar = _Bar(title, total)
    bar.start()
    try:
        yield bar
    finally:
        bar.stop()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
