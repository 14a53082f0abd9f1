"""Trains on a GPU: `python -m tests.gpu.training_check --json out.json`, or the second half of `make gpu-check`.

cuDNN's LSTM against the loops in double precision; for each model of `tests/gpu/steps.py` loss and gradients, with TF32
off, against the CPU's, where the nodes of its step run, and the step's time: TF32 off and on, and in half precision,
against the forms that a CPU has, on the same GPU, and against PyTorch, all in turn. PEER_TORCH_PYTHON names the Python
that has PyTorch. Without a GPU it says so and succeeds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from compiler.program.program import Program
from compiler.tensorflow.start import start_tensorflow
from tests.gpu.steps import JOBS, Job
from tests.gpu.tensorflow_placement import TensorFlowPlacement
from tests.gpu.worker_tensorflow import compiled, feed_of

__all__ = ["main"]

ROOT = Path(__file__).parents[2]
#: Of float32, without TF32.
KERNEL_LIMIT, MODEL_LIMIT = 1e-5, 1e-4
ROUNDS = 10
#: One process must leave the others their memory.
_MEMORY = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
#: Frames with which a model is compared with the CPU, which has to compute them, too.
COMPARED_FRAMES = 60
MODELS = tuple(dict.fromkeys(job.model for job in JOBS))


@dataclass(frozen=True)
class Contestant:
    """Who takes part.

    Attributes:
        python: that it runs with.
        words: module of the worker, and its arguments.
        models: that it has.
        precisions: that it has beside float32.
    """

    python: str
    words: tuple[str, ...]
    models: tuple[str, ...] = MODELS
    precisions: tuple[str, ...] = ()

    def has(self, job: Job) -> bool:
        """Whether it does the job."""
        return job.model in self.models and (job.precision is None or job.precision in self.precisions)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 0 if all is well or there is no GPU, 1 if something is wrong."""
    parser = argparse.ArgumentParser(description="train on a GPU")
    parser.add_argument("--without-gpu", action="store_true", help="run it on the CPU: does the check itself work?")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="steps of each contestant (default %(default)s)")
    parser.add_argument("--models", nargs="+", choices=MODELS, help="these models (default all)")
    parser.add_argument("--json", type=Path, help="write the results here")
    args = parser.parse_args(argv)
    if find_spec("tensorflow") is None:
        print("gpu-check: TensorFlow is not here, no training was checked")
        return 0
    start_tensorflow()
    import tensorflow as tf

    if not args.without_gpu and not tf.config.get_visible_devices("GPU"):
        print("gpu-check: TensorFlow lists no GPU here, no training was checked")
        return 0
    for gpu in tf.config.get_visible_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.experimental.enable_tensor_float_32_execution(False)
    device = "both" if args.without_gpu else "gpu"
    jobs = [job for job in JOBS if job.model in (args.models or MODELS)]
    kernels = {} if args.without_gpu else _kernels()
    models = {model: _model(model, device) for model in dict.fromkeys(job.model for job in jobs)}
    placements = {model: _placement(next(j for j in jobs if j.model == model), device) for model in models}
    times = _times(args.rounds, jobs, _contestants(args.without_gpu))
    wrong = [f"{name}: {d:.1e}" for name, d in kernels.items() if not d < KERNEL_LIMIT]
    wrong += [
        f"{model}, {name}: {d:.1e} from the CPU"
        for model, differences in models.items()
        for name, d in differences.items()
        if not d < MODEL_LIMIT
    ]
    print("\n".join([*_summary(kernels, models, placements), *_table(times), *wrong]))
    if args.json:
        report: dict[str, Any] = {"versions": {"tensorflow": tf.__version__, "numpy": version("numpy")}}
        report |= {"kernels": kernels, "models": models, "seconds": times}
        report["placement"] = {model: {"nodes": p.nodes, "on_cpu": p.on_cpu} for model, p in placements.items()}
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if wrong else 0


def _kernels() -> dict[str, float]:
    """The largest difference of each case, relative to the largest entry."""
    from tests.tensorflow.cudnn_cases import CASES, difference

    return {str(case): max(difference(found, expected) for _, found, expected in case.compare()) for case in CASES}


