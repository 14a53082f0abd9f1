"""Benchmark worker: RETURNN's TensorFlow network, built as its engine builds it. Runs in RETURNN's environment."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from tests.benchmarks.attention import AttentionWorkload
from tests.benchmarks.protocol import FIRST_STEP, Step, serve
from tests.benchmarks.real_nets import REAL_NETS, RealNet
from tests.benchmarks.transformer_search import TransformerWorkload
from tests.benchmarks.workload import NUM_THREADS, Workload

WORK = Workload()
ATTENTION = AttentionWorkload()


def _returnn(module: str) -> Any:
    """A module of RETURNN; by name, because the environment that mypy sees does not have it."""
    return import_module(f"returnn.{module}")


def _session_of(options: dict[str, Any]) -> tuple[Any, Any]:
    """A session with a graph of its own, and the config, which is the global one now."""
    tf1, settings = _returnn("tf.compat").v1, _returnn("config")
    config = settings.Config(options)
    settings.set_global_config(config)
    session = tf1.InteractiveSession(
        graph=tf1.Graph(),
        config=tf1.ConfigProto(intra_op_parallelism_threads=NUM_THREADS, inter_op_parallelism_threads=NUM_THREADS),
    )
    return session, config


def _network(work: Workload | AttentionWorkload, *, train: bool = False, search: bool = False) -> tuple[Any, Any]:
    """Builds the net in a new graph; returns the session and the network."""
    version = work.behavior_version
    options = {"extern_data": work.extern_data(), "network": work.network(), "behavior_version": version}
    session, config = _session_of(options)
    flags = {"train_flag": train, "eval_flag": train, "search_flag": search}
    network = _returnn("tf.network").TFNetwork(config=config, **flags)
    network.construct_from_dict(options["network"])
    return session, network


def _session(train: bool, batch: int) -> tuple[Any, Any, dict[Any, Any]]:
    """The acoustic model with new weights: the session, the network and the feed."""
    session, network = _network(WORK, train=train)
    session.run(_returnn("tf.compat").v1.global_variables_initializer())
    inputs, classes = WORK.data(batch)
    lengths = np.full((batch,), WORK.frames, np.int32)
    arrays: dict[str, tuple[Any, Any]] = {"data": (inputs, lengths)}
    if train:
        arrays["classes"] = (classes, lengths)
    return session, network, _feed(network, arrays)


def _feed(network: Any, arrays: Mapping[str, tuple[Any, Any]]) -> dict[Any, Any]:
    feed: dict[Any, Any] = {}
    for key, (values, lengths) in arrays.items():
        data = network.extern_data.data[key]
        feed |= {data.placeholder: values, data.dims[1].dyn_size: lengths}
    batch_dim = network.extern_data.get_batch_info().dim
    if not isinstance(batch_dim, int):
        feed[batch_dim] = len(next(iter(arrays.values()))[0])
    return feed


def _objective_and_gradients(network: Any) -> list[Any]:
    tf1 = _returnn("tf.compat").v1
    objective = network.get_objective()
    gradients = tf1.gradients(objective, network.get_trainable_params())
    # A number of each gradient: all are computed (TensorFlow leaves out what only a control dependency asks for), and
    # none is copied to NumPy.
    return [objective, tf1.stack([tf1.reshape(gradient, [-1])[0] for gradient in gradients])]


def _train() -> Step:
    """Loss and the gradient of every parameter."""
    session, network, feed = _session(train=True, batch=WORK.batch)
    results = _objective_and_gradients(network)

    def step() -> None:
        session.run(results, feed)

    return step


def _train_attention() -> Step:
    """As `_train`, of the attention model."""
    session, network = _network(ATTENTION, train=True)
    session.run(_returnn("tf.compat").v1.global_variables_initializer())
    inputs, lengths = ATTENTION.batches()[0]
    labels, label_lengths = ATTENTION.targets()
    arrays = {"data": (inputs, lengths.astype(np.int32)), "classes": (labels, label_lengths.astype(np.int32))}
    feed = _feed(network, arrays)
    results = _objective_and_gradients(network)

    def step() -> None:
        session.run(results, feed)

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


def _first_step(net: RealNet) -> Step:
    """From the dict to the first update of the weights done; RETURNN is imported and its native ops compiled before."""
    for module in ("tf.network", "tf.updater", "tf.layers.basic", "tf.layers.rec"):
        _returnn(module)
    _returnn("tf.native_op").make_op(_returnn("native_op").NativeLstm2)

    def step() -> None:
        options = net.options()
        session, config = _session_of(options)
        network = _returnn("tf.network").TFNetwork(config=config, train_flag=True, eval_flag=True)
        network.construct_from_dict(options["network"])
        updater = _returnn("tf.updater").Updater(config, network, net.learning_rate)
        updater.set_trainable_vars(network.get_trainable_params())
        optim_op = updater.get_optim_op()
        network.initialize_params(session)
        updater.init_optimizer_vars(session)
        updater.set_learning_rate(net.learning_rate, session)
        session.run([network.get_objective(), optim_op], _feed(network, net.arrays()))

    return step


def _graph() -> Step:
    """From the dict to the graph of loss and gradients; the warm-up has imported everything."""

    def step() -> None:
        session, network = _network(ATTENTION, train=True)
        _objective_and_gradients(network)
        session.close()

    return step


def _search(work: AttentionWorkload) -> Step:
    """All sentences, in a graph built for search."""
    session, network = _network(work, search=True)
    session.run(_returnn("tf.compat").v1.global_variables_initializer())
    labels = network.get_layer("decision").output.placeholder
    feeds = [_feed(network, {"data": (inputs, lengths.astype(np.int32))}) for inputs, lengths in work.batches()]

    def step() -> None:
        for feed in feeds:
            session.run(labels, feed)

    return step


if __name__ == "__main__":
    serve(
        {
            "train": _train,
            "forward1": lambda: _forward(1),
            f"forward{WORK.batch}": lambda: _forward(WORK.batch),
            "build": _build,
            "attention": _train_attention,
            "graph": _graph,
            "search": lambda: _search(ATTENTION),
            "search_transformer": lambda: _search(TransformerWorkload()),
            **{FIRST_STEP + name: partial(_first_step, net) for name, net in REAL_NETS.items()},
        }
    )
