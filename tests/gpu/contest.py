"""Contestants, each a process that stays warm, who take turns at a step. Standard library and NumPy only."""

from __future__ import annotations

import statistics
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.gpu.part import Part
from tests.gpu.steps import MODELS, Job
from tests.gpu.workers import TooSlow, Worker, WorkerError

__all__ = ["Contestant", "Crew", "medians"]

#: Of a contestant that was cut off because the part's time was over, which is no failure.
NO_TIME = "no time"
#: Seconds that a contestant may take to get ready, or for a step.
LIMIT = 150.0
#: A contest ends after so many seconds, once everyone had that many turns.
SECONDS, TURNS = 8.0, 3


@dataclass(frozen=True)
class Contestant:
    """Who takes part.

    Attributes:
        command: the Python, and what follows it.
        models: that it has.
        precisions: that it has beside float32.
    """

    command: Sequence[str]
    models: Collection[str] = MODELS
    precisions: Collection[str] = ()

    def has(self, job: Job) -> bool:
        """Whether it does the job."""
        return job.model in self.models and (job.precision is None or job.precision in self.precisions)


@dataclass
class Crew:
    """The contestants' processes; who fails gets a new one for the next job."""

    contestants: Mapping[str, Contestant]
    _workers: dict[str, Worker] = field(default_factory=dict)

    def contest(self, part: Part, job: Job) -> None:
        """Measure a job, and record it."""
        names = [name for name, contestant in self.contestants.items() if contestant.has(job)]
        errors: dict[str, str] = {}
        for name in names:  # all get ready at the same time
            self._worker(name).send({"prepare": job.to_json()})
        first = {name: reply for name in names if (reply := self._reply(part, name, errors)) is not None}
        seconds: dict[str, list[float]] = {name: [] for name in first}
        start = time.monotonic()
        for turn in range(part.rounds):
            if turn >= TURNS and time.monotonic() - start > SECONDS:
                break
            for name in [name for name in seconds if name not in errors]:
                self._worker(name).send("step")
                if (reply := self._reply(part, name, errors)) is not None:
                    seconds[name].append(reply["seconds"])
        held = {"seconds": seconds, "first": first, "errors": errors}
        wrong = [f"{job.name}: {name}: {text}" for name, text in errors.items() if not text.startswith(NO_TIME)]
        part.record(_line(job, seconds), job=job.to_json(), name=job.name, **held, wrong=wrong)

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def _worker(self, name: str) -> Worker:
        if name not in self._workers:
            self._workers[name] = Worker(self.contestants[name].command)
        return self._workers[name]

    def _reply(self, part: Part, name: str, errors: dict[str, str]) -> Any:
        """None, and a reason among the errors, if it failed."""
        try:
            return self._worker(name).receive(part.patience(LIMIT))
        except WorkerError as error:
            late = isinstance(error, TooSlow) and part.left() <= 0
            errors[name] = f"{NO_TIME}: {error}" if late else str(error)
            self._workers.pop(name).close()
            return None


def medians(seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """By contestant, of those who had a turn."""
    return {name: statistics.median(held) for name, held in seconds.items() if held}


def _line(job: Job, seconds: Mapping[str, Sequence[float]]) -> str:
    found = medians(seconds)
    base = next(iter(found.values()), 0.0)
    times = ", ".join(f"{name} {s * 1e3:.2f} ms ({s / base:.2f})" for name, s in found.items())
    return f"{job.name}: {times or 'nobody'}"
