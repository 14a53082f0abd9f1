"""What the parts of the check on a GPU have in common: their arguments, their time, and results that are kept at once.

Standard library only, because each part has its own libraries.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gpu.gpus import cuda_devices

__all__ = ["Part", "Record", "one_line", "read_records", "wrong_of"]

#: What a part found, one line of JSON. `part` says whose it is, `wrong` what must not be so.
Record = dict[str, Any]


@dataclass
class Part:
    """A run of one part.

    Attributes:
        name: of the part.
        small: tiny models and few of them: does the check itself work?
        without_gpu: on the CPU.
        rounds: of each contest.
        records: a file that each result is appended to as soon as it is there.
        deadline: on the monotonic clock; nothing new is begun behind it.
        found: the results so far.
    """

    name: str
    small: bool = False
    without_gpu: bool = False
    rounds: int = 10
    records: Path | None = None
    deadline: float = float("inf")
    found: list[Record] = field(default_factory=list)

    @staticmethod
    def arguments(description: str) -> argparse.ArgumentParser:
        """A parser of what every part is told."""
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--seconds", type=float, help="begin nothing new after so long (default: no limit)")
        parser.add_argument("--small", action="store_true", help="tiny models: does the check itself work?")
        parser.add_argument("--without-gpu", action="store_true", help="run it on the CPU")
        parser.add_argument("--rounds", type=int, default=10, help="turns of each contestant (default %(default)s)")
        parser.add_argument("--records", type=Path, help="append the results to this file, a line of JSON each")
        return parser

    @staticmethod
    def of(name: str, given: argparse.Namespace) -> Part:
        """A part as it was told to run. Without a GPU it says so and ends the process, successfully."""
        if not given.without_gpu and not cuda_devices():
            print(f"gpu-check: no CUDA GPU here, {name} was not checked")
            raise SystemExit(0)
        if given.records is not None:
            given.records.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + (given.seconds if given.seconds is not None else float("inf"))
        return Part(name, given.small, given.without_gpu, given.rounds, given.records, deadline)

    @property
    def provider(self) -> str:
        """onnxruntime's execution provider."""
        return "CPUExecutionProvider" if self.without_gpu else "CUDAExecutionProvider"

    def left(self) -> float:
        """Seconds."""
        return self.deadline - time.monotonic()

    def patience(self, most: float) -> float:
        """Seconds to wait for an answer: the part is ended soon behind its deadline, and has results to keep."""
        return min(most, max(2.0, self.left() + 12.0))

    def record(self, line: str, **found: Any) -> None:
        """Keep a result, and print its line if it has one."""
        held: Record = {"part": self.name, **found, "line": line}
        self.found.append(held)
        if self.records is not None:
            with self.records.open("a", encoding="utf-8") as file:
                file.write(json.dumps(held) + "\n")
        if line:
            print(f"{self.name}: {line}", flush=True)
        for problem in found.get("wrong", ()):
            print(f"{self.name}: WRONG: {problem}", flush=True)

    def each(self, items: Sequence[Any], name: Callable[[Any], str] = str) -> Iterator[Any]:
        """The items, until the time is over; which ones were left out is a result, too."""
        for place, item in enumerate(items):
            if self.left() <= 0:
                missing = [name(left) for left in items[place:]]
                self.record(f"no time for {len(missing)}: {'; '.join(missing)}"[:500], left_out=missing)
                return
            yield item

    @contextmanager
    def kept(self, what: str) -> Iterator[None]:
        """What goes wrong inside is a result, and the part goes on."""
        try:
            yield
        except Exception as error:  # of libraries whose errors have no base class
            text = f"{what}: {one_line(error)}"
            self.record(text, wrong=[text])

    def exit_code(self) -> int:
        """1 if something is wrong."""
        return 1 if wrong_of(self.found) else 0


def one_line(error: BaseException) -> str:
    """The kind of an error and its text, cut."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"


def read_records(path: Path) -> list[Record]:
    """The results in a file; a line that was cut off is left out."""
    found: list[Record] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            print(f"{path}: a line was cut off", file=sys.stderr)
    return found


def wrong_of(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What must not be so."""
    return [f"{record['part']}: {text}" for record in records for text in record.get("wrong", ())]
