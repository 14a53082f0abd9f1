"""Our training steps: `python -m tests.gpu.worker_tensorflow DEVICE`, with kernels for `gpu`, `both` or `cpu`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from compiler.program.program import Program, compile_net
from returnn_ir import load
from tests.benchmarks.workload import Workload
from tests.gpu.steps import Batch, Step, serve

__all__ = ["compiled", "feed_of"]


def compiled(work: Workload, device: str | None) -> Program:
    """The benchmark's acoustic model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.py")
        path.write_text(work.config(), encoding="utf-8")
        return compile_net(load(path), target="tf", mode="train", device=device)


def feed_of(batch: Batch, program: Program) -> dict[str, Any]:
    """A batch by the names of the program's inputs."""
    inputs, classes = batch.work.data()
    lengths = batch.lengths()
    feed: dict[str, Any] = {"data": inputs, "data/size1": lengths, "classes": classes, "classes/size1": lengths}
    executable: Any = program.executable
    nodes = executable.inputs
    return {name: feed[name].astype(executable.spec(node).dtype.as_numpy_dtype) for name, node in nodes.items()}


def _prepare(batch: Batch) -> Step:
    program = compiled(batch.work, sys.argv[1])
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(batch.tf32)
    executable: Any = program.executable
    variables = {name: tf.Variable(value) for name, value in program.initial_params().items()}
    signature = {name: executable.spec(node) for name, node in executable.inputs.items()}

    def loss_and_gradients(inputs: dict[str, Any]) -> Any:
        fetches, gradients = executable.loss_and_gradients(inputs, variables)
        # A number of each gradient: TensorFlow leaves out what only a control dependency asks for.
        return fetches["objective"], tf.stack([tf.reshape(g, [-1])[0] for g in gradients.values()])

    function = tf.function(loss_and_gradients, input_signature=[signature], autograph=False)
    feed = feed_of(batch, program)

    def step() -> None:
        tf.config.experimental.enable_tensor_float_32_execution(batch.tf32)
        for result in function(feed):
            result.numpy()

    return step


if __name__ == "__main__":
    serve(_prepare)
