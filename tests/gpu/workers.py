"""Processes that do what they are asked for, a line of JSON for each request and reply. Standard library only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.gpu.part import one_line

__all__ = ["ROOT", "TooSlow", "Worker", "WorkerError", "serve"]

ROOT = Path(__file__).parents[2]
#: One process must leave the others their memory.
_MEMORY = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
#: How a line begins that is a reply; others are what a library printed while it was imported.
_REPLY = "reply: "


class WorkerError(Exception):
    """A worker said that something failed, or ended."""


class TooSlow(WorkerError):
    """It did not answer in time."""


class Worker:
    """A process on the other side of :func:`serve`.

    Args:
        command: the Python, and what follows it.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        # A file, because nobody would empty a pipe while we wait for the answer.
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 -- closed with the worker
        self._process = subprocess.Popen(
            list(command),
            cwd=ROOT,
            env={**os.environ, **_MEMORY, **(environment or {})},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def send(self, request: Any) -> None:
        """Ask, and do not wait."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: that is what `receive` says, and why

    def receive(self, seconds: float) -> Any:
        """The reply.

        Raises:
            WorkerError: it says what failed, or there is none. The worker is of no use then: close it.
            TooSlow: it did not come in time.
        """
        assert self._process.stdout
        timer = threading.Timer(seconds, self._process.kill)
        end = time.monotonic() + seconds
        timer.start()
        line = next((line for line in self._process.stdout if line.startswith(_REPLY)), None)
        timer.cancel()
        if line is None:
            code = self._process.wait()
            self._errors.seek(0)
            last = " ".join(self._errors.read()[-1500:].split())
            if time.monotonic() >= end:
                raise TooSlow(f"no answer in {seconds:.0f} s")
            raise WorkerError(f"the process ended with {code}: {last[-600:]}")
        reply = json.loads(line.removeprefix(_REPLY))
        if isinstance(reply, dict) and "error" in reply:
            raise WorkerError(reply["error"])
        return reply

    def ask(self, request: Any, seconds: float) -> Any:
        """The reply to a request; see :meth:`receive`."""
        self.send(request)
        return self.receive(seconds)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()


def serve(answer: Callable[[Any], Any]) -> None:
    """Answer each line on standard input; what fails is an answer, too."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:  # of libraries whose errors have no base class
            reply = {"error": one_line(error)}
        print(_REPLY + json.dumps(reply), file=replies)
