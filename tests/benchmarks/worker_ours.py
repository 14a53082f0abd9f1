"""Benchmark worker: this compiler. TensorFlow for training, onnxruntime for the forward pass."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import compiler
import returnn_ir
from compiler.target.protocol import Array
from returnn_ir.construct.state import EPOCH_STEP
from tests.benchmarks.attention import AttentionWorkload
from tests.benchmarks.encoders import ENCODERS, FORWARD_BATCHES, TRAINING_BATCH, TRAINING_FRAMES
from tests.benchmarks.protocol import FIRST_STEP, Step, serve
from tests.benchmarks.real_nets import REAL_NETS, RealNet
from tests.benchmarks.transformer_search import TransformerWorkload
from tests.benchmarks.workload import NUM_THREADS, Workload, deep_config

WORK = Workload()
ATTENTION = AttentionWorkload()
#: Of ONNX files: with onnxruntime's own operators.
PROFILE = "onnxruntime"


def _file(folder: str, text: str) -> Path:
    path = Path(folder, "net.py")
    path.write_text(text, encoding="utf-8")
    return path


def _feed(batch: int, names: list[str]) -> dict[str, Any]:
    inputs, classes = WORK.data(batch)
    lengths = np.full((batch,), WORK.frames, np.int64)
    feed = {"data": inputs, "data/size1": lengths, "classes": classes, "classes/size1": lengths}
    return {name: feed[name] for name in names}


def _train() -> Step:
    """Loss and the gradient of every parameter, as a training computes them; no optimizer, like the peers."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(NUM_THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(NUM_THREADS)
    return _train_step()


def _training_function(config: str) -> tuple[Any, compiler.Program]:
    """The function inputs -> objective and gradients, which `get_concrete_function` or a call traces."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        net = returnn_ir.load(_file(folder, config))
    program = compiler.compile(net, target="tf", mode="train")
    executable: Any = program.executable
    variables = {name: tf.Variable(value) for name, value in program.initial_params().items()}
    signature = {name: executable.spec(node) for name, node in executable.inputs.items()}

    def loss_and_gradients(inputs: dict[str, Any]) -> Any:
        fetches, gradients = executable.loss_and_gradients(inputs, variables)
        # A number of each gradient, as for RETURNN: TensorFlow leaves out what only a control dependency asks for.
        return fetches["objective"], tf.stack([tf.reshape(g, [-1])[0] for g in gradients.values()])

    return tf.function(loss_and_gradients, input_signature=[signature], autograph=False), program


def _train_step() -> Step:
    function, program = _training_function(WORK.config())
    return _stepper(function, program, _feed(WORK.batch, program.input_names()))


def _train_attention() -> Step:
    """As `_train`, of the attention model."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(NUM_THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(NUM_THREADS)
    function, program = _training_function(ATTENTION.config())
    inputs, lengths = ATTENTION.batches()[0]
    labels, label_lengths = ATTENTION.targets()
    feed = {"data": inputs, "data/size1": lengths, "classes": labels, "classes/size1": label_lengths}
    return _stepper(function, program, feed)


