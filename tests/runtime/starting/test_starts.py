"""Where runs begin, against what RETURNN finds in 400 random settings; where it is not followed, and what is said."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from returnn_ir.config import Config, load_config
from returnn_ir.errors import ConfigError
from runtime.tasks.run_options import RunOptions
from runtime.tasks.start import Start, find_start, require_checkpoint
from tests.runtime.starting.record_starts import make_files

DATA = Path(__file__).parent / "data"
SETTINGS: list[dict[str, Any]] = json.loads((DATA / "starts.json").read_text(encoding="utf-8"))


def config_of(folder: Path, options: Mapping[str, Any]) -> Config:
    path = folder / "net.py"
    paths = ("load", "import_model_train_epoch1")
    given = {key: f"{folder}/{value}" if key in paths else value for key, value in options.items()}
    lines = [f"{key} = {value!r}" for key, value in {"model": f"{folder}/net", **given}.items()]
    path.write_text("train = {'class': 'x'}\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return load_config(str(path))


def start_of(folder: Path, options: Mapping[str, Any], models: list[str] | None = None) -> Start:
    make_files(folder, models or [])
    config = config_of(folder, options)
    run = RunOptions.from_config(config)
    start = find_start(config, run)
    if run.task != "train":
        require_checkpoint(config, run, start)
    return start


def name_of(folder: Path, checkpoint: str | None) -> str | None:
    return None if checkpoint is None else os.path.relpath(checkpoint, folder)


def comparable(setting: Mapping[str, Any]) -> bool:
    """Not without a last epoch, where RETURNN finds no checkpoint, nor a training's option in another task."""
    options: dict[str, Any] = setting["options"]
    trained = bool(options["task"] == "train")
    return options.get("num_epochs") != 0 and (trained or options.get("start_epoch", "auto") == "auto")


def test_as_returnn(tmp_path: Path) -> None:
    compared = 0
    for number, setting in enumerate(SETTINGS):
        if not comparable(setting):
            continue
        compared += 1
        folder, options, found = tmp_path / str(number), setting["options"], setting["found"]
        folder.mkdir()
        if "error" in found or (options["task"] != "train" and found["checkpoint"] is None):
            with pytest.raises(ConfigError):
                start_of(folder, options, setting["models"])
            continue
        start = start_of(folder, options, setting["models"])
        assert name_of(folder, start.checkpoint) == found["checkpoint"], setting
        if options["task"] != "train":
            assert start.epoch == (found["epoch"] or 0), setting
            continue
        asked = options.get("start_epoch", "auto")
        assert start.epoch + 1 == (found["first_epoch"] if asked == "auto" else asked), setting
        assert start.first == (not found["epoch"]), setting
        assert any("in RETURNN at 1" in note for note in start.notes) == (start.epoch + 1 != found["first_epoch"])
    assert compared > 250


def test_without_a_last_epoch_all_checkpoints_count(tmp_path: Path) -> None:
    models = ["net.pretrain.001", "net.002", "net.1017"]
    start = start_of(tmp_path, {"num_epochs": 0}, models)
    assert (start.epoch, start.checkpoint, start.notes) == (1017, f"{tmp_path}/net.1017", ())
    config = config_of(tmp_path, {"num_epochs": 9})
    start = find_start(config, RunOptions.from_config(config))
    assert (start.epoch, start.checkpoint) == (2, f"{tmp_path}/net.002")
    assert start.notes == ("checkpoints of later epochs than num_epochs = 9 are ignored: 1017",)


NOTES = [
    ({"load": "elsewhere/other.007", "start_epoch": 4}, 3, ["training starts at start_epoch = 4, in RETURNN at 1"]),
    ({"load": "elsewhere/other.007", "start_epoch": 1}, 0, []),
    ({"start_epoch": 3}, 2, ["epochs that have a checkpoint are trained again, because of start_epoch: 3, 4"]),
    ({"start_epoch": 5}, 4, []),
    ({"start_epoch": 1}, 0, ["epochs that have a checkpoint are trained again, because of start_epoch: 1, 2, 3, 4"]),
]


@pytest.mark.parametrize(("options", "epoch", "notes"), NOTES)
def test_explicit_start_epochs(tmp_path: Path, options: dict[str, Any], epoch: int, notes: list[str]) -> None:
    start = start_of(tmp_path, options, [f"net.{n:03d}" for n in range(1, 5)])
    assert (start.epoch, list(start.notes)) == (epoch, notes)


def test_an_import_that_is_not_used(tmp_path: Path) -> None:
    start = start_of(tmp_path, {"import_model_train_epoch1": "elsewhere/other.007", "start_epoch": 2})
    assert (start.epoch, start.checkpoint, start.first) == (1, None, True)
    assert start.notes == (
        "training starts at start_epoch = 2, in RETURNN at 1",
        "import_model_train_epoch1 is not used, since start_epoch is not 1",
    )


ERRORS = [
    (
        {"start_epoch": 4},
        "key 'start_epoch': there is no checkpoint {folder}/net.003\n  expected: one of the epochs 1, 2",
    ),
    (
        {"start_epoch": 0},
        "key 'start_epoch': option 'start_epoch' is out of range\n"
        "  expected: 'auto', or an epoch from 1\n  received: 0 (int)",
    ),
    (
        {"start_epoch": "first"},
        "key 'start_epoch': option 'start_epoch' has the wrong type\n"
        "  expected: 'auto', or an epoch from 1\n  received: 'first' (str)",
    ),
    (
        {"start_epoch": 3, "load_epoch": 1},
        "key 'load_epoch': start_epoch = 3 does not follow load_epoch = 1\n  expected: 2\n  received: 1\n"
        "  try: load, or import_model_train_epoch1, for a new training from a model",
    ),
    (
        {"task": "search", "load_epoch": 9},
        "key 'load_epoch': there is no checkpoint {folder}/net.009\n  expected: one of the epochs 1, 2",
    ),
]


@pytest.mark.parametrize(("options", "message"), ERRORS)
def test_errors(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        start_of(tmp_path, options, ["net.001", "net.002"])
    line = 2 + list({"model": "", **options}).index(list(options)[-1])
    assert str(caught.value) == f"{tmp_path}/net.py:{line}, {message.format(folder=tmp_path)}"


def test_only_later_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        start_of(tmp_path, {"task": "search"}, ["net.008"])
    assert str(caught.value) == (
        f"there is no checkpoint {tmp_path}/net.*\n"
        "  received: checkpoints of later epochs than num_epochs = 5 are ignored: 8\n"
        "  try: load_epoch, or a higher num_epochs"
    )
