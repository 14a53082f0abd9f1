"""Records the networks of RETURNN's pretraining for many configs, in an environment that has RETURNN.

``python tests/config/record_pretrain.py`` writes ``data/pretrain.json``: texts of configs, with the network dict of
each epoch, or the name of RETURNN's exception. The configs are drawn at random, by a seed, from all that decides about
a pretraining: built-in and custom algorithms, repetitions in all their forms, values that depend on the epoch.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

__all__ = ["record"]

DATA = Path(__file__).parent / "data" / "pretrain.json"
CASES, SEED = 200, 9

_HEAD = "#!rnn.py\nfrom returnn.pretrain import WrapEpochValue\n"
_CUSTOM = {
    "grow": """
def grow(idx, net_dict):
    layers = sorted(name for name in net_dict if name.startswith("l"))
    if idx >= len(layers) - 1:
        return None
    kept = layers[: idx + 1]
    net_dict["#config"] = {"batch_size": 100 * (idx + 1)}
    for name in layers[idx + 1 :]:
        del net_dict[name]
    net_dict["output"]["from"] = kept[-1:]
    return net_dict
""",
    "widen": """
def widen(idx, net_dict):
    if idx == 3:
        return False
    net_dict["l0"]["n_out"] = 2 * (idx + 1)
    net_dict["#copy_param_mode"] = "subset"
    if idx != 1:
        net_dict["#repetition"] = 3 - idx
    return net_dict
""",
    "shared": """
_net = {"output": {"class": "softmax", "n_out": 3, "from": ["data"]}, "#repetition": 2}

def shared(idx, net_dict):
    _net["output"]["n_out"] += idx
    return _net if idx < 3 else {}
""",
    "dropout": """
def dropout(idx, net_dict):
    if idx > 1:
        return
    net_dict["output"]["dropout"] = WrapEpochValue(lambda epoch: epoch / 8.0)
    net_dict["#info"] = {"a": [idx, WrapEpochValue(lambda epoch: epoch)], "b": (net_dict["output"]["dropout"], "x")}
    return net_dict
""",
    "none": "\ndef none(idx, net_dict):\n    return None\n",
}


class _Code(str):
    """An expression that is written as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _network(rng: random.Random) -> dict[str, Any]:
    """A few layers that read layers before them or the data, some of them untrained, and one or two outputs."""
    network: dict[str, Any] = {}
    names = [f"l{i}" for i in range(rng.randint(1, 6))]
    rng.shuffle(names)
    for i, name in enumerate(names):
        near = [*names[max(0, i - 2) : i]]
        sources = rng.sample(near, rng.randint(1, len(near))) if near and rng.random() < 0.85 else ["data"]
        layer: dict[str, Any] = {"class": "linear", "n_out": rng.randint(2, 9), "from": sources}
        if rng.random() < 0.3:
            layer["trainable"] = rng.random() < 0.2
        if rng.random() < 0.1:
            layer["target"] = "classes"
        if rng.random() < 0.1 and sources == ["data"]:
            del layer["from"]
        if rng.random() < 0.15:
            layer["dropout"] = _Code(f"WrapEpochValue(lambda epoch: {rng.randint(1, 3)} * epoch)")
        network[name] = layer
    network["output"] = {"class": "softmax", "n_out": 3, "from": names[-1:]}
    if rng.random() < 0.2:
        network["output"]["class"] = "linear"
    if rng.random() < 0.3:
        network["aux"] = {"class": "softmax", "n_out": 4, "from": [rng.choice(names)]}
    return network


def _repetitions(rng: random.Random) -> Any:
    kind = rng.randint(0, 5)
    if kind == 0:
        return rng.choice([0, 1, 2, 3])
    if kind == 1:
        return [rng.randint(0, 3) for _ in range(rng.randint(0, 3))]
    if kind == 2:
        return {"default": rng.randint(0, 2), "final": rng.randint(0, 3)}
    if kind == 3:
        return {
            0: rng.randint(0, 3),
            **({1: 2} if rng.random() < 0.5 else {}),
            **({-1: 2} if rng.random() < 0.2 else {}),
        }
    if kind == 4:
        return {"final": rng.randint(1, 3)}
    return None


