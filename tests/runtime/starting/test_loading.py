"""What runs load, value for value as RETURNN; all of it on NumPy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.checkpoint.reader import CheckpointReader
from compiler.program.parameters import checkpoint_parameters
from compiler.program.program import compile_net
from compiler.target.protocol import Array
from returnn_ir.config import load_config
from returnn_ir.errors import DataError, UserError
from runtime.checkpoints.files import GLOBAL_STEP
from runtime.model.loaded_values import loaded_values
from runtime.tasks.setup import Setup
from tests.runtime.starting.cases import CASES, CHECKPOINTS, ERRORS, OWN, checkpoint_values
from tests.runtime.starting.messages import FURTHER, MESSAGES

DATA = Path(__file__).parent / "data"
LOADED: Mapping[str, dict[str, Any]] = json.loads((DATA / "loaded.json").read_text(encoding="utf-8"))
ENDINGS = (".index", ".data-00000-of-00001")
#: What differs on purpose: a resumed training keeps what it has trained, RETURNN sets it back to ``load_on_init``.
KEPT = "resumed, with load_on_init"


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


@pytest.mark.parametrize("name", [name for name in CASES if name != KEPT])
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


def test_a_resumed_training_keeps_what_it_has_trained(tmp_path: Path) -> None:
    values = begun(config_of(tmp_path, KEPT, CASES[KEPT]))[1]
    assert LOADED[KEPT]["values"]["sub/h/b"] == checkpoint_values("inner.009")["h/b"].tolist()
    for name, value in checkpoint_values("whole.008").items():
        np.testing.assert_array_equal(values[name], value)


def test_initial_values_are_asked_for_only_where_no_file_has_them(tmp_path: Path) -> None:
    """So a resumed training needs no file of ``load_on_init`` any more."""
    path = config_of(tmp_path, KEPT, CASES[KEPT])
    (tmp_path / "inner.009.index").unlink()
    assert begun(path)[1]["sub/h/b"].tolist() == checkpoint_values("whole.008")["sub/h/b"].tolist()
    (tmp_path / "net.003.index").unlink()
    with pytest.raises(DataError, match="no such checkpoint"):
        begun(path)


@pytest.mark.parametrize("name", ["not critical", "load_on_init of what load lacks"])
def test_an_export_takes_the_same_values(tmp_path: Path, name: str) -> None:
    setup, values, _ = begun(config_of(tmp_path, name, CASES[name]))
    program = compile_net(setup.net, target="reference")
    exported = checkpoint_parameters(program, str(setup.start.checkpoint))
    assert set(exported) == set(program.params)
    for variable, value in exported.items():
        np.testing.assert_array_equal(value, values[variable])


def test_the_optional_file_of_a_subnetwork(tmp_path: Path) -> None:
    """What it lacks comes from the checkpoint."""
    text = CASES["load_on_init wins"].replace(
        'FOLDER + "/inner.009"', '{"filename": FOLDER + "/lm.007", "ignore_missing": True}'
    )
    values = begun(config_of(tmp_path, "", text))[1]
    np.testing.assert_array_equal(values["sub/h/W"], checkpoint_values("lm.007")["h/W"])
    np.testing.assert_array_equal(values["sub/output/W"], checkpoint_values("whole.008")["sub/output/W"])


def test_many_missing_variables_are_one_problem(tmp_path: Path) -> None:
    layers = "".join(f'network["h{n}"] = linear("data", is_output_layer=True)\n' for n in range(6))
    with pytest.raises(UserError) as caught:
        begun(config_of(tmp_path, "", CASES["load"] + layers))
    assert without(tmp_path, str(caught.value)) == (
        "am.003: the checkpoint lacks 12 of 17 variables\n"
        "  expected: h0/W, h0/b, h1/W, h1/b, h2/W, h2/b, h3/W, h3/b ... (12)\n"
        "  received: nothing else\n"
        "  try: load_ignore_missing_vars = True, if the file has only a part of the network"
    )


# ---------------------------------------------------------------- what is told


REMARKS = {
    "load": [],
    "preload of all": ["preloaded {folder}/am.003 ('a'): 4 variables"],
    "preload with import": ["preloaded {folder}/lm.007 ('lm'): 2 variables"],
    "the first of two files": [
        "{folder}/part.005 ('a') has 1 of 4 variables",
        "  layers without a value: output",
        "  of layer h not: b",
        "  variables of the file that are not used: global_step, other/W",
        "preloaded {folder}/am.003 ('b'): 3 variables",
    ],
    "load_ignore_missing_vars": [
        "{folder}/part.005 has 2 of 5 variables",
        "  layers without a value: output",
        "  of layer h not: b",
        "  variables of the file that are not used: other/W",
    ],
    "random model": [
        "{folder}/lm.007 ('a') has 2 of 4 variables",
        "  layers without a value: output",
        "  variables of the file that are not used: global_step",
    ],
}


@pytest.mark.parametrize("name", REMARKS)
def test_what_is_said(tmp_path: Path, name: str) -> None:
    lines = begun(config_of(tmp_path, name, CASES[name]))[2]
    assert lines == [line.format(folder=tmp_path) for line in REMARKS[name]]


def test_entries_that_a_training_does_not_use(tmp_path: Path) -> None:
    setup = Setup.from_config(load_config(str(config_of(tmp_path, "", CASES["not for training"]))))
    assert setup.start.notes == ("preload_from_files: not for a training, without init_for_train: 'a', 'b'",)
    setup = Setup.from_config(load_config(str(config_of_searched(tmp_path / "searched"))))
    assert setup.start.notes == ()


def config_of_searched(folder: Path) -> Path:
    folder.mkdir()
    return config_of(folder, "", CASES["searched"])


def without(folder: Path, text: str) -> str:
    """A message without the folder of its paths."""
    return text.replace(f"{folder}/", "").replace(str(folder), "FOLDER")


@pytest.mark.parametrize("name", ERRORS)
def test_errors(tmp_path: Path, name: str) -> None:
    assert "error" in LOADED[name]
    with pytest.raises(UserError) as caught:
        begun(config_of(tmp_path, name, ERRORS[name]))
    assert without(tmp_path, str(caught.value)) == MESSAGES[name]


@pytest.mark.parametrize(("line", "message"), FURTHER)
def test_further_errors(tmp_path: Path, line: str, message: str) -> None:
    base = CASES["pretrained"]
    with pytest.raises(UserError) as caught:
        begun(config_of(tmp_path, "", base + line + "\n"))
    assert without(tmp_path, str(caught.value)) == message
