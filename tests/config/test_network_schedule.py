"""Which network each epoch trains: RETURNN's own networks, what comes with a network, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from returnn_ir.config import Config, load_config
from returnn_ir.config.epoch_networks import same_network
from returnn_ir.config.network_schedule import NetworkSchedule
from returnn_ir.config.network_values import copied, same_content
from returnn_ir.config.returnn_names import WrapEpochValue
from returnn_ir.errors import ConfigError

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "pretrain.json").read_text(encoding="utf-8"))


def _config(folder: Path, text: str, *overrides: str) -> Config:
    path = folder / "net.config"
    path.write_text(text, encoding="utf-8")
    return load_config(path, overrides)


def _plain(network: object) -> Any:
    return json.loads(json.dumps(network))


# ---------------------------------------------------------------- as RETURNN


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_networks_of_pretraining_are_those_of_returnn(case: dict[str, Any], tmp_path: Path) -> None:
    config = _config(tmp_path, case["config"], *case["overrides"])
    if "error" in case:
        with pytest.raises(ConfigError):
            NetworkSchedule.from_config(config)
        return
    schedule = NetworkSchedule.from_config(config)
    assert schedule.pretrain_epochs == len(case["epochs"])
    for epoch, index in enumerate(case["epochs"], 1):
        stage = schedule.stage(epoch)
        assert _plain(stage.definition) == case["networks"][index]
        assert stage.is_pretrain
        mode = stage.definition.get("#copy_param_mode", case["copy_param_mode"])
        assert (stage.copy_mode, stage.copy_output_layer) == (mode, case["copies_output_layer"])
    behind = schedule.stage(len(case["epochs"]) + 1)
    assert not behind.is_pretrain
    if case["epochs"]:
        assert _plain(behind.definition) == case["networks"][case["epochs"][-1]]


def test_a_layer_that_two_outputs_read_is_taken_away_once(tmp_path: Path) -> None:
    """RETURNN looks for it again and fails."""
    layers = "'a': {'class': 'linear', 'from': ['data']}, 'b': {'class': 'linear', 'from': ['a']}"
    outputs = "'output': {'class': 'softmax', 'from': ['b']}, 'other': {'class': 'softmax', 'from': ['b']}"
    lines = f"network = {{{layers}, {outputs}}}\npretrain = {{'output_layers': ['output', 'other']}}\n"
    schedule = NetworkSchedule.from_config(_config(tmp_path, "#!rnn.py\n" + lines))
    first = schedule.stage(1).network
    assert (schedule.pretrain_epochs, sorted(first)) == (2, ["a", "other", "output"])
    assert first["output"]["from"] == first["other"]["from"] == ["a"]


# ---------------------------------------------------------------- what a run does with a schedule

GROWING = """#!rnn.py
calls = []
def grow(idx, net_dict):
    calls.append(idx)
    if idx == 2:
        return None
    net_dict["output"]["n_out"] = idx + 1
    net_dict["#config"] = {"batch_size": 10 * idx + 5, "learning_rate": 0.5}
    net_dict["#trainable"] = idx > 0
    return net_dict
network = {"output": {"class": "softmax", "n_out": 7, "from": "data"}, "#config": {"learning_rate": 0.25}}
pretrain = {"construction_algo": grow, "repetitions": [2, 1, 3], "copy_output_layer": False}
use_learning_rate_control_always = True
batch_size = 100
"""


def test_stages_of_a_pretraining(tmp_path: Path) -> None:
    config = _config(tmp_path, GROWING)
    schedule = NetworkSchedule.from_config(config)
    stages = [schedule.stage(epoch) for epoch in range(1, 9)]
    assert schedule.pretrain_epochs == 6
    assert [stage.network["output"]["n_out"] for stage in stages] == [1, 1, 2, 7, 7, 7, 7, 7]
    assert [stage.config(config)["batch_size"] for stage in stages] == [5, 5, 15, 100, 100, 100, 100, 100]
    assert [stage.learning_rate for stage in stages] == [0.5, 0.5, 0.5, 0.25, 0.25, 0.25, None, None]
    assert [stage.trainable for stage in stages] == [False, False, True, True, True, True, True, True]
    assert [stage.is_pretrain for stage in stages] == [True] * 6 + [False] * 2
    assert [stage.copy_output_layer for stage in stages] == [False] * 6 + [True] * 2
    assert all(list(stage.network) == ["output"] for stage in stages)
    assert config["batch_size"] == 100 and config["network"]["output"]["n_out"] == 7  # type: ignore[index]
    assert config["calls"] == [0, 1, 2]  # the algorithm runs once


def test_epochs_of_a_step_have_one_stage(tmp_path: Path) -> None:
    schedule = NetworkSchedule.from_config(_config(tmp_path, GROWING))
    assert schedule.stage(1) is schedule.stage(2) is not schedule.stage(3)
    assert schedule.stage(7) is schedule.stage(100)
    assert schedule.stage(6).definition is schedule.stage(7).definition  # no new optimizer behind the pretraining
    assert [epoch for epoch, _ in schedule.distinct_stages()] == [1, 3, 4]
    assert [epoch for epoch, _ in schedule.distinct_stages(3)] == [1, 3]
    assert [epoch for epoch, _ in schedule.distinct_stages(3, first=12)] == [12]


BY_EPOCH = """#!rnn.py
net, calls = {"output": {"class": "softmax", "n_out": 7}}, []
def get_network(epoch, **kwargs):
    calls.append(epoch)
    if epoch == 9:
        return None
    net["output"]["dropout"] = 0.1 if epoch < 4 else 0.2
    net["#copy_param_mode"] = "subset"
    return net
