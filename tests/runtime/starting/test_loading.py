"""What runs load, value for value as RETURNN; all of it on NumPy."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.checkpoint.reader import CheckpointReader
from compiler.program.program import compile_net
from compiler.target.protocol import Array
from returnn_ir.config import load_config
from returnn_ir.errors import UserError
from runtime.checkpoints.files import GLOBAL_STEP
from runtime.model.loaded_values import loaded_values
from runtime.tasks.setup import Setup
from tests.runtime.starting.cases import CASES, CHECKPOINTS, ERRORS, OWN, checkpoint_values

DATA = Path(__file__).parent / "data"
LOADED: Mapping[str, dict[str, Any]] = json.loads((DATA / "loaded.json").read_text(encoding="utf-8"))
ENDINGS = (".index", ".data-00000-of-00001")


def config_of(folder: Path, name: str, text: str) -> Path:
    """The config in a folder with all checkpoints."""
    for index in (DATA / "checkpoints").glob("*.index"):
        for ending in ENDINGS:
            (folder / f"{index.stem}{ending}").symlink_to(index.with_suffix("").with_name(f"{index.stem}{ending}"))
    for own, other in OWN.get(name, {}).items():
        for ending in ENDINGS:
            shutil.copy(DATA / "checkpoints" / f"{other}{ending}", folder / f"{own}{ending}")
    path = folder / "net.py"
    path.write_text(f"#!rnn.py\nFOLDER = {str(folder)!r}\n{text}", encoding="utf-8")
    return path


def begun(path: Path) -> tuple[Setup, dict[str, Array], list[str]]:
    """A run's options, the values that it begins with, and what it says about them."""
    setup = Setup.from_config(load_config(str(path)))
    if setup.options.task != "train":
        setup.require_checkpoint()
    mode = "train" if setup.options.task == "train" else "eval"
    program = compile_net(setup.net, target="reference", mode=mode)
    values, plan = loaded_values(setup.start.loading_of(setup.net), program.params, 42)
    return setup, values, [line for coverage in plan.coverage for line in coverage.lines()]


@pytest.mark.parametrize("name", CASES)
def test_as_returnn(tmp_path: Path, name: str) -> None:
    setup, values, _ = begun(config_of(tmp_path, name, CASES[name]))
    theirs = LOADED[name]
    expected = {variable: np.asarray(value) for variable, value in theirs["values"].items()}
    assert set(values) == set(expected)
    for variable, value in expected.items():
        np.testing.assert_array_equal(values[variable], value, err_msg=variable)
        assert values[variable].dtype == (np.int64 if variable == GLOBAL_STEP else np.float32)
    if setup.options.task == "train":
        assert setup.start.epoch + 1 == theirs["first_epoch"]
    else:
        assert max(setup.start.epoch, 1) == theirs["epoch"]


def test_the_checkpoints_are_what_they_were_made_of() -> None:
    for name in CHECKPOINTS:
        reader, values = CheckpointReader.open(DATA / "checkpoints" / name), checkpoint_values(name)
        assert reader.names() == sorted(values)
        assert all(np.array_equal(reader.read(variable), value) for variable, value in values.items())