def _model(model: str, device: str) -> dict[str, float]:
    """Differences of loss and gradients from those of the CPU, relative to the largest entry of each."""
    import tensorflow as tf

    job = Job(model, COMPARED_FRAMES)
    with tf.device("CPU:0"):
        expected = _loss_and_gradients(compiled(job, "cpu"), job)
    found = _loss_and_gradients(compiled(job, device), job)
    return {name: float(np.abs(found[name] - e).max() / np.abs(e).max()) for name, e in expected.items() if e.any()}


def _loss_and_gradients(program: Program, job: Job) -> dict[str, Any]:
    executable: Any = program.executable
    results = executable.run_with_gradients(feed_of(job, program), program.initial_params())
    return {"objective": results.fetches["objective"], **results.gradients}


def _placement(job: Job, device: str) -> TensorFlowPlacement:
    command = [sys.executable, "-m", "tests.gpu.worker_tensorflow", device, job.name]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **_MEMORY}, capture_output=True, text=True, check=True)
    return TensorFlowPlacement.of_log(done.stdout)


# ---------------------------------------------------------------- time


class Worker:
    """A contestant's process, see :func:`tests.gpu.steps.serve`."""

    def __init__(self, contestant: Contestant) -> None:
        module, *arguments = contestant.words
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- closed with the worker
        self._process = subprocess.Popen(
            [contestant.python, "-m", f"tests.gpu.{module}", *arguments],
            cwd=ROOT,
            env={**os.environ, **_MEMORY},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def run(self, job: Job) -> float:
        """Seconds of one step."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(job.name + "\n")
        self._process.stdin.flush()
        reply = self._process.stdout.readline()
        if not reply:
            self._process.wait()
            self._errors.seek(0)
            raise SystemExit(f"a worker stopped\n{self._errors.read()[-3000:]}")
        return float(reply)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
        self._errors.close()


def _contestants(without_gpu: bool) -> dict[str, Contestant]:
    forms = Contestant(sys.executable, ("worker_tensorflow", "both"), ("blstm", "attention"))
    found = {"a CPU's forms": forms}
    if not without_gpu:
        ours = Contestant(sys.executable, ("worker_tensorflow", "gpu"), precisions=("bfloat16",))
        found = {"ours": ours, **found}
    if python := os.environ.get("PEER_TORCH_PYTHON"):
        models = tuple(model for model in MODELS if model != "attention")
        found["PyTorch"] = Contestant(python, ("worker_torch",), models, ("bfloat16",))
    return found


def _times(
    rounds: int, jobs: Sequence[Job], contestants: Mapping[str, Contestant]
) -> dict[str, dict[str, list[float]]]:
    """Seconds by job and contestant, who are asked in turn."""
    times: dict[str, dict[str, list[float]]] = {}
    workers = {name: Worker(contestant) for name, contestant in contestants.items()}
    for job in jobs:
        turns = {name: worker for name, worker in workers.items() if contestants[name].has(job)}
        times[job.name] = {name: [] for name in turns}
        for _ in range(rounds):
            for name, worker in turns.items():
                times[job.name][name].append(worker.run(job))
    for worker in workers.values():
        worker.close()
    return times


def _summary(
    kernels: Mapping[str, float],
    models: Mapping[str, Mapping[str, float]],
    placements: Mapping[str, TensorFlowPlacement],
) -> list[str]:
    lines = []
    if kernels:
        worst = max(kernels, key=lambda name: kernels[name])
        lines = [f"cuDNN's LSTM: {len(kernels)} cases, the largest difference is {kernels[worst]:.1e} ({worst})"]
    for model, found in models.items():
        lines += [f"{model}: loss and {len(found) - 1} gradients differ by {max(found.values()):.1e} from the CPU's"]
        lines += [f"{model}: {placements[model]}"]
    return lines


def _table(times: Mapping[str, Mapping[str, Sequence[float]]]) -> list[str]:
    lines = []
    for job, by_name in times.items():
        medians = {name: statistics.median(seconds) * 1e3 for name, seconds in by_name.items()}
        first = next(iter(medians.values()), 0.0)
        others = (f"{name} {ms:.1f} ms ({ms / first:.2f})" for name, ms in medians.items())
        if medians:
            lines.append(f"training step, {job}: {', '.join(others)}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
