"""Records the learning rates of RETURNN's pretraining, for an environment that has RETURNN 1 and TensorFlow.

``python tests/runtime/record_pretrain_rates.py`` writes ``data/pretrain_rates.json``: configs drawn at random, by a
seed, with what their learning-rate file holds before; the rate of each epoch, and the file behind the last one. It is
RETURNN's own ``Engine.init_train_epoch`` that runs, on an engine without a network.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import types
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

__all__ = ["record"]

DATA = Path(__file__).parent / "data" / "pretrain_rates.json"
CASES, SEED, EPOCHS = 60, 4, 9

_NETWORK = '{"output": {"class": "softmax", "n_out": 2, "from": ["data"]}}'
_PRETRAIN = """
def grow(idx, net_dict):
    if idx >= STEPS:
        return None
    net_dict["output"]["dropout"] = 0.1 * idx
    if idx in RATES:
        net_dict["#config"] = {"learning_rate": RATES[idx]}
    return net_dict

pretrain = {"repetitions": REPETITIONS, "construction_algo": grow}
"""
_BY_EPOCH = """
def get_network(epoch, **kwargs):
    return {**network, **({"#config": {"learning_rate": RATES[epoch]}} if epoch in RATES else {})}
"""


def _case(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(["pretrain"] * 5 + ["get_network", "both", "neither"])
    always = rng.random() < 0.5
    sets_rates = kind in ("get_network", "neither") or always
    rates = {rng.randint(0, 6): rng.choice([0.02, 0.03, 0.05]) for _ in range(rng.randint(0, 4) if sets_rates else 0)}
    lines = [f"#!rnn.py\nnetwork = {_NETWORK}\nRATES = {rates}\nlearning_rate = 0.1"]
    if kind in ("pretrain", "both"):
        repetitions = rng.choice([1, 2, [1, 2], {"default": 1, "final": 3}])
        lines.append(f"STEPS, REPETITIONS = {rng.randint(1, 2)}, {repetitions}{_PRETRAIN}")
    if kind in ("get_network", "both"):
        lines.append(_BY_EPOCH)
    if kind == "neither" and rates:
        lines.append('network["#config"] = {"learning_rate": 0.07}')
    if always or rng.random() < 0.2:
        lines.append(f"use_learning_rate_control_always = {always}")
    if rng.random() < 0.6:
        lines.append(f"pretrain_learning_rate = {rng.choice([0.01, 0.2, '0.04'])!r}")
    control = rng.choice(["constant", "newbob", "newbob_multi_epoch", "newbob_abs"])
    lines.append(f"learning_rate_control = {control!r}\nnewbob_multi_num_epochs = 2\nnewbob_multi_update_interval = 1")
    lines.append("newbob_error_threshold = -0.1")
    if rng.random() < 0.4:
        lines.append(f"learning_rates = {rng.choice(['[0.5, 0.4, 0.3]', '{2: 0.6, 5: 0.25}'])}")
    scores = [round(rng.uniform(1, 3), 3) for _ in range(EPOCHS)]
    before = ""
    if rng.random() < 0.3:
        entries = {1: 0.9, 2: rng.choice([0.8, 0.0]), 4: 0.7}
        before = "".join(f"{e}: EpochData(learningRate={rate}, error={{}}),\n" for e, rate in entries.items())
        before = "{\n" + before + "}\n"
    return {"config": "\n".join(lines) + "\n", "scores": scores, "before": before}


def record(case: dict[str, Any]) -> dict[str, Any]:
    """The rates of RETURNN's engine, and the file that it leaves."""
    from returnn.config import Config
    from returnn.learning_rate_control import load_learning_rate_control_from_config
    from returnn.pretrain import pretrain_from_config
    from returnn.tf.engine import Engine

    with tempfile.TemporaryDirectory() as folder:
        path, file = Path(folder) / "net.config", Path(folder) / "rates"
        path.write_text(case["config"], encoding="utf-8")
        if case["before"]:
            file.write_text(case["before"], encoding="utf-8")
        config = Config()
        config.load_file(str(path))
        config.set("learning_rate_file", str(file))
        engine = MagicMock(config=config, orig_config={}, _have_rf_get_model_func=False)
        engine.learning_rate_control = control = load_learning_rate_control_from_config(config)
        engine.learning_rate = engine.initial_learning_rate = control.default_learning_rate
        engine.pretrain_learning_rate = config.float("pretrain_learning_rate", engine.learning_rate)
        engine.pretrain = pretrain_from_config(config)
        engine.custom_get_net_dict = config.typed_value("get_network")
        engine.need_init_new_network = lambda net_desc=None: False
        for name in ("is_pretrain_epoch", "is_first_epoch_after_pretrain", "get_net_dict_for_epoch"):
            setattr(engine, name, types.MethodType(getattr(Engine, name), engine))
        engine._maybe_update_config = types.MethodType(Engine._maybe_update_config, engine)
        engine._maybe_update_config(net_desc=engine.get_net_dict_for_epoch(epoch=1), epoch=1)
        rates = []
        for epoch, score in enumerate(case["scores"], 1):
            engine.epoch = epoch
            Engine.init_train_epoch(engine)
            rates.append(engine.learning_rate)
            control.set_epoch_error(epoch, {"dev_score": score})
        control.save()
        return {**case, "rates": rates, "file": file.read_text(encoding="utf-8")}


def main() -> None:
    """Write the file."""
    rng = random.Random(SEED)
    lines = [json.dumps(record(_case(rng))) for _ in range(CASES)]
    DATA.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    sys.stdout.write(f"{len(lines)} cases\n")


if __name__ == "__main__":
    main()
