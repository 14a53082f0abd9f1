"""Training on a GPU gives the CPU's numbers: `python -m tests.gpu.agreement_check`, a part of `make gpu-check`.

Loss and gradients of each model, TF32 off, against the CPU's; where the nodes of its step run; cuDNN's LSTM against the
loops in double precision. Needs TensorFlow.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from compiler.program.program import Program
from compiler.tensorflow.start import start_tensorflow
from tests.gpu.goals import AGREEMENT, KERNELS
from tests.gpu.part import Part
from tests.gpu.steps import MODELS, SMALL_FRAMES, Job
from tests.gpu.tensorflow_placement import TensorFlowPlacement
from tests.gpu.worker_tensorflow import compiled, feed_of, require_gpu
from tests.gpu.workers import ROOT

__all__ = ["main"]

#: With which a model is compared with the CPU, which has to compute them, too.
COMPARED_FRAMES = 60
#: Seconds that logging a placement may take.
_LIMIT = 150.0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 1 if something is wrong."""
    parser = Part.arguments("compare training on a GPU with the CPU")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="these models (default all)")
    args = parser.parse_args(argv)
    part = Part.of("agreement", args)
    start_tensorflow()
    import tensorflow as tf

    for gpu in tf.config.get_visible_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.experimental.enable_tensor_float_32_execution(False)
    device = "both" if part.without_gpu else "gpu"
    require_gpu(device)
    frames = SMALL_FRAMES if part.small else COMPARED_FRAMES
    for model in part.each(args.models):
        job = Job(model, frames, small=part.small)
        with part.kept(model):
            _model(part, job, device)
        with part.kept(f"{model}, placement"):
            _placement(part, job, device)
    if not part.without_gpu and part.left() > 0:
        _kernels(part)
    return part.exit_code()


def _model(part: Part, job: Job, device: str) -> None:
    """Differences of loss and gradients from those of the CPU, relative to the largest entry of each."""
    import tensorflow as tf

    with tf.device("CPU:0"):
        expected = _loss_and_gradients(compiled(job, "cpu"), job)
    found = _loss_and_gradients(compiled(job, device), job)
    differences = {n: float(np.abs(found[n] - e).max() / np.abs(e).max()) for n, e in expected.items() if e.any()}
    worst = max(differences.values())
    line = f"{job.model}: loss and {len(differences) - 1} gradients differ by {worst:.1e} from the CPU's"
    wrong = [f"{job.model}, {n}: {d:.1e} from the CPU" for n, d in differences.items() if not d < AGREEMENT]
    part.record(line, model=job.model, differences=differences, wrong=wrong)


def _loss_and_gradients(program: Program, job: Job) -> dict[str, Any]:
    executable: Any = program.executable
    results = executable.run_with_gradients(feed_of(job, program), program.initial_params())
    return {"objective": results.fetches["objective"], **results.gradients}


def _placement(part: Part, job: Job, device: str) -> None:
    words = [device, "--log-placement", json.dumps(job.to_json())]
    command = [sys.executable, "-m", "tests.gpu.worker_tensorflow", *words]
    environment = {**os.environ, "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    seconds = part.patience(_LIMIT)
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, check=True
    )
    found = TensorFlowPlacement.of_log(done.stdout)
    part.record(f"{job.model}: {found}", model=job.model, nodes=found.nodes, on_cpu=found.on_cpu)


def _kernels(part: Part) -> None:
    """The largest difference of each case, relative to the largest entry."""
    from tests.tensorflow.cudnn_cases import CASES, difference

    found = {}
    for case in part.each(CASES):
        with part.kept(f"cuDNN's LSTM, {case}"):
            found[str(case)] = max(difference(held, expected) for _, held, expected in case.compare())
    if found:
        worst = max(found, key=lambda name: found[name])
        line = (
            f"cuDNN's LSTM: {len(found)} of {len(CASES)} cases, the largest difference is {found[worst]:.1e} ({worst})"
        )
        wrong = [f"cuDNN's LSTM, {name}: {d:.1e}" for name, d in found.items() if not d < KERNELS]
        part.record(line, kernels=found, wrong=wrong)


if __name__ == "__main__":
    sys.exit(main())
