"""Learning-rate control against RETURNN's answers, the file's bytes, and its errors."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from returnn_ir.config import load_config
from returnn_ir.config.network_schedule import NetworkSchedule
from returnn_ir.errors import ConfigError
from runtime.learning_rate import EpochData, LearningRateControl, LearningRateOptions, best_epoch
from runtime.learning_rate.file import dump_history, parse_history, save_history
from runtime.learning_rate.history import error_key
from runtime.learning_rate.rules import next_rate, relative_error

DATA = Path(__file__).parent / "data"
CASES: list[dict[str, Any]] = json.loads((DATA / "learning_rates.json").read_text())["cases"]


def _config(case: dict[str, Any]) -> dict[str, object]:
    config = dict(case["config"])
    if isinstance(config.get("learning_rates"), dict):  # JSON has no integer keys
        config["learning_rates"] = {int(epoch): rate for epoch, rate in config["learning_rates"].items()}
    return config


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["config"]["learning_rate_control"])
def test_same_rates_keys_and_file_as_returnn(case: dict[str, Any]) -> None:
    control = LearningRateControl.from_config(_config(case))
    rates = []
    for epoch, scores in enumerate(case["scores"], 1):
        rates.append(control.learning_rate(epoch))
        control.set_scores(epoch, {key: value for key, value in scores.items() if key != ":meta"})
        control.set_meta(epoch, scores.get(":meta", {}))
    assert rates == case["rates"]
    keys = [error_key(control.history[e].scores, control.options.error_measure) for e in range(1, len(rates) + 1)]
    assert keys == case["keys"]
    if "file" in case:
        assert dump_history(control.history) == case["file"]


def test_rewriting_a_file_of_returnn_keeps_its_bytes() -> None:
    text = (DATA / "returnn_learning_rates.txt").read_text()
    history = parse_history(text)
    assert history[1].learning_rate == 0.01
    assert history[2].meta["global_train_step"] == 4
    assert dump_history(history) == text


def test_forms_that_a_file_may_have() -> None:
    text = """{1: EpochData(learningRate=0.1, error=2.5),
    2: EpochData(learning_rate=np.float64(0.05), error={'dev_score': nan, 'a': -inf, 'b': float('inf'), 'c': np.nan}),
    3: EpochData(error=None, learningRate=+1e-3), 4: EpochData(learningRate=1),
    5: EpochData(learningRate=0.1, error={}, meta={'device': 'cpu', 'x': [1, (2,), None, True]})}"""
    history = parse_history(text)
    assert history[1].scores == {"old_format_score": 2.5}
    assert math.isnan(history[2].scores["dev_score"])
    assert history[2].scores["a"] == -math.inf
    assert history[3].scores == {}
    assert history[4].learning_rate == 1.0
    assert history[5].meta == {"device": "cpu", "x": [1, (2,), None, True]}
    again = parse_history(dump_history(history))
    assert again[5] == history[5]
    assert math.isnan(again[2].scores["dev_score"])


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("{\n1: EpochData(learningRate=0.1, error={\n'dev': 1.0,\n", 2, "never closed"),
        ("{\n1: EpochData(learningRate=0.1 error={}),\n}", 2, "syntax"),
        ("{\n1: EpochData(learningRate=__import__('os').getpid(), error={}),\n}", 2, "not allowed"),
        ("{\n\n1: EpochData(learningRate=0.1, error={'x': y}),\n}", 3, "unknown name 'y'"),
        ("{\n1: EpochData(learningRate=0.1, error={'x': 'y'}),\n}", 2, "must be a number"),
        ("{\n1: EpochData(error={}),\n}", 2, "learning rate"),
        ("{\n1: EpochData(learningRate=0.1, foo=1),\n}", 2, "'foo'"),
        ("{\n1: EpochData(0.1),\n}", 2, "keyword"),
        ("{'a': EpochData(learningRate=0.1)}", 1, "epoch number"),
        ("[1]", 1, "a dict"),
        ("", 1, ""),
        ("{1: float('x')}", 1, "not a number"),
    ],
)
def test_broken_file_names_its_line(text: str, line: int, part: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_history(text, "rates.txt")
    assert f"rates.txt:{line}:" in str(error.value)
    assert part in str(error.value)


def test_file_is_replaced_atomically_and_read_at_start(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rates.txt"
    config = {"learning_rate_file": str(path), "learning_rate": 0.5, "learning_rate_control": "newbob"}
    control = LearningRateControl.from_config(config)
    for epoch, score in enumerate((2.0, 1.0, 1.0), 1):
        control.set_scores(epoch, {"dev_score": score})
    control.save()
    assert [p.name for p in path.parent.iterdir()] == ["rates.txt"]
    resumed = LearningRateControl.from_config(config)
    assert resumed.history == control.history
    assert resumed.learning_rate(4) == control.learning_rate(4) == 0.25
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_history(path, {1: EpochData(0.1, {}, {"x": object()})})
    assert path.read_bytes() == before


PRETRAINING: list[dict[str, Any]] = json.loads((DATA / "pretrain_rates.json").read_text())


@pytest.mark.parametrize("case", PRETRAINING, ids=range(len(PRETRAINING)))
def test_rates_and_file_of_a_changing_network_are_those_of_returnn(case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "net.config").write_text(case["config"])
    if case["before"]:
        (tmp_path / "rates").write_text(case["before"])
    config = load_config(tmp_path / "net.config").with_options({"learning_rate_file": str(tmp_path / "rates")})
    schedule, control, rates = NetworkSchedule.from_config(config), LearningRateControl.from_config(config), []
    for epoch, score in enumerate(case["scores"], 1):
        given = schedule.stage(epoch).learning_rate
        if given is not None:
            control.overwrite(epoch, given)
        rates.append(control.learning_rate(epoch, pretrain_epochs=schedule.pretrain_epochs))
        control.set_scores(epoch, {"dev_score": score})
    control.save()
    assert rates == case["rates"]
    assert (tmp_path / "rates").read_text() == case["file"]


def test_pretraining_has_its_own_rate() -> None:
    config = {"learning_rate": 0.5, "pretrain_learning_rate": 0.1}
    control = LearningRateControl.from_config(config)
    assert [control.learning_rate(e, pretrain_epochs=2) for e in (1, 2, 3, 4)] == [0.1, 0.1, 0.5, 0.5]
    always = LearningRateControl.from_config({**config, "use_learning_rate_control_always": True})
    assert always.learning_rate(1, pretrain_epochs=2) == 0.5


def test_decay_as_function_and_rates_as_text() -> None:
    history = {1: EpochData(0.4, {"dev_score": 1.0}), 2: EpochData(0.4, {"dev_score": 1.0})}
    options = LearningRateOptions.from_config(
        {"learning_rate_control": "newbob", "learning_rate_decay": lambda rate: rate - 0.1, "learning_rates": "0.4,0.3"}
    )
    assert next_rate(options, history, 3) == pytest.approx(0.3)
    assert options.fixed == {1: 0.4, 2: 0.3}
    assert LearningRateOptions.from_config({"learning_rates": "{1: 0.1, 5: 0.2}"}).fixed == {1: 0.1, 5: 0.2}
    broken = LearningRateOptions.from_config(
        {"learning_rate_control": "newbob", "learning_rate_decay": lambda rate: "x"}
    )
    with pytest.raises(ConfigError, match="must return a number"):
        next_rate(broken, history, 3)


def test_score_of_zero_is_an_improvement_without_bound() -> None:
    history = {
        1: EpochData(0.4, {"dev_error": 0.1}),
        2: EpochData(0.4, {"dev_error": 0.0}),
        3: EpochData(0.4, {"dev_error": 0}),
    }
    options = LearningRateOptions.from_config({"learning_rate_control": "newbob"})
    assert relative_error(options, history, 1, 2) == -math.inf
    assert relative_error(options, history, 2, 3) == 0.0
    assert next_rate(options, history, 3) == 0.4
    assert next_rate(options, history, 4) == 0.2


@pytest.mark.parametrize(
    ("control", "threshold", "rate"),
    [
        ("newbob", "newbob_relative_error_threshold", 0.8),
        ("newbob_abs", "newbob_error_threshold", 0.8),
        ("newbob_multi_epoch", "newbob_relative_error_threshold", 0.4),
    ],
)
def test_a_change_at_the_threshold_is_no_reason_to_decay(control: str, threshold: str, rate: float) -> None:
    """The simple rules grow instead; that over several epochs grows below a threshold of its own."""
    config = {"learning_rate_control": control, threshold: 0.5, "newbob_learning_rate_growth": 2.0}
    config |= {"newbob_multi_update_interval": 1, "newbob_relative_error_grow_threshold": 0.5}
    options = LearningRateOptions.from_config(config)
    history = {1: EpochData(0.4, {"dev_score": 0.5}), 2: EpochData(0.4, {"dev_score": 1.0})}
    assert next_rate(options, history, 3) == rate
    worse = {**history, 2: EpochData(0.4, {"dev_score": 1.01})}
    assert next_rate(options, worse, 3) == 0.2
    better = {**history, 2: EpochData(0.4, {"dev_score": 0.9})}
    assert next_rate(options, better, 3) == 0.8


def test_best_epoch_compares_one_key() -> None:
    scores = [{"train_score": 0.1}, {"dev_score": 2.0}, {"dev_score": 1.0}, {"dev_score": 1.0}, {"dev_score": math.nan}]
    history = {epoch: EpochData(1.0, score) for epoch, score in enumerate(scores, 1)}
    assert best_epoch(history) == 3
    assert best_epoch(history, epochs=[2, 4]) == 4
    assert best_epoch({1: EpochData(1.0)}) is None


def test_numpy_scores_are_stored_as_floats() -> None:
    control = LearningRateControl.from_config({})
    control.set_scores(1, {"dev_score": np.float32(0.5), "dev_error": {"error:a/b": 1.0, "error:c": 2.0}})  # type: ignore[dict-item]
    assert control.history[1].scores == {"dev_score": 0.5, "dev_error_a/b": 1.0, "dev_error_c": 2.0}
    assert "np." not in dump_history(control.history)


@pytest.mark.parametrize(
    ("config", "part"),
    [
        ({"learning_rate_control": "newbob_ab"}, "did you mean 'newbob_abs'"),
        ({"learning_rate": "fast"}, "expected: float >= 0\n  received: 'fast' (str)"),
        ({"learning_rate": -1}, "is out of range\n  expected: float >= 0\n  received: -1 (int)"),
        ({"learning_rates": [0.1, "x"]}, "epoch, counted from 1"),
        ({"learning_rates": {0: 0.1}}, "epoch, counted from 1"),
        ({"learning_rates": "[0.1] * 3"}, "expressions belong"),
        ({"learning_rate_control_error_measure": 3}, "the name of a score, or a list of them"),
        ({"newbob_multi_num_epochs": 0}, "is out of range"),
        (
            {
                "learning_rate_control": "newbob_multi_epoch",
                "newbob_relative_error_threshold": -0.1,
                "newbob_relative_error_grow_threshold": 0,
            },
            "both decay and grow",
        ),
        ({"learning_rate": 0, "learning_rate_control_relative_error_relative_lr": True}, "above zero"),
    ],
)
def test_wrong_options(config: dict[str, object], part: str) -> None:
    with pytest.raises(ConfigError) as error:
        LearningRateOptions.from_config(config)
    assert part in str(error.value)


def test_defaults_are_those_of_an_empty_config() -> None:
    assert LearningRateOptions.from_config({}) == LearningRateOptions()
