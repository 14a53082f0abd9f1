"""``--assume-files``, ``--map-path``, ``--module`` and ``--task`` on the command lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.cli import main
from runtime.cli import main as run

GOLDEN = Path(__file__).parents[1] / "golden" / "dense"
CONFIG = """
import os
from helper import size
assert os.path.exists("/no/features.hdf")
task = config.value("task", "train")
extern_data = {"data": {"dim": size}}
network = {"output": {"class": "softmax", "from": "data", "n_out": 4}}
if task == "search":
    network["output"] = {"class": "softmax", "from": "data", "n_out": 7}
"""


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A command line that checks a config which needs more than is here."""
    (tmp_path / "net.py").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "given.py").write_text("size = 3\n", encoding="utf-8")
    return [str(tmp_path / "net.py"), "--assume-files", "--module", f"helper={tmp_path / 'given.py'}"]


def test_lists_what_was_assumed(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert "1 layers, 16 parameters" in out and "taken for given" not in out
    assert err == (
        f"taken for given:\n  module helper: {tmp_path / 'given.py'}\n"
        "  /no/features.hdf: a file or folder that exists\n"
    )


def test_the_list_comes_with_an_error_too(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = CONFIG.replace('"class": "softmax"', '"class": "softmux"')
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("taken for given:\n") and "unknown layer class 'softmux'" in err


def test_says_what_to_try_without_them(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([words[0]]) == 2
    assert capsys.readouterr().err == (
        f"returnn-compile: {tmp_path}/net.py:3: the config raised ModuleNotFoundError: No module named 'helper'\n"
        "  try: install the module 'helper', or put it where Python finds it (PYTHONPATH), or --module helper=FILE\n"
    )


def test_a_module_that_is_not_there(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([words[0], "--module", "helper=/no/helper.py"]) == 2
    assert capsys.readouterr().err == (
        "returnn-compile: command line: no such file for the module 'helper': /no/helper.py\n"
    )


def test_a_comparison_lists_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = tmp_path / "net.py"
    net.write_text(
        f"import os\nassert os.path.exists('/no/file')\n{(GOLDEN / 'reuse_simple.py').read_text()}", encoding="utf-8"
    )
    code = main([str(net), "--check", str(GOLDEN / "reuse_simple.npz"), "--assume-files"])
    assert (code, capsys.readouterr().err) == (0, "taken for given:\n  /no/file: a file or folder that exists\n")


def test_nothing_is_written_of_assumed_files(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--target", "onnx", "-o", str(tmp_path / "m.onnx")]) == 2
    assert capsys.readouterr().err == (
        "returnn-compile: --assume-files is for a check: nothing is written of it\n  try: --map-path OLD=NEW\n"
    )


@pytest.mark.parametrize(
    ("more", "parameters"),
    [
        ([], 16),
        (["--mode", "search"], 28),
        (["--mode", "search", "--task", "train"], 16),
        (["--mode", "search", "++task", "eval"], 16),
        (["--mode", "forward", "--task", "search"], 28),
        (["++task", "search"], 28),
    ],
)
def test_the_task(more: list[str], parameters: int, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A search loads the config for it, whatever the config says; the command line wins."""
    assert main([*words, *more]) == 0
    assert f" {parameters} parameters" in capsys.readouterr().out


@pytest.mark.parametrize(("mode", "size"), [("eval", 4), ("search", 7)])
def test_a_comparison_is_in_the_recorded_mode(
    mode: str, size: int, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = {"output": {"kinds": ["batch", "dynamic:data.T", f"static:{size}"]}}
    meta = {"case": {"search": mode == "search"}, "layers": layers}
    arrays: dict[str, Any] = {
        "meta": np.array(json.dumps(meta)),
        "input/data": np.zeros((1, 2, 3), np.float32),
        "input/data/size1": np.array([2]),
        "param/output/W": np.zeros((3, size), np.float32),
        "param/output/b": np.zeros(size, np.float32),
        "output/output": np.full((1, 2, size), 1 / size, np.float32),
        "output/output/size1": np.array([2]),
    }
    np.savez(tmp_path / "net.npz", **arrays)
    assert main([*words, "--check"]) == 0, capsys.readouterr()
    assert main([*words, "--mode", mode, "--check"]) == 2
    assert "--check compares in the mode that was recorded" in capsys.readouterr().err


def test_a_run_reads_its_files(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    assert capsys.readouterr().err == (
        "returnn-run: --assume-files is for a check, and a run reads its files\n"
        "  try: --map-path OLD=NEW says where they are; returnn-compile --assume-files checks a network without them\n"
    )


def test_a_run_needs_a_config(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--map-path", "/old=/new"]) == 2
    assert capsys.readouterr().err == (
        "returnn-run: command line: no config is named\n  expected: returnn-run config.py ...\n  try: --help\n"
    )


def test_a_run_takes_paths_and_modules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.py").write_text("import helper\ntask = helper.task\ntrain = '/old/x'\n", encoding="utf-8")
    (tmp_path / "given.py").write_text("task = 'no_task'\n", encoding="utf-8")
    words = [f"--map-path=/old={tmp_path}", str(tmp_path / "net.py"), "--module", f"helper={tmp_path / 'given.py'}"]
    assert run([*words, "++num_epochs", "3"]) == 2
    assert "there is no task 'no_task'" in capsys.readouterr().err
