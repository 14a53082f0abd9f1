"""Our training steps: `python -m tests.gpu.worker_tensorflow DEVICE`, with kernels for `gpu`, `both` or `cpu`.

With the name of a job behind the device it does one step, and TensorFlow logs where each node of it runs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compiler.program.program import Program, compile_net
from returnn_ir import load
from tests.gpu.steps import JOBS, Job, Step, serve

__all__ = ["compiled", "feed_of"]


def compiled(job: Job, device: str | None) -> Program:
    """The job's network, for training."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.py")
        path.write_text(job.config(), encoding="utf-8")
        return compile_net(load(path), target="tf", mode="train", device=device)


def feed_of(job: Job, program: Program) -> dict[str, Any]:
    """Its batch, in the types of the program's inputs."""
    executable: Any = program.executable
    nodes = executable.inputs
    feed = job.feed(nodes)
    return {name: array.astype(executable.spec(nodes[name]).dtype.as_numpy_dtype) for name, array in feed.items()}


def _prepare(job: Job, device: str) -> Step:
    program = compiled(job, device)
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(job.tf32)
    executable: Any = program.executable
    variables = {name: tf.Variable(value) for name, value in program.initial_params().items()}
    signature = {name: executable.spec(node) for name, node in executable.inputs.items()}

    def loss_and_gradients(inputs: dict[str, Any]) -> Any:
        fetches, gradients = executable.loss_and_gradients(inputs, variables)
        # A number of each gradient: TensorFlow leaves out what only a control dependency asks for.
        return fetches["objective"], tf.stack([tf.reshape(g, [-1])[0] for g in gradients.values()])

    function = tf.function(loss_and_gradients, input_signature=[signature], autograph=False)
    feed = feed_of(job, program)

    def step() -> None:
        tf.config.experimental.enable_tensor_float_32_execution(job.tf32)
        for result in function(feed):
            result.numpy()

    return step


def _log_placement(job: Job, device: str) -> None:
    import tensorflow as tf

    tf.debugging.set_log_device_placement(True)  # before TensorFlow makes anything
    _prepare(job, device)()


def main(argv: Sequence[str]) -> None:
    """Serve steps, or log where one runs."""
    device, *names = argv
    if not names:
        serve(lambda job: _prepare(job, device))
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    _log_placement(next(job for job in JOBS if job.name == names[0]), device)


if __name__ == "__main__":
    main(sys.argv[1:])
