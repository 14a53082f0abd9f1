"""Benchmark worker: RETURNN's TensorFlow network, built as its engine builds it. Runs in RETURNN's environment."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

from importlib import import_module
from typing import Any

import numpy as np

from tests.benchmarks.protocol import Step, serve
from tests.benchmarks.workload import NUM_THREADS, Workload

WORK = Workload()


def _returnn(module: str) -> Any:
    """A module of RETURNN; by name, because the environment that mypy sees does not have it."""
    return import_module(f"returnn.{module}")


def _session(train: bool, batch: int) -> tuple[Any, Any, dict[Any, Any]]:
    """Builds the net in a new graph; returns the session, the network and the feed."""
    tf1 = _returnn("tf.compat").v1
    settings = _returnn("config")
    options = {"extern_data": WORK.extern_data(), "network": WORK.network(), "behavior_version": 16}
    config = settings.Config(options)
    settings.set_global_config(config)
    session = tf1.InteractiveSession(
        graph=tf1.Graph(),
        config=tf1.ConfigProto(intra_op_parallelism_threads=NUM_THREADS, inter_op_parallelism_threads=NUM_THREADS),
    )
    network = _returnn("tf.network").TFNetwork(config=config, train_flag=train, eval_flag=train)
    network.construct_from_dict(options["network"])
    session.run(tf1.global_variables_initializer())
    data = network.extern_data.data
    inputs, classes = WORK.data(batch)
    lengths = np.full((batch,), WORK.frames, np.int32)
    feed: dict[Any, Any] = {data["data"].placeholder: inputs, data["data"].dims[1].dyn_size: lengths}
    if train:
        feed |= {data["classes"].placeholder: classes, data["classes"].dims[1].dyn_size: lengths}
    batch_dim = network.extern_data.get_batch_info().dim
    if not isinstance(batch_dim, int):
        feed[batch_dim] = batch
    return session, network, feed


def _train() -> Step:
    """Loss and the gradient of every parameter."""
    session, network, feed = _session(train=True, batch=WORK.batch)
    tf1 = _returnn("tf.compat").v1
    objective = network.get_objective()
    gradients = tf1.gradients(objective, network.get_trainable_params())
    # A number of each gradient: all are computed (TensorFlow leaves out what only a control dependency asks for), and
    # none is copied to NumPy.
    numbers = tf1.stack([tf1.reshape(gradient, [-1])[0] for gradient in gradients])

    def step() -> None:
        session.run([objective, numbers], feed)

    return step


def _forward(batch: int) -> Step:
    session, network, feed = _session(train=False, batch=batch)
    output = network.get_layer("output").output.placeholder

    def step() -> None:
        session.run(output, feed)

    return step


def _build() -> Step:
    """From the dict to the first training step done; RETURNN itself is imported before."""
    _returnn("tf.network")
    return lambda: _train()()


if __name__ == "__main__":
    serve(
        {
            "train": _train,
            "forward1": lambda: _forward(1),
            f"forward{WORK.batch}": lambda: _forward(WORK.batch),
            "build": _build,
        }
    )
