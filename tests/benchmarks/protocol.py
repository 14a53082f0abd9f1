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
#: How the names of the tasks begin that measure processor seconds of `tests/benchmarks/real_nets.py`.
FIRST_STEP = "first_"


def serve(tasks: dict[str, Callable[[], Step]], *, warmup: int = 2) -> None:
    """Prepares the task named on the command line, then measures one step per request.

    `tasks` maps a task's name to a function that prepares it and returns the step. The task `build` and the first steps
    are not warmed up: their only step is the measurement. First steps take processor seconds, of all threads, because
    most of their time is one thread's, and others may be using the machine.
    """
    task = sys.argv[1]
    first_step = task.startswith(FIRST_STEP)
    clock = time.process_time if first_step else time.perf_counter
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    step = tasks[task]()
    for _ in range(0 if first_step or task == "build" else warmup):
        step()
    print("ready", file=replies)
    for line in sys.stdin:
        if line.strip() != "run":
            raise SystemExit(f"unknown request {line.strip()!r}, expected 'run'")
        start = clock()
        step()
        print(f"{clock() - start:.9f}", file=replies)
