"""A checkpoint of one LSTM unit loaded into another by RETURNN: ``python -m tests.recording.lstm_layouts``.

Writes ``tests/runtime/data/lstm_layouts.json``: by the two units the shapes of the variables in the checkpoint, in
their order, whose entries count on from variable to variable, and the values that the other unit gets; null where
RETURNN does not load it. It needs an environment that has RETURNN.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from tests.recording.network import require_returnn

__all__ = ["FILE", "main"]

FILE = Path(__file__).parents[1] / "runtime" / "data" / "lstm_layouts.json"
#: Units of a layer, and of one in a loop.
UNITS = (
    ("nativelstm2", "nativelstm", "vanillalstm", "standardlstm", "basiclstm"),
    ("step NativeLSTM2", "step LSTMBlock", "step BasicLSTM"),
)


def _network(unit: str) -> dict[str, Any]:
    step, _, name = unit.rpartition(" ")
    if not step:
        return {"output": {"class": "rec", "unit": name, "n_out": 2, "from": "data"}}
    layer = "rec" if name == "NativeLSTM2" else "rnn_cell"
    loop = {"output": {"class": layer, "unit": name, "n_out": 2, "from": "data:source"}}
    return {"output": {"class": "rec", "from": "data", "unit": loop}}


def _load(unit: str, checkpoint: str) -> Any:
    """The session's values of a unit after loading, or after counting and saving where there is no checkpoint yet."""
    import tensorflow as tf
    from returnn.config import Config, global_config_ctx
    from returnn.tf.network import TFNetwork

    config = Config({"extern_data": {"data": {"dim": 3}}, "network": _network(unit)})
    with tf.Graph().as_default(), tf.compat.v1.Session() as session, global_config_ctx(config):
        network = TFNetwork(config=config, train_flag=True)
        network.construct_from_dict(config.typed_dict["network"])
        network.initialize_params(session)
        variables = {v.name.removesuffix(":0"): v for v in network.get_params_list()}
        if Path(f"{checkpoint}.index").exists():
            network.load_params_from_file(checkpoint, session)
            return {name: session.run(variables[name]).tolist() for name in sorted(variables)}
        start = 0
        for name in sorted(variables):
            shape = variables[name].shape.as_list()
            value = np.arange(start, start + np.prod(shape), dtype=np.float32).reshape(shape)
            network.get_var_assigner(variables[name]).assign(value, session=session)
            start += value.size
        network.save_params_to_file(checkpoint, session)
        return {name: variables[name].shape.as_list() for name in sorted(variables)}


def main() -> None:
    """Record every pair of units with other variables."""
    os.environ.update({"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"})
    require_returnn()
    import tensorflow as tf

    tf.compat.v1.disable_eager_execution()
    lines = []
    stored: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        for old, new in (pair for units in UNITS for pair in itertools.permutations(units, 2)):
            checkpoint = f"{folder}/{old}"
            if old not in stored:
                stored[old] = _load(old, checkpoint)
            try:
                values = _load(new, checkpoint)
            except Exception:  # whatever RETURNN raises
                values = None
            lines.append(f"{json.dumps(f'{old} to {new}')}: {json.dumps({'stored': stored[old], 'values': values})}")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
