"""Our forward steps in onnxruntime: `python -m tests.gpu.worker_onnx PROVIDER PROFILE`.

Inputs and outputs are where the model runs, as PyTorch's are. Needs onnxruntime-gpu, onnx and NumPy.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from compiler.onnx.program import OnnxProgram
from compiler.program.program import compile_net
from returnn_ir import load
from returnn_ir.errors import TargetError
from tests.gpu.half import half_feeds, half_model
from tests.gpu.provider import CUDA, ProviderSession, preload
from tests.gpu.steps import Job, Step, serve_steps

__all__ = ["exported"]


def exported(config: str, profile: str, mode: str = "forward") -> tuple[OnnxProgram, Any]:
    """The program of a config, and its ONNX model with untrained parameters, for a GPU."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.py")
        path.write_text(config, encoding="utf-8")
        program = compile_net(load(path), target="onnx", mode=mode, losses=False, profile=profile, device="cuda")
    if not isinstance(program.executable, OnnxProgram):
        raise TargetError("not an ONNX program", received=program.target)
    return program.executable, program.executable.model(program.initial_params())


def _prepare(job: Job, provider: str, profile: str) -> Step:
    import onnxruntime

    program, model = exported(job.config(), profile)
    options: dict[str, Any] = {"use_tf32": str(int(job.tf32))} if provider == CUDA else {}
    whole = job.precision is None
    session = ProviderSession(model if whole else half_model(model), provider, **options).session
    names = {i.name for i in session.get_inputs()}
    feeds = program.feeds(session, job.feed(names))
    device = "cuda" if provider == CUDA else "cpu"
    binding = session.io_binding()
    for name, value in (feeds if whole else half_feeds(feeds)).items():
        binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(value), device))
    for output in session.get_outputs():
        binding.bind_output(output.name, device)

    def step() -> None:
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()

    return step


def main(provider: str, profile: str) -> None:
    """Serve steps."""
    preload(provider)
    serve_steps(lambda job: _prepare(job, provider, profile))


if __name__ == "__main__":
    main(*sys.argv[1:])
