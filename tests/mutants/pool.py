"""Runs children beside each other and watches over them."""

from __future__ import annotations

import json
import os
import selectors
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.mutants.child import Task, start

__all__ = ["Ended", "run_all"]

#: Seconds that a test may take beyond ten times what it took; collecting alone takes some.
GRACE = 40.0


@dataclass
class Ended:
    """How a child ended.

    Attributes:
        durations: seconds of each test that ran to its end.
        outcomes: ``passed``, ``failed`` or ``skipped``, by test.
        found: the tests that were listed.
        broken: the traceback where pytest itself failed.
        hung: the test that took too long.
        running: the test that ran last, if it did not end.
        late: whether the time for the whole child was over.
    """

    task: Task
    code: int = 0
    seconds: float = 0.0
    durations: dict[str, float] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    running: str | None = None
    broken: str | None = None
    hung: bool = False
    late: bool = False

    @property
    def killer(self) -> str | None:
        """What noticed the change: a test, or what became of the child."""
        failed = next((test for test, outcome in self.outcomes.items() if outcome == "failed"), None)
        if failed is not None:
            return failed
        if self.hung:
            return f"hang in {self.running or 'collection'}"
        if not self.late and self.code not in (0, 5):
            return f"crash in {self.running}" if self.running else "collection"
        return None


@dataclass
class _Child:
    pid: int
    pipe: int
    ended: Ended
    began: float
    since: float
    rest: bytes = b""


def run_all(
    tasks: Iterable[Task], jobs: int, expected: Mapping[str, float], budget: float | None = None
) -> Iterator[Ended]:
    """Run ``tasks``, ``jobs`` at a time; yields each as it ends.

    Args:
        expected: seconds that each test takes; a test that takes much longer hangs.
        budget: seconds after which a child is ended, with what it found so far.
    """
    waiting = iter(tasks)
    running: dict[int, _Child] = {}
    selector = selectors.DefaultSelector()
    try:
        while True:
            while len(running) < jobs and (task := next(waiting, None)) is not None:
                pid, pipe = start(task)
                now = time.monotonic()
                running[pipe] = _Child(pid, pipe, Ended(task), now, now)
                selector.register(pipe, selectors.EVENT_READ)
            if not running:
                return
            ready = {key.fd for key, _ in selector.select(1.0)}
            for child in list(running.values()):
                if (child.pipe in ready and not _read(child)) or _overdue(child, expected, budget):
                    selector.unregister(child.pipe)
                    del running[child.pipe]
                    yield _finish(child)
    finally:
        for child in running.values():
            _finish(child)


def _read(child: _Child) -> bool:
    """Take what the child told; False at its end."""
    text = os.read(child.pipe, 1 << 16)
    *lines, child.rest = (child.rest + text).split(b"\n")
    for line in lines:
        _take(child, json.loads(line))
    return bool(text)


def _take(child: _Child, event: dict[str, Any]) -> None:
    now = time.monotonic()
    ended = child.ended
    if "found" in event:
        ended.found.append(event["found"])
    elif "broken" in event:
        ended.broken = event["broken"]
    elif "begin" in event:
        ended.running = event["begin"]
    elif "end" in event:
        ended.durations[event["end"]] = now - child.since
        ended.outcomes[event["end"]] = event["outcome"]
        ended.running = None
    child.since = now


def _overdue(child: _Child, expected: Mapping[str, float], budget: float | None) -> bool:
    now = time.monotonic()
    usual = expected.get(child.ended.running or "", 0.0)
    child.ended.hung = bool(expected) and now - child.since > GRACE + 10 * usual
    child.ended.late = budget is not None and now - child.began > budget
    return child.ended.hung or child.ended.late


def _finish(child: _Child) -> Ended:
    stopped = child.ended.hung or child.ended.late
    if stopped:
        _kill(child.pid)
    _, status = os.waitpid(child.pid, 0)
    _kill(child.pid)
    os.close(child.pipe)
    child.ended.code = 0 if child.ended.late else os.waitstatus_to_exitcode(status)
    child.ended.seconds = time.monotonic() - child.began
    return child.ended


def _kill(pid: int) -> None:
    """End the child's whole session, with what it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
