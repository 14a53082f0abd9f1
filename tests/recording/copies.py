"""What RETURNN copies from network to network: ``python -m tests.recording.copies [CASE ...]``.

Writes ``tests/runtime/data/copy/CASE.npz`` for each case of ``tests/runtime/copy_cases.py``: the parameters of the
second network after the change, int32 by variable name. It needs an environment that has RETURNN.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from tests.recording.network import require_returnn
from tests.recording.splits import FILE
from tests.runtime.copy_cases import BEHAVIOR_VERSION, CASES, EXTERN_DATA, CopyCase, initial_value, old_value

__all__ = ["main"]

FOLDER = FILE.parent


def _networks(case: CopyCase) -> list[dict[str, Any]]:
    from returnn.tf.util.data import FeatureDim

    return list(case.networks(FeatureDim))


def _config(case: CopyCase) -> Any:
    from returnn.config import Config

    networks = _networks(case)
    options: dict[str, Any] = {
        "task": "train",
        "extern_data": EXTERN_DATA,
        "batch_size": 100,
        "behavior_version": BEHAVIOR_VERSION,
        "init_new_network_callback": lambda session, new_network, **others: _assign(
            new_network, session, initial_value
        ),
        **case.config,
    }
    if case.pretrain is None:
        options["get_network"] = lambda epoch, **others: networks[min(epoch, 2) - 1]
    else:
        options["network"] = networks[-1]
        steps = {0: networks[0], 1: networks[1]}
        options["pretrain"] = {"construction_algo": lambda idx, net_dict: steps.get(idx), **case.pretrain}
    return Config(options)


def _assign(network: Any, session: Any, value: Any) -> None:
    for variable in network.get_params_list():
        dtype = variable.dtype.base_dtype.as_numpy_dtype
        given = value(tuple(variable.shape.as_list())).astype(dtype)
        network.get_var_assigner(variable).assign(given, session=session)


def record(case: CopyCase) -> Mapping[str, Any]:
    """Train nothing, and change to the second network as an epoch does that begins."""
    from returnn.config import set_global_config
    from returnn.datasets import init_dataset
    from returnn.tf.engine import Engine
    from returnn.util.basic import BehaviorVersion

    config = _config(case)
    set_global_config(config)
    BehaviorVersion._reset()
    BehaviorVersion.set(BEHAVIOR_VERSION)
    data = init_dataset({"class": "DummyDataset", "input_dim": 7, "output_dim": 5, "num_seqs": 2})
    engine = Engine(config=config)
    engine.init_train_from_config(config, train_data=data)
    engine.epoch = 1
    _assign(engine.network, engine.tf_session, old_value)
    engine.epoch = 2
    engine.init_new_network(engine.get_net_dict_for_epoch(epoch=2))
    values = engine.tf_session.run({v.name.removesuffix(":0"): v for v in engine.network.get_params_list()})
    engine.finalize()
    return {name: np.asarray(value).astype(np.int32) for name, value in sorted(values.items())}


def main(names: list[str]) -> None:
    """Record these cases, or all."""
    os.environ.update({"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"})
    require_returnn()
    import tensorflow as tf

    tf.compat.v1.disable_eager_execution()
    for name in names or CASES:
        try:
            with redirect_stdout(sys.stderr):  # RETURNN tells about every layer
                values = record(CASES[name])
        except Exception as error:  # whatever RETURNN raises
            print(f"{name}: {type(error).__name__}: {error}")
            continue
        np.savez_compressed(FOLDER / f"{name}.npz", **values)
        print(f"{name}: {len(values)} parameters", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