def _train_encoder(name: str) -> Step:
    """As `_train`, of an encoder, on shorter sequences than its forward pass."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(NUM_THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(NUM_THREADS)
    net = replace(ENCODERS[name], batch=TRAINING_BATCH, frames=TRAINING_FRAMES)
    function, program = _training_function(net.config())
    return _stepper(function, program, net.feed(program.input_names()))


def _stepper(function: Any, program: compiler.Program, arrays: dict[str, Any]) -> Step:
    executable: Any = program.executable
    feed = {
        name: value.astype(executable.spec(executable.inputs[name]).dtype.as_numpy_dtype)
        for name, value in arrays.items()
    }

    def step() -> None:
        for result in function(feed):
            result.numpy()

    return step


def _session(config: str, **options: Any) -> Any:
    """Exports the net of a config, untrained; returns the onnxruntime session."""
    import onnxruntime

    session_options = onnxruntime.SessionOptions()
    session_options.intra_op_num_threads = NUM_THREADS
    with tempfile.TemporaryDirectory() as folder:
        program = compiler.compile(returnn_ir.load(_file(folder, config)), target="onnx", losses=False, **options)
        executable: Any = program.executable
        model = Path(folder, "model.onnx")
        executable.save(model, program.initial_params())
        return onnxruntime.InferenceSession(str(model), session_options, providers=["CPUExecutionProvider"])


def _forward(batch: int) -> Step:
    session = _session(WORK.config())
    feed = _feed(batch, [i.name for i in session.get_inputs()])

    def step() -> None:
        session.run(None, feed)

    return step


def _encode(name: str, batch: int, **options: Any) -> Step:
    """The posteriors of an encoder."""
    net = replace(ENCODERS[name], batch=batch)
    session = _session(net.config(), **options)
    feed = net.feed([i.name for i in session.get_inputs()])

    def step() -> None:
        session.run(None, feed)

    return step


def _build() -> Step:
    """From the config file to the first training step done; TensorFlow and the compiler are imported before."""
    import tensorflow as tf

    import compiler.tensorflow.target  # noqa: F401

    tf.config.threading.set_intra_op_parallelism_threads(NUM_THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(NUM_THREADS)
    return lambda: _train_step()()


def _first_step(net: RealNet) -> Step:
    """From the config file to the first update of the weights done; all of our modules are imported before."""
    from compiler.tensorflow.start import start_tensorflow
    from returnn_ir.ir.op import all_ops
    from returnn_ir.network.layer_registry import layer_names
    from returnn_ir.network.loss_registry import loss_names

    start_tensorflow()
    import tensorflow as tf

    import compiler.tensorflow.target  # noqa: F401
    from runtime.model.steps import Steps
    from runtime.model.variables import Variables
    from runtime.optimizers import Optimizer

    layer_names(), loss_names(), all_ops()  # registries import when they are first asked
    tf.config.threading.set_intra_op_parallelism_threads(NUM_THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(NUM_THREADS)
    feed: dict[str, Array] = {EPOCH_STEP: np.asarray(0)}
    for key, (values, lengths) in net.arrays().items():
        feed |= {key: values, f"{key}/size1": lengths}

    def step() -> None:
        with tempfile.TemporaryDirectory() as folder:
            steps = Steps(Variables(seed=1), Optimizer.create(net.options()))
            steps.train(returnn_ir.load(_file(folder, net.config())))(feed, net.learning_rate)

    return step


def _graph() -> Step:
    """From the config file to the traced graph of loss and gradients; the warm-up has imported everything."""

    def step() -> None:
        function, _ = _training_function(ATTENTION.config())
        function.get_concrete_function()

    return step


def _search(work: AttentionWorkload, **options: Any) -> Step:
    """All sentences, with the single ONNX file."""
    session = _session(work.config(), mode="search", fetch=["decision"], **options)
    feeds = [{"data": inputs, "data/size1": lengths} for inputs, lengths in work.batches()]

    def step() -> None:
        for feed in feeds:
            labels, *_ = session.run(None, feed)
            assert labels.shape[0] == work.batch

    return step


def _check() -> Step:
    """`returnn-compile net.py` as a process of its own, for a net of 50 layers."""
    folder = tempfile.TemporaryDirectory()
    path = _file(folder.name, deep_config())
    command = [sys.executable, "-m", "compiler.cli", str(path)]

    def step(folder: tempfile.TemporaryDirectory[str] = folder) -> None:  # keeps the folder until the end
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    return step


if __name__ == "__main__":
    tasks: dict[str, Callable[[], Step]] = {
        "train": _train,
        "forward1": lambda: _forward(1),
        f"forward{WORK.batch}": lambda: _forward(WORK.batch),
        "build": _build,
        "attention": _train_attention,
        "graph": _graph,
        "search": lambda: _search(ATTENTION),
        "search_transformer": lambda: _search(TransformerWorkload()),
        f"search_transformer:{PROFILE}": lambda: _search(TransformerWorkload(), profile=PROFILE),
        "check": _check,
        **{f"train_{name}": partial(_train_encoder, name) for name in ENCODERS},
        **{f"{name}{batch}": partial(_encode, name, batch) for name in ENCODERS for batch in FORWARD_BATCHES},
        **{
            f"{name}{batch}:{PROFILE}": partial(_encode, name, batch, profile=PROFILE)
            for name in ENCODERS
            for batch in FORWARD_BATCHES
        },
        **{FIRST_STEP + name: partial(_first_step, net) for name, net in REAL_NETS.items()},
    }
    serve(tasks)