def _case(rng: random.Random) -> dict[str, Any]:
    """The text of a config, and overrides of a command line."""
    network, options, lines, overrides = _network(rng), dict[str, Any](), [_HEAD], list[str]()
    algorithm = rng.choice(
        ["from_input", "from_input", "from_output", "from_output", "no_network_modifications", "custom"]
    )
    if algorithm == "custom":
        name = rng.choice(list(_CUSTOM))
        lines.append(_CUSTOM[name])
        options["construction_algo"] = _Code(name)
    elif rng.random() < 0.5:
        options["construction_algo"] = algorithm
    elif algorithm != "from_output" or rng.random() < 0.3:
        lines.append(f"pretrain_construction_algo = {algorithm!r}")
    repetitions = _repetitions(rng)
    if repetitions is not None:
        how = rng.random()
        if how < 0.6:
            options["repetitions"] = repetitions
        elif how < 0.8 or isinstance(repetitions, dict) or repetitions == []:
            lines.append(f"pretrain_repetitions = {repetitions!r}")
        else:
            overrides += ["++pretrain_repetitions", str(repetitions).strip("[]").replace(" ", "")]
    if rng.random() < 0.2 and algorithm in ("from_input", "from_output"):
        options["output_layers"] = ["output", *(["aux"] if "aux" in network else [])]
    if rng.random() < 0.1:
        options["input_layers"] = ["data", "l0"]
    mode = rng.choice([None, None, "subset", "reset", "ifpossible"])
    if mode is not None:
        options["copy_param_mode"] = mode
    if rng.random() < 0.2:
        options["copy_output_layer"] = rng.choice([True, False, "subset", "reset", "ifpossible", None])
    elif rng.random() < 0.2:
        lines.append(f"pretrain_copy_output_layer = {rng.choice([True, False, 'reset', 'subset'])!r}")
    elif rng.random() < 0.1:
        overrides += ["++pretrain_copy_output_layer", rng.choice(["true", "false", "reset", "ifpossible"])]
    if rng.random() < 0.1:
        lines.append("pretrain_greedy = False")
    if options or rng.random() < 0.2:
        lines.append(f"pretrain = {options or None!r}")
    else:
        overrides += ["++pretrain", rng.choice(["default", "true", "on", "false"])]
    lines.append(f"batch_size = 50\nnetwork = {network!r}")
    return {"config": "\n".join(lines) + "\n", "overrides": overrides}


def record(config_text: str, overrides: list[str]) -> dict[str, Any]:
    """What RETURNN's Pretrain makes of a config."""
    from returnn.config import Config
    from returnn.pretrain import pretrain_from_config

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.config"
        path.write_text(config_text, encoding="utf-8")
        config = Config()
        config.load_file(str(path))
        config.parse_cmd_args(overrides)
        try:
            pretrain = pretrain_from_config(config)
            if pretrain is None:
                return {"epochs": []}
            pretrain.get_final_network_json()
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:80]}
        networks: list[Any] = []
        epochs = [
            _index(networks, pretrain.get_network_json_for_epoch(1 + i)) for i in range(pretrain.get_train_num_epochs())
        ]
        modes = {"copy_param_mode": pretrain.copy_param_mode, "copies_output_layer": bool(pretrain.copy_output_layer)}
        return {"networks": networks, "epochs": epochs, **modes}


def _index(networks: list[Any], network: Any) -> int:
    plain = json.loads(json.dumps(network))
    if plain not in networks:
        networks.append(deepcopy(plain))
    return networks.index(plain)


def main() -> None:
    """Write the file."""
    rng = random.Random(SEED)
    lines: list[str] = []
    while len(lines) < CASES:
        case = _case(rng)
        recorded = record(case["config"], case["overrides"])
        # from_output trips over a layer that two others read; there is nothing to compare then
        if not recorded.get("error", "").startswith("AssertionError: error"):
            lines.append(json.dumps({**case, **recorded}))
    DATA.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    sys.stdout.write(f"{len(lines)} cases\n")


if __name__ == "__main__":
    main()