num_epochs = 9
"""


def test_get_network_may_change_the_dict_that_it_gave(tmp_path: Path) -> None:
    config = _config(tmp_path, BY_EPOCH)
    schedule = NetworkSchedule.from_config(config)
    first, fourth = schedule.stage(1), schedule.stage(4)
    assert (first.network["output"]["dropout"], fourth.network["output"]["dropout"]) == (0.1, 0.2)
    assert schedule.stage(1) is first and schedule.stage(5) is fourth
    assert config["calls"] == [1, 4, 5]
    assert (first.copy_mode, first.is_pretrain, first.trainable) == ("subset", False, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda layer: layer.update(n_out=True),  # equal to 1
        lambda layer: layer.update(activation="tanh"),
        lambda layer: layer.pop("from"),
        lambda layer: layer["from"].append("b"),
        lambda layer: layer.update({"from": ("a",)}),
        lambda layer: layer["seen"].add(3),
        lambda layer: layer.update(dims=(object(),)),
        lambda layer: layer["unit"].update(x={"class": "copy"}),
        lambda layer: layer.update({"class": layer.pop("class")}),  # the order of layers can matter
    ],
)
def test_a_network_that_changes_is_not_what_was_copied(change: Callable[[dict[str, Any]], Any]) -> None:
    layer: dict[str, Any] = {"class": "linear", "n_out": 1, "from": ["a"], "dims": (object(),), "seen": {1, 2}}
    layer["unit"] = {"output": layer}  # inside of itself
    copy = copied(layer)
    assert same_content(layer, copy)
    change(layer)
    assert not same_content(layer, copy)


def test_a_training_ends_where_get_network_gives_none(tmp_path: Path) -> None:
    schedule = NetworkSchedule.from_config(_config(tmp_path, BY_EPOCH))
    assert [epoch for epoch, _ in schedule.distinct_stages(9)] == [1, 4]
    assert schedule.final_epoch == 8
    with pytest.raises(ConfigError, match="get_network must return a network dict") as caught:
        schedule.stage(9)
    assert caught.value.received == "NoneType in epoch 9"


def test_get_network_behind_a_pretraining(tmp_path: Path) -> None:
    text = GROWING + "def get_network(epoch): return {'output': {'class': 'softmax', 'n_out': epoch}}\n"
    schedule = NetworkSchedule.from_config(_config(tmp_path, text, "++num_epochs", "8"))
    assert [schedule.stage(epoch).network["output"]["n_out"] for epoch in (6, 7, 8)] == [7, 7, 8]
    assert [epoch for epoch, _ in schedule.distinct_stages(8)] == [1, 3, 4, 7, 8]


def test_networks_that_differ_in_learning_rates_are_checked_once(tmp_path: Path) -> None:
    text = "#!rnn.py\nnumber = 1\ndef get_network(epoch): return {'o': {}, '#config': {'learning_rate': 1 / epoch}}\n"
    schedule = NetworkSchedule.from_config(_config(tmp_path, text))
    assert [epoch for epoch, _ in schedule.distinct_stages(30)] == [1]
    assert not same_network(schedule.stage(1).definition, schedule.stage(2).definition)


def test_values_by_epoch_without_a_pretraining_stay(tmp_path: Path) -> None:
    value = "WrapEpochValue(lambda epoch: epoch)"
    text = f"#!rnn.py\nfrom Pretrain import WrapEpochValue\nnetwork = {{'o': {{'dropout': {value}}}}}"
    config = _config(tmp_path, text)
    assert isinstance(NetworkSchedule.from_config(config).stage(2).network["o"]["dropout"], WrapEpochValue)


def test_epochs_count_from_1(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such epoch"):
        NetworkSchedule.from_config(_config(tmp_path, GROWING)).stage(0)
