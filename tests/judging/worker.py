"""Long-lived processes that answer one request after another, and what becomes of requests on which they die."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import IO, Any

__all__ = ["Reply", "ask", "serve"]

Reply = dict[str, Any]

_ROOT = Path(__file__).resolve().parents[2]
#: A process answers so many requests; then a new one starts, as neither TensorFlow nor RETURNN forgets everything.
_REQUESTS = 150


def serve(answer: Callable[[str], Reply]) -> None:
    """Answer each line of the standard input with a line of JSON; what is printed meanwhile is lost."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with redirect_stdout(sys.stderr):
        for line in sys.stdin:
            replies.write(json.dumps(answer(line.strip())) + "\n")
            replies.flush()


def ask(command: Sequence[str], requests: Iterable[str], seconds: float) -> Iterator[tuple[str, Reply]]:
    """The reply to each request, in their order.

    A request on which the process dies, or which takes longer, is answered by ``{"died": reason}``; the next one
    goes to a new process.
    """
    process: _Process | None = None
    try:
        for request in requests:
            if process is None or process.answered >= _REQUESTS:
                if process is not None:
                    process.end()
                process = _Process(command)
            reply = process.ask(request, seconds)
            if "died" in reply:
                process.end()
                process = None
            yield request, reply
    finally:
        if process is not None:
            process.end()


class _Process:
    """A process that answers, in an empty folder: a net may write files; and a thread that waits for its lines."""

    def __init__(self, command: Sequence[str]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            command,
            cwd=self._folder.name,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.answered = 0
        assert self._process.stdout is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            self._lines.put(line)
        self._lines.put(None)

    def ask(self, request: str, seconds: float) -> Reply:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=seconds)
        except BrokenPipeError:
            line = None
        except queue.Empty:
            return {"died": f"no answer within {seconds:g} seconds"}
        self.answered += 1
        if line is None:
            return {"died": f"the process ended with exit code {self._process.wait()}"}
        reply: Reply = json.loads(line)
        return reply

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()
