"""Our training steps: `python -m tests.gpu.worker_tensorflow DEVICE`, with kernels for `gpu`, `both` or `cpu`.

`--sources FOLDER` takes the compiler from there, an older commit's; `--steps-at-once N` makes so many steps of a loop
one turn of TensorFlow's; `--log-placement JOB` does one step and has TensorFlow log where each node of it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.gpu.steps import Job, Step, serve_steps
from tests.gpu.workers import ROOT

if TYPE_CHECKING:
    from compiler.program.program import Program

__all__ = ["compiled", "feed_of", "require_gpu"]


def compiled(job: Job, device: str | None) -> Program:
    """The job's network, for training."""
    from compiler.program.program import compile_net
    from returnn_ir import load

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

    require_gpu(device)
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


def require_gpu(device: str) -> None:
    """Nothing is measured on a CPU by mistake.

    Raises:
        RuntimeError: kernels for a GPU, and TensorFlow lists none.
    """
    import tensorflow as tf

    if device == "gpu" and not tf.config.get_visible_devices("GPU"):
        raise RuntimeError("TensorFlow lists no GPU: CUDA's libraries are missing, or not the ones that it wants")


def _log_placement(job: Job, device: str) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    import tensorflow as tf

    tf.debugging.set_log_device_placement(True)  # before TensorFlow makes anything
    _prepare(job, device)()


def _set_steps_at_once(number: int) -> None:
    from compiler.tensorflow.device import Device

    setattr(Device, "steps_at_once", number)  # noqa: B010 -- in the place of a property


def main() -> None:
    """Serve steps, or log where one runs."""
    parser = argparse.ArgumentParser(description="training steps")
    parser.add_argument("device", choices=["cpu", "gpu", "both"])
    parser.add_argument("--sources", type=Path)
    parser.add_argument("--steps-at-once", type=int)
    parser.add_argument("--log-placement", metavar="JOB", help="a job as JSON")
    args = parser.parse_args()
    sources = args.sources.resolve() if args.sources is not None else ROOT
    sys.path.insert(0, str(sources))  # `tests` is imported already: this one stays
    import compiler.program.program

    if not Path(str(compiler.__file__)).is_relative_to(sources):
        raise SystemExit(f"{sources} has no compiler")
    if args.steps_at_once is not None:
        _set_steps_at_once(args.steps_at_once)
    if args.log_placement:
        _log_placement(Job(**json.loads(args.log_placement)), args.device)
    else:
        import tensorflow  # noqa: F401 -- not a part of the time that getting ready takes

        serve_steps(lambda job: _prepare(job, args.device))


if __name__ == "__main__":
    main()
