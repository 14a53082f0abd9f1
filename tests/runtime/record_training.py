"""Records trainings of whole networks in RETURNN, for an environment that has RETURNN 1 and TensorFlow.

``python tests/runtime/record_training.py data/trainings/embedding.py ...`` writes ``embedding.npz`` beside a config:
parameters before (``param/NAME``), behind the first and behind the last of some steps (``after1/NAME``,
``after20/NAME``), with three batches that take turns (``batch0/KEY``, ``batch0/KEY/size1``). The learning rate is the
config's. Before behavior_version 15 RETURNN reads the global step at no certain time, so that a sum over steps
(``accum_grad_multiple_step``) may not begin anew; such a config has a newer one.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["STEPS", "record"]

STEPS = (1, 20)
BATCHES = 3


def record(options: dict[str, Any]) -> dict[str, Any]:
    """Train a config's network for some steps on made-up batches."""
    import tensorflow as tf
    from returnn.config import Config, global_config_ctx
    from returnn.tf.network import TFNetwork
    from returnn.tf.updater import Updater
    from returnn.util.basic import BehaviorVersion
    from tensorflow.python.ops import gen_training_ops

    sys.modules["tensorflow.python.training.training_ops"] = gen_training_ops  # RETURNN's Nadam wants it
    v1, config, rng = tf.compat.v1, Config(options), np.random.RandomState(3)
    BehaviorVersion._reset()
    if "behavior_version" in options:
        BehaviorVersion.set(options["behavior_version"])
    v1.disable_eager_execution()
    with tf.Graph().as_default(), v1.Session() as session, global_config_ctx(config):
        network = TFNetwork(config=config, train_flag=True, eval_flag=True)
        network.construct_from_dict(options["network"])
        updater = Updater(config, network=network)
        updater.set_trainable_vars(network.get_trainable_params())
        update = updater.get_optim_op()
        session.run(v1.global_variables_initializer())
        session.run(v1.variables_initializer(v1.get_collection(v1.GraphKeys.GLOBAL_STEP)))
        updater.init_optimizer_vars(session)
        updater.set_learning_rate(options["learning_rate"], session)
        params = {p.op.name: p for p in network.get_params_list()}
        for _, param in sorted(params.items()):
            param.load(rng.normal(size=param.shape.as_list()).astype(param.dtype.as_numpy_dtype) * 0.5, session)
        result = {f"param/{name}": value for name, value in session.run(params).items()}
        batches = [_batch(network, rng) for _ in range(BATCHES)]
        for number, batch in enumerate(batches):
            result |= {f"batch{number}/{name}": value for name, (_, value) in batch.items() if name}
        for step in range(1, max(STEPS) + 1):
            batch = batches[(step - 1) % BATCHES]
            session.run(update, dict(batch.values()))
            if step in STEPS:
                result |= {f"after{step}/{name}": value for name, value in session.run(params).items()}
        return result


def _batch(network: Any, rng: Any) -> dict[str, Any]:
    """By our name of an input, RETURNN's placeholder and a value: three sequences, all data of the same lengths."""
    lengths = rng.permutation([5, 3, 2]).astype(np.int32)
    found: dict[str, Any] = {}
    for key, data in sorted(network.extern_data.data.items()):
        shape = [3 if d.is_batch_dim() else d.dimension or 5 for d in data.dims]
        if data.sparse:
            value = rng.randint(0, data.dim, shape).astype(data.dtype)
            if len(shape) > 1:
                value[np.arange(5) >= lengths[:, None]] = 0  # as datasets pad
        else:
            value = rng.normal(size=shape).astype(data.dtype)
        found[key] = (data.placeholder, value)
        for axis, dim in enumerate(data.dims):
            if dim.dyn_size is not None:
                found[f"{key}/size{axis}"] = (dim.dyn_size, lengths)
    batch = network.extern_data.get_batch_info().dim
    return {**found, "": (batch, 3)} if not isinstance(batch, int) else found


def main(paths: list[str]) -> None:
    """Write the records."""
    for path in paths:
        options = {key: value for key, value in runpy.run_path(path).items() if key[0] != "_"}
        np.savez_compressed(Path(path).with_suffix(".npz"), **record(options))


if __name__ == "__main__":
    main(sys.argv[1:])
