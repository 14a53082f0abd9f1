"""Trains on a GPU: `python -m tests.gpu.training_check --json out.json`, or the second half of `make gpu-check`.

cuDNN's LSTM against the loops in double precision; loss and gradients of the benchmark's acoustic model, with TF32 off,
against the CPU's; and the time of its step, TF32 off and on, against the loops on the same GPU and PyTorch, which take
turns. PEER_TORCH_PYTHON names the Python that has PyTorch. Without a GPU it says so and succeeds.
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
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from compiler.program.program import Program
from compiler.tensorflow.start import start_tensorflow
from tests.gpu.steps import BATCHES, Batch
from tests.gpu.worker_tensorflow import compiled, feed_of

__all__ = ["main"]

ROOT = Path(__file__).parents[2]
#: Of float32, without TF32.
KERNEL_LIMIT, MODEL_LIMIT = 1e-5, 1e-4
ROUNDS = 10
#: Who takes part, by module and arguments.
_OURS = {"ours": ("worker_tensorflow", "gpu"), "our loops": ("worker_tensorflow", "both")}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 0 if all is well or there is no GPU, 1 if something is wrong."""
    parser = argparse.ArgumentParser(description="train on a GPU")
    parser.add_argument("--without-gpu", action="store_true", help="run it on the CPU: does the check itself work?")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="steps of each contestant (default %(default)s)")
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
    kernels = {} if args.without_gpu else _kernels()
    model = _model("both" if args.without_gpu else "gpu")
    times = _times(args.rounds, _contestants(args.without_gpu))
    wrong = [f"{name}: {d:.1e}" for name, d in kernels.items() if not d < KERNEL_LIMIT]
    wrong += [f"{name}: {d:.1e} from the CPU" for name, d in model.items() if not d < MODEL_LIMIT]
    print("\n".join([*_summary(kernels, model), *_table(times), *wrong]))
    if args.json:
        report = {"versions": {"tensorflow": tf.__version__, "numpy": version("numpy")}}
        report |= {"kernels": kernels, "model": model, "seconds": times}
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if wrong else 0


def _kernels() -> dict[str, float]:
    """The largest difference of each case, relative to the largest entry."""
    from tests.tensorflow.cudnn_cases import CASES, difference

    return {str(case): max(difference(found, expected) for _, found, expected in case.compare()) for case in CASES}


def _model(device: str) -> dict[str, float]:
    """Differences of loss and gradients from those of the CPU, relative to the largest entry of each."""
    import tensorflow as tf

    batch = BATCHES[0]
    with tf.device("CPU:0"):
        expected = _loss_and_gradients(compiled(batch.work, "cpu"), batch)
    found = _loss_and_gradients(compiled(batch.work, device), batch)
    return {name: float(np.abs(found[name] - e).max() / np.abs(e).max()) for name, e in expected.items()}


def _loss_and_gradients(program: Program, batch: Batch) -> dict[str, Any]:
    executable: Any = program.executable
    results = executable.run_with_gradients(feed_of(batch, program), program.initial_params())
    return {"objective": results.fetches["objective"], **results.gradients}


# ---------------------------------------------------------------- time


class Worker:
    """A contestant's process, see :func:`tests.gpu.steps.serve`."""

    def __init__(self, python: str, module: str, *arguments: str, env: Mapping[str, str]) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- closed with the worker
        self._process = subprocess.Popen(
            [python, "-m", f"tests.gpu.{module}", *arguments],
            cwd=ROOT,
            env={**os.environ, **env},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def run(self, batch: Batch) -> float:
        """Seconds of one step."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(batch.name + "\n")
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


def _contestants(without_gpu: bool) -> dict[str, Worker]:
    # one process must leave the others their memory
    env = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    ours = {"our loops": _OURS["our loops"]} if without_gpu else _OURS
    workers = {name: Worker(sys.executable, *words, env=env) for name, words in ours.items()}
    if python := os.environ.get("PEER_TORCH_PYTHON"):
        workers["PyTorch"] = Worker(python, "worker_torch", env=env)
    return workers


def _times(rounds: int, workers: Mapping[str, Worker]) -> dict[str, dict[str, list[float]]]:
    """Seconds by batch and contestant, who are asked in turn."""
    times: dict[str, dict[str, list[float]]] = {}
    for batch in BATCHES:
        times[batch.name] = {name: [] for name in workers}
        for _ in range(rounds):
            for name, worker in workers.items():
                times[batch.name][name].append(worker.run(batch))
    for worker in workers.values():
        worker.close()
    return times


def _summary(kernels: Mapping[str, float], model: Mapping[str, float]) -> list[str]:
    lines = [f"3 BLSTM layers: loss and {len(model) - 1} gradients differ by {max(model.values()):.1e} from the CPU's"]
    if kernels:
        worst = max(kernels, key=lambda name: kernels[name])
        lines.insert(0, f"cuDNN's LSTM: {len(kernels)} cases, the largest difference is {kernels[worst]:.1e} ({worst})")
    return lines


def _table(times: Mapping[str, Mapping[str, Sequence[float]]]) -> list[str]:
    lines = []
    for batch, by_name in times.items():
        medians = {name: statistics.median(seconds) * 1e3 for name, seconds in by_name.items()}
        first = next(iter(medians.values()))
        others = (f"{name} {ms:.1f} ms ({ms / first:.2f})" for name, ms in medians.items())
        lines.append(f"training step, 40 x {batch}: {', '.join(others)}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
