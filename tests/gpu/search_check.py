"""Searches on a GPU: `python -m tests.gpu.search_check`, a part of `make gpu-check`.

The benchmark's attention model and its Transformer with a beam of 12, written as one file (a loop), in parts, and in
parts of fixed sizes, whose step is captured as a CUDA graph, in both profiles. All give the n-best lists of the one
file on the CPU, up to hypotheses of equal scores; then they take turns, and the time of a step is told.
The goal: a step of fixed sizes takes a third of the loop's, or less. Needs onnxruntime-gpu, onnx and NumPy.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from compiler.onnx.export import export
from compiler.onnx.split_export import export_split
from compiler.onnx.verification import compare_results
from compiler.program.program import Program, compile_net
from compiler.target.fixed_batch import FixedBatch
from compiler.target.protocol import Array
from returnn_ir import load
from runtime.deployment.search_driver import SearchDriver
from runtime.deployment.session import OnnxSession
from tests.benchmarks.attention import AttentionWorkload
from tests.benchmarks.transformer_search import TransformerWorkload
from tests.gpu.contest import medians
from tests.gpu.part import Part, one_line

__all__ = ["FIXED", "LOOP", "Search", "main", "searches"]

Run = Callable[[Mapping[str, Array]], dict[str, Array]]
#: Makes a contestant's files and loads them.
Make = Callable[[Path], Run]

LOOP, SPLIT, FIXED = "loop", "split", "fixed sizes"
#: A contest ends after so many seconds, once everyone had that many turns.
SECONDS, TURNS = 8.0, 3
_ALONE = 'padding = "masked"\nsearch_scores = "independent"\n'


@dataclass(frozen=True)
class Search:
    """A model and a batch.

    Attributes:
        model: what the report calls it.
        profile: of the files.
        device: that the files are loaded on.
    """

    model: str
    work: AttentionWorkload
    batch: int
    profile: str
    device: str

    @property
    def name(self) -> str:
        """For a report."""
        return f"{self.model}, {self.batch} x {self.work.frames}, {self.profile}"

    def contestants(self, whole: Program) -> dict[str, Make]:
        """By name."""
        exact = {"use_tf32": "0"} if self.device.startswith("cuda") else {}
        fixed = FixedBatch(self.batch, self.work.frames)

        def loop(folder: Path) -> Run:
            return OnnxSession(folder / "whole.onnx", self.device, exact).run

        def split(folder: Path) -> Run:
            export_split(_onnx(whole), parameters(whole), folder / "split")
            return SearchDriver(folder / "split", self.device, exact).run

        def captured(folder: Path) -> Run:
            program = self.program(fixed)
            export_split(_onnx(program), parameters(whole), folder / "fixed", fixed=program.fixed)
            return SearchDriver(folder / "fixed", self.device, exact).run

        return {LOOP: loop, FIXED: captured, SPLIT: split}

    def program(self, fixed: FixedBatch | None = None) -> Program:
        """The compiled search."""
        with tempfile.TemporaryDirectory() as folder:
            net = Path(folder, "net.py")
            net.write_text(self.work.config() + _ALONE, encoding="utf-8")
            return compile_net(
                load(net, mode="search"),
                target="onnx",
                mode="search",
                losses=False,
                profile=self.profile,
                device="cuda",
                fixed=fixed,
            )

    def feed(self) -> dict[str, Array]:
        """A ragged batch."""
        rng = np.random.default_rng(2)
        lengths = rng.integers(self.work.frames // 2, self.work.frames + 1, self.batch)
        lengths[0] = self.work.frames
        data = rng.standard_normal((self.batch, self.work.frames, self.work.inputs)).astype(np.float32)
        return {"data": data, "data/size1": lengths}


@dataclass
class Contest:
    """A search's contestants.

    Attributes:
        seconds: of each run.
        problems: what is not as in the one file on the CPU.
        errors: why somebody does not take part.
    """

    search: Search
    runs: dict[str, Run] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    problems: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def prepare(self, folder: Path) -> None:
        """Make the files, load them, and compare what they give."""
        whole = self.search.program()
        program, feed = _onnx(whole), self.search.feed()
        export(program, parameters(whole), folder / "whole.onnx")
        reference = OnnxSession(folder / "whole.onnx").run(feed)
        fetches = program.signature.fetches
        wanted = {fetch: reference[output] for fetch, output in fetches.items()}
        for name, make in self.search.contestants(whole).items():
            try:
                run = make(folder)
                found = run(feed)
                by_fetch = {fetch: found[output] for fetch, output in fetches.items() if output in found}
                told: list[str] = []
                compare_results(program, wanted, by_fetch, tuple(feed["data/size1"].tolist()), told)
            except Exception as error:  # onnxruntime's errors have no base class
                self.errors[name] = one_line(error)
                continue
            self.runs[name], self.problems[name] = run, told

    def measure(self, rounds: int) -> None:
        """Take turns; all are warm."""
        feed, start = self.search.feed(), time.monotonic()
        self.seconds = {name: [] for name in self.runs}
        for turn in range(rounds):
            if turn >= TURNS and time.monotonic() - start > SECONDS:
                break
            for name, run in self.runs.items():
                begun = time.perf_counter()
                run(feed)
                self.seconds[name].append(time.perf_counter() - begun)

    def ms_per_step(self) -> dict[str, float]:
        """The median, by contestant."""
        return {name: s * 1e3 / self.search.work.frames for name, s in medians(self.seconds).items()}

    def line(self) -> str:
        """For the table."""
        times = self.ms_per_step()
        base = next(iter(times.values()), 0.0)
        return f"{self.search.name}: " + ", ".join(
            f"{n} {t:.3f} ms per step ({base / t:.2f}x)" for n, t in times.items()
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 1 if hypotheses differ or something failed."""
    part = Part.of("search", Part.arguments("search on a GPU").parse_args(argv))
    for search in part.each(searches(part.small, "cpu" if part.without_gpu else "cuda"), lambda search: search.name):
        with part.kept(search.name), tempfile.TemporaryDirectory() as folder:
            contest = Contest(search)
            contest.prepare(Path(folder))
            contest.measure(part.rounds)
            wrong = [f"{search.name}: {n}: {line}" for n, lines in contest.problems.items() for line in lines]
            wrong += [f"{search.name}: {n}: {text}" for n, text in contest.errors.items()]
            held = {"model": search.model, "batch": search.batch, "profile": search.profile}
            times = {"ms_per_step": contest.ms_per_step(), "seconds": contest.seconds}
            part.record(contest.line(), name=search.name, **held, **times, wrong=wrong)
    return part.exit_code()


def searches(small: bool, device: str) -> list[Search]:
    """What has a goal first."""
    if small:
        tiny = AttentionWorkload(units=32, inputs=8, labels=30, beam_size=4, frames=8)
        return [Search("attention", tiny, 3, profile, device) for profile in ("portable", "onnxruntime")]
    models = {"attention": AttentionWorkload(), "transformer": TransformerWorkload(frames=30)}
    profiles = ("portable", "onnxruntime")
    return [Search(m, models[m], n, p, device) for n in (1, 20) for p in profiles for m in models]


def parameters(program: Program) -> dict[str, Array]:
    """Random ones: nearly no hypothesis ends before the longest possible output."""
    rng = np.random.default_rng(1)
    shapes = {name: [d.require_size(None) for d in param.dims] for name, param in program.params.items()}
    return {name: (rng.standard_normal(shape) * 0.1).astype(np.float32) for name, shape in shapes.items()}


def _onnx(program: Program) -> Any:
    return program.executable


if __name__ == "__main__":
    sys.exit(main())
