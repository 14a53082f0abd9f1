"""``use_last_best_model``: to which epoch a training goes back, as RETURNN."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from returnn_ir.errors import UserError
from runtime.learning_rate import EpochData
from runtime.learning_rate.last_best import LastBestOptions, last_best_epoch

SETTINGS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "last_best.json").read_text(encoding="utf-8")
)


def test_as_returnn() -> None:
    back = 0
    for setting in SETTINGS:
        options = LastBestOptions.from_config({"use_last_best_model": setting["options"] or True})
        assert options is not None
        history = {epoch: EpochData(1.0, scores) for epoch, scores in enumerate(setting["scores"], 1)}
        found = [
            last_best_epoch(options, history, (), epoch, pretrain_epochs=setting["pretrain_epochs"])
            for epoch in range(1, len(history) + 2)
        ]
        known = [epoch if theirs != -1 else -1 for epoch, theirs in zip(found, setting["found"], strict=True)]
        assert known == setting["found"], setting
        back += sum(epoch is not None for epoch in found)
    assert back > 100


def test_the_option() -> None:
    assert LastBestOptions.from_config({}) is None
    for off in ("False", "{}", "None"):
        assert LastBestOptions.from_config({"use_last_best_model": ast.literal_eval(off)}) is None
    with pytest.raises(UserError) as caught:
        LastBestOptions.from_config({"use_last_best_model": {"modul": 2, "only_last_epochs": -1}})
    assert str(caught.value) == (
        "2 problems:\n"
        "[1] key 'use_last_best_model.modul': use_last_best_model has no option 'modul'\n"
        "  expected: one of filter_score, first_epoch, min_score_dist, modulo, only_last_epochs, only_last_n\n"
        "  try: did you mean 'modulo'?\n"
        "[2] key 'use_last_best_model.only_last_epochs': use_last_best_model: "
        "option 'only_last_epochs' is out of range\n"
        "  expected: int from 0 to 2147483647 | None\n"
        "  received: -1 (int)"
    )
