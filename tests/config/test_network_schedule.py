"""Which network each epoch trains: RETURNN's own networks, what comes with a network, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from returnn_ir.config import Config, load_config
from returnn_ir.config.network_schedule import NetworkSchedule
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
