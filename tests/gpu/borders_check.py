"""What the models that people use copy between host and device: `python -m tests.gpu.borders_check`.

A part of `make gpu-check`: encoders and searches in both profiles, as a session on the GPU has them, and as we count
them. Needs onnxruntime-gpu, onnx and NumPy; without a GPU there is only the count.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from compiler.onnx.placement import count_borders
from tests.benchmarks.attention import AttentionWorkload
from tests.benchmarks.transformer_search import TransformerWorkload
from tests.gpu.assigned import assigned
from tests.gpu.borders import differences
from tests.gpu.forward_check import PROFILES
from tests.gpu.goals import MEMCPY
from tests.gpu.part import Part
from tests.gpu.provider import preload
from tests.gpu.steps import SMALL_FRAMES, Job
from tests.gpu.worker_onnx import exported

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 1 if something is wrong."""
    part = Part.of("borders", Part.arguments("copies between host and device").parse_args(argv))
    preload(part.provider)
    for model, profile in part.each([(model, profile) for model in MEMCPY for profile in PROFILES], ", ".join):
        with part.kept(f"{model}, {profile}"):
            _borders(part, model, profile)
    return part.exit_code()


def _borders(part: Part, model: str, profile: str) -> None:
    mode = "search" if model.endswith("search") else "forward"
    _, exported_model = exported(_config(model, part.small), profile, mode)
    counted = count_borders(exported_model)
    number, steps, wrong = len(counted.copies), counted.copies_in_loops(), []
    told = "by our count"
    if not part.without_gpu:
        real = assigned(exported_model.SerializeToString())
        number, steps, told = len(real.copies), sum(bool(copy.body) for copy in real.copies), "in the session"
        wrong = [f"{model}, {profile}: not as counted: {line}" for line in differences(counted, real)]
    line = f"{model}, {profile}: {number} Memcpy {told}, {steps} of them in bodies; limit {MEMCPY[model]}"
    nodes = [counted.on_device, len(counted.on_host)]
    held = {"model": model, "profile": profile, "memcpy": number, "in_bodies": steps, "nodes": nodes}
    part.record(line, **held, real=not part.without_gpu, wrong=wrong)


def _config(model: str, small: bool) -> str:
    if model == "attention search":
        return (AttentionWorkload(units=8, labels=10) if small else AttentionWorkload()).config()
    if model == "transformer search":
        return (TransformerWorkload(units=16, labels=10, blocks=1) if small else TransformerWorkload()).config()
    return Job(model, SMALL_FRAMES, sequences=1, forward=True, small=small).config()


if __name__ == "__main__":
    sys.exit(main())
