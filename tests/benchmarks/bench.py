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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.benchmarks.protocol import FIRST_STEP
from tests.benchmarks.real_nets import REAL_NETS

ROOT = Path(__file__).parents[2]
OURS = "ours"
PRODUCTS = "products"
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
        products: also measure the matrix products alone, which is what nobody on TensorFlow can be faster than.
    """

    name: str
    title: str
    peers: tuple[str, ...] = ("returnn", "torch")
    fresh: bool = False
    share: float = 1.0
    products: bool = False


TASKS = (
    Task("train", "training step", products=True),
    Task("attention", "training step, attention", peers=("returnn",)),
    Task("forward1", "forward, batch 1"),
    Task("forward40", "forward, batch 40"),
    Task("build", "dict to first step", fresh=True, share=0.2),
    *(
        Task(FIRST_STEP + name, f"dict to first step, {net.title}", fresh=True, share=0.5, peers=("returnn",))
        for name, net in REAL_NETS.items()
    ),
    Task("graph", "dict to training graph, attention", share=0.5, peers=("returnn",)),
    Task("search", "beam search of 100 sentences", share=0.2, peers=("returnn",)),
    Task("check", "check of 50 layers", peers=(), share=0.5),
)


class Worker:
    """A contestant's process, see `tests/benchmarks/protocol.py`."""

    def __init__(self, contestant: str, python: str, task: Task) -> None:
        self._name = f"{contestant} ({task.name})"
        # A file, because nobody would empty a pipe while we wait for the answer.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- closed with the worker
        self._process = subprocess.Popen(
            [python, "-m", f"tests.benchmarks.worker_{contestant}", task.name],
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
    names = [name for name in pythons if name == OURS or name in task.peers]
    if task.products:
        pythons = {**pythons, PRODUCTS: pythons[OURS]}
        names.append(PRODUCTS)
    times: dict[str, list[float]] = {name: [] for name in names}
    workers = {} if task.fresh else {name: Worker(name, pythons[name], task) for name in names}
    for _ in track(range(rounds), description=task.title, console=Console(stderr=True), transient=True):
        for name in names:
            worker = Worker(name, pythons[name], task) if task.fresh else workers[name]
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
    """One row per task: median milliseconds, and how many times ours a peer takes."""
    shown = Table(title="Median of alternating rounds", caption="first steps of real nets: processor time")
    shown.add_column("task", no_wrap=True)
    shown.add_column("ours", justify="right")
    for peer in [name for name in pythons if name != OURS]:
        shown.add_column(peer, justify="right")
        shown.add_column(f"{peer} / ours", justify="right")
    for task in TASKS:
        if task.name not in results:
            continue
        result = results[task.name]
        cells = [f"{result['median'][OURS] * 1e3:.1f} ms"]
        for peer in [name for name in pythons if name != OURS]:
            there = peer in result["median"]
            cells += (
                [f"{result['median'][peer] * 1e3:.1f} ms", f"{result['times_ours'][peer]:.2f}"] if there else ["", ""]
            )
        shown.add_row(task.title, *cells)
        if PRODUCTS in result["median"]:
            shown.add_row("  matrix products alone", f"{result['median'][PRODUCTS] * 1e3:.1f} ms")
    return shown


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
