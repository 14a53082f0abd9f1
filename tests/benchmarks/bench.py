"""Compares this compiler with RETURNN and PyTorch: `python tests/benchmarks/bench.py --json out.json`.

The environment variables PEER_RETURNN_PYTHON and PEER_TORCH_PYTHON name the Python that has a peer; a peer without one
is left out of the table. All contestants of a task run at the same time of day: each is a process that stays warm, and
they are asked in turn (A B C, A B C, ...), so that whatever else the machine does meets them all alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.benchmarks.encoders import ENCODERS, FORWARD_BATCHES
from tests.benchmarks.protocol import FIRST_STEP
from tests.benchmarks.real_nets import REAL_NETS

ROOT = Path(__file__).parents[2]
OURS = "ours"
#: Seconds before each measurement: the threads of whoever was measured last spin for a while before they sleep.
PAUSE = 0.2


@dataclass(frozen=True)
class Task:
    """One measurement.

    Attributes:
        name: what the workers call it.
        title: what the table calls it.
        peers: who else does this.
        fresh: a process of its own for every round, for what happens once in a process.
        share: of the rounds that were asked for.
        beside: more of ours, each a line of its own: module of the worker and its name of the task, by title.
    """

    name: str
    title: str
    peers: tuple[str, ...] = ("returnn", "torch")
    fresh: bool = False
    share: float = 1.0
    beside: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def worker(self, contestant: str) -> tuple[str, str]:
        """Module and name of the task."""
        return self.beside.get(contestant, (f"worker_{contestant}", self.name))


def _encoder_tasks() -> Iterator[Task]:
    for name, net in ENCODERS.items():
        for batch in FORWARD_BATCHES:
            task = f"{name}{batch}"
            beside = {"profile onnxruntime": ("worker_ours", f"{task}:onnxruntime")}
            title = f"{net.title} forward, batch {batch}"
            yield Task(task, title, peers=("torch",), share=0.5, beside=beside)
        yield Task(f"train_{name}", f"{net.title} training step", peers=("torch",), share=0.5)


TASKS = (
    # The products are what nobody on TensorFlow can be faster than.
    Task("train", "training step", beside={"matrix products alone": ("worker_products", "train")}),
    Task("attention", "training step, attention", peers=("returnn",)),
    Task("forward1", "forward, batch 1"),
    Task("forward40", "forward, batch 40"),
    *_encoder_tasks(),
    Task("build", "dict to first step", fresh=True, share=0.2),
    *(
        Task(FIRST_STEP + name, f"dict to first step, {net.title}", fresh=True, share=0.5, peers=("returnn",))
        for name, net in REAL_NETS.items()
    ),
    Task("graph", "dict to training graph, attention", share=0.5, peers=("returnn",)),
    Task("search", "beam search of 100 sentences", share=0.2, peers=("returnn",)),
    Task(
        "search_transformer",
        "beam search, Transformer 6+6",
        share=0.2,
        peers=("returnn",),
        beside={"profile onnxruntime": ("worker_ours", "search_transformer:onnxruntime")},
    ),
    Task("check", "check of 50 layers", peers=(), share=0.5),
)


class Worker:
    """A contestant's process, see `tests/benchmarks/protocol.py`."""

    def __init__(self, python: str, module: str, task: str) -> None:
        self._name = f"{module} ({task})"
        # A file, because nobody would empty a pipe while we wait for the answer.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- closed with the worker
        self._process = subprocess.Popen(
            [python, "-m", f"tests.benchmarks.{module}", task],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        if (reply := self._read()) != "ready":
            self._fail(reply)

    def run(self) -> float:
        """Seconds of one measurement."""
        time.sleep(PAUSE)
        assert self._process.stdin
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        reply = self._read()
        if not reply:
            self._fail(reply)
        return float(reply)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
        self._errors.close()

    def _read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def _fail(self, reply: str) -> NoReturn:
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        raise SystemExit(f"{self._name} answered {reply!r}\n{self._errors.read()[-3000:]}")


def contestants() -> dict[str, str]:
    """The Python of each contestant that is there, ours first."""
    found = {OURS: sys.executable}
    for name in ("returnn", "torch"):
        if python := os.environ.get(f"PEER_{name.upper()}_PYTHON"):
            found[name] = python
    return found


def measure(task: Task, pythons: Mapping[str, str], rounds: int) -> dict[str, list[float]]:
    """Seconds by contestant, one number per round."""
    names = [*(name for name in pythons if name == OURS or name in task.peers), *task.beside]

    def start(name: str) -> Worker:
        return Worker(pythons.get(name, pythons[OURS]), *task.worker(name))

    times: dict[str, list[float]] = {name: [] for name in names}
    workers = {} if task.fresh else {name: start(name) for name in names}
    for _ in track(range(rounds), description=task.title, console=Console(stderr=True), transient=True):
        for name in names:
            worker = start(name) if task.fresh else workers[name]
            times[name].append(worker.run())
            if task.fresh:
                worker.close()
    for worker in workers.values():
        worker.close()
    return times


def summary(times: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Median and smallest time by contestant; the peers' median as a multiple of ours."""
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "median": medians,
        "min": {name: min(values) for name, values in times.items()},
        "times_ours": {name: median / medians[OURS] for name, median in medians.items() if name != OURS},
    }


def table(results: Mapping[str, Mapping[str, Any]], pythons: Mapping[str, str]) -> Table:
    """One row per task and per line beside it: median milliseconds, and how many times that a peer takes."""
    shown = Table(title="Median of alternating rounds", caption="first steps of real nets: processor time")
    shown.add_column("task", no_wrap=True)
    shown.add_column("ours", justify="right")
    peers = [name for name in pythons if name != OURS]
    for peer in peers:
        shown.add_column(peer, justify="right")
        shown.add_column(f"{peer} / ours", justify="right")
    for task in TASKS:
        if task.name not in results:
            continue
        medians = results[task.name]["median"]
        for title, own in {task.title: medians[OURS], **{f"  {name}": medians[name] for name in task.beside}}.items():
            theirs = [(medians[peer], medians[peer] / own) if peer in medians else None for peer in peers]
            cells = [text for found in theirs for text in (_cells(*found) if found else ("", ""))]
            shown.add_row(title, _ms(own), *cells)
    return shown


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def _cells(seconds: float, ratio: float) -> tuple[str, str]:
    return _ms(seconds), f"{ratio:.2f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(description="compare with RETURNN and PyTorch")
    parser.add_argument("--json", type=Path, help="write the results here")
    parser.add_argument("--rounds", type=int, default=10, help="measurements of each contestant (default %(default)s)")
    parser.add_argument("--only", nargs="+", choices=[task.name for task in TASKS], help="these tasks")
    args = parser.parse_args(argv)
    pythons = contestants()
    results = {}
    load = os.getloadavg()[0]
    for task in TASKS:
        if args.only is None or task.name in args.only:
            times = measure(task, pythons, max(1, round(args.rounds * task.share)))
            results[task.name] = {**summary(times), "seconds": times}
    Console().print(table(results, pythons))
    if load > 0.5:
        Console(stderr=True).print(
            f"Other programs used the processor (load {load:.1f} at the start). That hurts some contestants more than "
            "others, because threads wait for each other in different ways: repeat on an idle machine."
        )
    if args.json:
        machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "load": load}
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps({"machine": machine, "tasks": results}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
