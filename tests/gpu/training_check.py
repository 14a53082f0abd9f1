"""Times of training steps on a GPU: `python -m tests.gpu.training_check`, a part of `make gpu-check`.

For each job of `tests/gpu/steps.py` ours, the forms that a CPU has on the same GPU, PyTorch (PEER_TORCH_PYTHON names
its Python), and ours of an older commit (`--before`, a folder with its sources), all in turn. With `--steps-at-once`
how many steps of a loop are best one turn of TensorFlow's, and what it costs the first step. Needs TensorFlow.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.gpu.contest import Contestant, Crew
from tests.gpu.part import Part
from tests.gpu.steps import LOOPS, MODELS, SMALL_FRAMES, training_jobs

__all__ = ["AT_ONCE", "BEFORE", "FORMS_OF_A_CPU", "OURS", "TORCH", "contestants", "main", "torch_contestant"]

OURS, BEFORE, FORMS_OF_A_CPU, TORCH = "ours", "before", "a CPU's forms", "PyTorch"
#: Steps that are one turn of a loop.
AT_ONCE = (4, 1, 2, 8)
#: What has other forms on a CPU.
_RECURRENT = ("blstm", "attention", "gru")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 1 if something failed."""
    parser = Part.arguments("training steps on a GPU")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="these models (default all)")
    parser.add_argument("--before", type=Path, help="a folder with the sources of an older commit")
    parser.add_argument("--steps-at-once", action="store_true", help="compare numbers of steps per turn of a loop")
    args = parser.parse_args(argv)
    part = Part.of("loops" if args.steps_at_once else "training", args)
    if args.steps_at_once:
        jobs = [replace(job, frames=SMALL_FRAMES, small=True) if part.small else job for job in LOOPS]
        crew = Crew(at_once(part.without_gpu))
    else:
        jobs = training_jobs(part.small)
        crew = Crew(contestants(part.without_gpu, args.before))
    try:
        for job in part.each([job for job in jobs if job.model in args.models], lambda job: job.name):
            crew.contest(part, job)
    finally:
        crew.close()
    return part.exit_code()


def contestants(without_gpu: bool, before: Path | None) -> dict[str, Contestant]:
    """Who is there."""
    device = "both" if without_gpu else "gpu"
    found = {OURS: Contestant(_command(device), precisions=("bfloat16",))}
    if python := torch_python():
        found[TORCH] = torch_contestant(python, without_gpu)
    if before is not None:
        found[BEFORE] = Contestant(_command(device, "--sources", str(before.resolve())))
    if not without_gpu:
        found[FORMS_OF_A_CPU] = Contestant(_command("both"), _RECURRENT)
    return found


def at_once(without_gpu: bool) -> Mapping[str, Contestant]:
    """The same with several numbers of steps per turn."""
    device = "both" if without_gpu else "gpu"
    return {f"{n} at once": Contestant(_command(device, "--steps-at-once", str(n))) for n in AT_ONCE}


def torch_python() -> str | None:
    """The Python that has PyTorch."""
    return os.environ.get("PEER_TORCH_PYTHON")


def torch_contestant(python: str, without_gpu: bool) -> Contestant:
    """PyTorch, which has no counterpart of the attention model."""
    models = [model for model in MODELS if model != "attention"]
    return Contestant(
        [python, "-m", "tests.gpu.worker_torch", "cpu" if without_gpu else "cuda"], models, ("bfloat16", "float16")
    )


def _command(device: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "tests.gpu.worker_tensorflow", device, *options]


if __name__ == "__main__":
    sys.exit(main())
