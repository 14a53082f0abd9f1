"""All that is measured on a GPU, in one run: `python -m tests.gpu.gpu_check --out FOLDER`, or `make gpu-check`.

Its parts are processes of their own, the most important first, each with its own libraries; every result is appended
to FOLDER/records.jsonl as soon as it is there, and after each part FOLDER/report.json has the goals beside the figures.
`--seconds` shares out a time for all of it; what a part does not need the next ones get. `--small --without-gpu`
runs every part on tiny models on a CPU: does the check itself work? Without a GPU it says so and succeeds.
Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.gpu.goals import goal_lines, goals
from tests.gpu.gpus import cuda_devices
from tests.gpu.part import read_records, wrong_of
from tests.gpu.workers import ROOT

__all__ = ["PARTS", "Stage", "main"]

#: Seconds that a part may take to end what it has begun, before it is ended.
GRACE = 20.0
#: Seconds without which a part is not begun.
LEAST = 3.0


@dataclass(frozen=True)
class Stage:
    """A part of the check.

    Attributes:
        module: of `tests.gpu`, and its arguments.
        library: that it needs.
        share: of the time.
    """

    name: str
    module: tuple[str, ...]
    library: str
    share: float


#: In the order of what their goals are worth.
PARTS = (
    Stage("training", ("training_check",), "tensorflow", 170),
    Stage("search", ("search_check",), "onnxruntime", 80),
    Stage("borders", ("borders_check",), "onnxruntime", 30),
    Stage("agreement", ("agreement_check",), "tensorflow", 60),
    Stage("cases", ("cases_check",), "onnxruntime", 80),
    Stage("forward", ("forward_check",), "onnxruntime", 70),
    Stage("loops", ("training_check", "--steps-at-once"), "tensorflow", 35),
    Stage("probes", ("probes_check",), "onnxruntime", 15),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 0 if all is well or there is no GPU, 1 if something is wrong. A goal that is missed is not wrong."""
    args = _arguments(argv)
    if not args.without_gpu and not cuda_devices():
        print("gpu-check: no CUDA GPU here, nothing was checked")
        return 0
    records = args.out / "records.jsonl"
    args.out.mkdir(parents=True, exist_ok=True)
    records.unlink(missing_ok=True)
    stages = [stage for stage in PARTS if stage.name in args.parts]
    end = time.monotonic() + args.seconds if args.seconds else None
    failed = []
    for place, stage in enumerate(stages):
        seconds = None
        if end is not None:
            seconds = (end - time.monotonic()) * stage.share / sum(s.share for s in stages[place:])
        if seconds is not None and seconds < LEAST:
            print(f"gpu-check: no time for {stage.name}", flush=True)
            continue
        failed += _run(stage, args, records, seconds)
        _report(args.out, records, failed)
    found = goals(read_records(records))
    wrong = [*wrong_of(read_records(records)), *failed]
    print("\n".join(["", *goal_lines(found), "", *(f"WRONG: {text}" for text in wrong)]))
    return 1 if wrong else 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="measure on a GPU")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--seconds", type=float, help="of the whole run (default: no limit)")
    names = [stage.name for stage in PARTS]
    parser.add_argument("--parts", nargs="+", choices=names, default=names, help="default: all")
    parser.add_argument("--before", type=Path, help="a folder with the sources of an older commit, for training")
    parser.add_argument("--small", action="store_true", help="tiny models: does the check itself work?")
    parser.add_argument("--without-gpu", action="store_true", help="run it on the CPU")
    parser.add_argument("--rounds", type=int, default=10, help="turns of each contestant (default %(default)s)")
    parser.add_argument("--onnx-python", default=sys.executable, help="a Python with onnxruntime-gpu, onnx and NumPy")
    parser.add_argument("--tensorflow-python", default=sys.executable, help="a Python with TensorFlow")
    args = parser.parse_args(argv)
    if args.before is not None and not (args.before / "compiler").is_dir():
        parser.error(f"--before {args.before}: there is no folder 'compiler' in it")
    return args


def _run(stage: Stage, args: argparse.Namespace, records: Path, seconds: float | None) -> list[str]:
    """Run a part; what is wrong beside its results."""
    python = args.tensorflow_python if stage.library == "tensorflow" else args.onnx_python
    if not _has(python, stage.library):
        print(f"gpu-check: {stage.library} is not here, {stage.name} was not checked", flush=True)
        return []
    command = [python, "-m", f"tests.gpu.{stage.module[0]}", *stage.module[1:], *_options(stage, args)]
    command += ["--records", str(records.resolve())]
    if seconds is not None:
        command += ["--seconds", f"{seconds:.1f}"]
    print(f"gpu-check: {stage.name}" + (f", {seconds:.0f} s" if seconds is not None else ""), flush=True)
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        code: int | None = process.wait(None if seconds is None else seconds + GRACE)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        _end(process)
    print(f"gpu-check: {stage.name} took {time.monotonic() - start:.0f} s", flush=True)
    if code is None:
        return [f"{stage.name}: ended, since it took more than {seconds:.0f} + {GRACE:.0f} s"]
    return [] if code in (0, 1) and _has_results(stage, records) else [f"{stage.name}: ended with {code}"]


def _options(stage: Stage, args: argparse.Namespace) -> Iterator[str]:
    yield from ("--rounds", str(args.rounds))
    if args.small:
        yield "--small"
    if args.without_gpu:
        yield "--without-gpu"
    if stage.name == "training" and args.before is not None:
        yield from ("--before", str(args.before.resolve()))


def _has(python: str, library: str) -> bool:
    question = f"import importlib.util as u, sys; sys.exit(u.find_spec({library!r}) is None)"
    return subprocess.run([python, "-c", question], cwd=ROOT).returncode == 0


def _has_results(stage: Stage, records: Path) -> bool:
    return any(record["part"] == stage.name for record in read_records(records))


def _end(process: subprocess.Popen[bytes]) -> None:
    """The part and its own processes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _report(out: Path, records: Path, failed: Sequence[str]) -> None:
    """The goals beside what is there so far."""
    found = read_records(records)
    machine = {"machine": platform.machine(), "processors": os.cpu_count(), "gpu": _gpu()}
    report = {**machine, "goals": [g.to_json() for g in goals(found)], "wrong": [*wrong_of(found), *failed]}
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _gpu() -> str:
    """As the driver calls it."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
