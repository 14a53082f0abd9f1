"""Each task in a process of its own, so that none can hang, crash or change the others."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from time import monotonic
from typing import Generic, TypeVar

__all__ = ["Failed", "run_each"]

Task = TypeVar("Task")
Result = TypeVar("Result")

#: Bytes of address space that one task may have; importing TensorFlow takes several GB of it.
_MEMORY = 16 << 30


@dataclass(frozen=True)
class Failed:
    """A task without a result, and why."""

    reason: str


@dataclass
class _Running(Generic[Task]):
    task: Task
    process: ForkProcess
    until: float


def run_each(
    function: Callable[[Task], Result], tasks: Iterable[Task], *, jobs: int, seconds: float
) -> Iterator[tuple[Task, Result | Failed]]:
    """``function`` of every task, in the order in which they are done.

    Args:
        function: its result can be pickled; what it prints is lost, and it runs in an empty folder.
        jobs: how many at once.
        seconds: what one may take.
    """
    context = multiprocessing.get_context("fork")  # the parent has imported what all of them need
    waiting = iter(tasks)
    running: dict[Connection, _Running[Task]] = {}
    while True:
        while len(running) < jobs and (task := next(waiting, None)) is not None:
            receive, send = context.Pipe(duplex=False)
            process = context.Process(target=_child, args=(send, function, task), daemon=True)
            process.start()
            send.close()
            running[receive] = _Running(task, process, monotonic() + seconds)
        if not running:
            return
        soonest = min(r.until for r in running.values())
        ready = wait(list(running), timeout=max(0.0, soonest - monotonic()))
        late = [c for c, r in running.items() if c not in ready and r.until <= monotonic()]
        for connection in [*(c for c in running if c in ready), *late]:
            one = running.pop(connection)
            yield one.task, _result(connection, one, late=connection in late, seconds=seconds)


def _result(connection: Connection, one: _Running[Task], *, late: bool, seconds: float) -> Result | Failed:
    found: Result | Failed
    if late:
        one.process.kill()
        found = Failed(f"not done after {seconds:.0f} s")
    else:
        try:
            found = connection.recv()
        except EOFError:
            found = Failed("its process died")
    one.process.join()
    connection.close()
    return found


def _child(send: Connection, function: Callable[[Task], Result], task: Task) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        result = function(task)
        os.chdir("/")
    send.send(result)
