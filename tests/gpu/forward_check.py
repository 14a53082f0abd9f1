"""Times of encoders' forward pass on a GPU: `python -m tests.gpu.forward_check`, a part of `make gpu-check`.

onnxruntime in both profiles and PyTorch (PEER_TORCH_PYTHON names its Python), one sequence and forty, float32, TF32 and
half precision, all in turn. Needs onnxruntime-gpu, onnx and NumPy.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.gpu.contest import Contestant, Crew
from tests.gpu.part import Part
from tests.gpu.steps import forward_jobs
from tests.gpu.training_check import TORCH, torch_contestant, torch_python

__all__ = ["PROFILES", "main"]

PROFILES = ("onnxruntime", "portable")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 1 if something failed."""
    part = Part.of("forward", Part.arguments("encoders' forward pass on a GPU").parse_args(argv))
    ours = [sys.executable, "-m", "tests.gpu.worker_onnx", part.provider]
    contestants = {profile: Contestant([*ours, profile], precisions=("float16",)) for profile in PROFILES}
    if python := torch_python():
        contestants[TORCH] = torch_contestant(python, part.without_gpu)
    crew = Crew(contestants)
    try:
        for job in part.each(forward_jobs(part.small), lambda job: job.name):
            crew.contest(part, job)
    finally:
        crew.close()
    return part.exit_code()


if __name__ == "__main__":
    sys.exit(main())
