"""The line protocol between the benchmark's driver and its workers.

A worker is `python -m tests.benchmarks.WORKER TASK`, run from the project's folder. It prints `ready` when it is warm,
then answers each line `run` with the seconds that one measurement took, until its standard input ends. Anything else
that a library prints goes to standard error, so that nothing but the protocol is on standard output.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

Step = Callable[[], None]


def serve(tasks: dict[str, Callable[[], Step]], *, warmup: int = 2) -> None:
    """Prepares the task named on the command line, then measures one step per request.

    `tasks` maps a task's name to a function that prepares it and returns the step. The task `build` is not warmed up:
    its only step is the measurement.
    """
    task = sys.argv[1]
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    step = tasks[task]()
    for _ in range(0 if task == "build" else warmup):
        step()
    print("ready", file=replies)
    for line in sys.stdin:
        if line.strip() != "run":
            raise SystemExit(f"unknown request {line.strip()!r}, expected 'run'")
        start = time.perf_counter()
        step()
        print(f"{time.perf_counter() - start:.9f}", file=replies)
