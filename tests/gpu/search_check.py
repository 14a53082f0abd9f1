"""Searches on a GPU: `python -m tests.gpu.search_check --json out.json`, or a part of `make gpu-check`.

The benchmark's attention model with a beam of 12, written as one file (a loop), in parts, and in parts of fixed sizes,
whose step is captured as a CUDA graph. All give the n-best lists of the one file on the CPU, up to hypotheses of equal
scores; then they take turns, and the time of a step is told. The goal: a step of fixed sizes takes a third of the
loop's, or less.
Needs onnxruntime-gpu, onnx and NumPy. Without a GPU it says so and succeeds; `--device cpu` runs the same on the CPU.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compiler.onnx.export import export
from compiler.onnx.program import OnnxProgram
from compiler.onnx.split_export import export_split
from compiler.onnx.verification import compare_results
from compiler.program.program import Program, compile_net
from compiler.target.fixed_batch import FixedBatch
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.errors import UserError
from runtime.deployment.search_driver import SearchDriver
from runtime.deployment.session import OnnxSession
from tests.benchmarks.attention import AttentionWorkload
from tests.gpu.provider import cuda_devices

__all__ = ["BEAM_12", "SMALL", "Contest", "main"]

Run = Callable[[Mapping[str, Array]], dict[str, Array]]

#: The benchmark's model, and one in which a step is nothing but its launches.
BEAM_12, SMALL = AttentionWorkload(), AttentionWorkload(units=32, inputs=8, labels=30, beam_size=4)
MODELS = {"beam 12": BEAM_12, "small": SMALL}
#: How many times faster than the loop a captured step has to be.
GOAL = 3.0
_ALONE = 'padding = "masked"\nsearch_scores = "independent"\n'


@dataclass(frozen=True)
class Contest:
    """A model and a batch.

    Attributes:
        seconds: of each search, by contestant.
        problems: what is not as in the one file on the CPU.
        steps: of the search.
    """

    name: str
    seconds: Mapping[str, Sequence[float]]
    problems: Sequence[str]
    steps: int

    def ms_per_step(self) -> dict[str, float]:
        """The median, by contestant."""
        return {name: statistics.median(held) * 1e3 / self.steps for name, held in self.seconds.items()}

    def line(self) -> str:
        """For the table."""
        times = self.ms_per_step()
        loop = times["loop"]
        return f"{self.name}: " + ", ".join(f"{n} {t:.3f} ms per step ({loop / t:.2f}x)" for n, t in times.items())


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 0 if all is well or there is no GPU, 1 if hypotheses differ, 2 if the device does not load."""
    parser = argparse.ArgumentParser(description="search on a GPU")
    parser.add_argument("--device", default="cuda", help="cpu, cuda or cuda:NUMBER (default %(default)s)")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS), help="default: all")
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 20], help="sequences (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=20, help="searches of each contestant (default %(default)s)")
    parser.add_argument("--json", type=Path, help="write the results here")
    args = parser.parse_args(argv)
    if args.device.startswith("cuda") and not cuda_devices():
        print("gpu-check: no CUDA GPU here, no search was checked")
        return 0
    try:
        contests = [_contest(args, name, batch) for name in args.models for batch in args.batches]
    except UserError as error:
        print(f"gpu-check: {error}", file=sys.stderr)
        return 2
    print("\n".join(contest.line() for contest in contests))
    print(f"goal on a GPU: fixed sizes {GOAL:.0f}x")
    problems = [f"{contest.name}: {problem}" for contest in contests for problem in contest.problems]
    print("\n".join(problems), end="\n" if problems else "")
    if args.json:
        rows = [{"name": c.name, "ms_per_step": c.ms_per_step(), "problems": list(c.problems)} for c in contests]
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps({"device": args.device, "searches": rows}, indent=1) + "\n", encoding="utf-8")
    return 1 if problems else 0


def _contest(args: argparse.Namespace, name: str, batch: int) -> Contest:
    work = MODELS[name]
    with tempfile.TemporaryDirectory() as folder:
        program, expected, runs = _prepared(work, batch, Path(folder), args.device)
        feed = _feed(work, batch)
        reference, problems = expected(feed), []
        fetches = program.signature.fetches
        for contestant, run in runs.items():
            found = run(feed)
            by_fetch = {fetch: found[output] for fetch, output in fetches.items() if output in found}
            told: list[str] = []
            wanted = {fetch: reference[output] for fetch, output in fetches.items()}
            compare_results(program, wanted, by_fetch, tuple(feed["data/size1"].tolist()), told)
            problems += [f"{contestant}: {line}" for line in told]
        seconds = _alternating(runs, feed, args.rounds)
    return Contest(f"{name}, {batch} x {work.frames}", seconds, problems, work.frames)


def _prepared(
    work: AttentionWorkload, batch: int, folder: Path, device: str
) -> tuple[OnnxProgram, Run, dict[str, Run]]:
    """The whole program, its one file on the CPU, and the contestants."""
    whole, fixed = _program(work, folder, None), _program(work, folder, FixedBatch(batch, work.frames))
    params = _parameters(whole)
    program: Any = whole.executable
    export(program, params, folder / "whole.onnx")
    export_split(program, params, folder / "split")
    padded: Any = fixed.executable
    export_split(padded, params, folder / "fixed", fixed=fixed.fixed)
    exact = {"use_tf32": "0"} if device.startswith("cuda") else {}
    runs: dict[str, Run] = {
        "loop": OnnxSession(folder / "whole.onnx", device, exact).run,
        "split": SearchDriver(folder / "split", device, exact).run,
        "fixed sizes": SearchDriver(folder / "fixed", device, exact).run,
    }
    return program, OnnxSession(folder / "whole.onnx").run, runs


def _program(work: AttentionWorkload, folder: Path, fixed: FixedBatch | None) -> Program:
    net = folder / "net.py"
    net.write_text(work.config() + _ALONE, encoding="utf-8")
    return compile_net(load(net, mode="search"), target="onnx", mode="search", losses=False, fixed=fixed)


def _parameters(program: Program) -> dict[str, Array]:
    """Random ones: nearly no hypothesis ends before the longest possible output."""
    rng = np.random.default_rng(1)
    shapes = {name: [d.require_size(None) for d in param.dims] for name, param in program.params.items()}
    return {name: (rng.standard_normal(shape) * 0.1).astype(np.float32) for name, shape in shapes.items()}


def _feed(work: AttentionWorkload, batch: int) -> dict[str, Array]:
    rng = np.random.default_rng(2)
    lengths = rng.integers(work.frames // 2, work.frames + 1, batch)
    lengths[0] = work.frames
    data = rng.standard_normal((batch, work.frames, work.inputs)).astype(np.float32)
    return {"data": data, "data/size1": lengths}


def _alternating(runs: Mapping[str, Run], feed: Mapping[str, Array], rounds: int) -> dict[str, list[float]]:
    """Seconds by contestant, who take turns; all are warm."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run(feed)
            seconds[name].append(time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
