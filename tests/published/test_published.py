"""The tool itself, on small configs like published ones."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from returnn_ir.config import Assumptions
from tests.published.__main__ import main
from tests.published.children import Failed, run_each
from tests.published.configs import find_configs, is_network_config
from tests.published.report import normalized
from tests.published.surroundings import Surroundings

#: Asserts a file that only its author has, caches it with a command, and imports a helper that is not here.
DATA = """#!rnn.py
import os
from subprocess import check_output
from helper_of_the_author import remove_silence
use_tensorflow = True
task = config.value("task", "train")
cached = check_output(["cf", "data/train.hdf"]).strip().decode("utf8")
assert os.path.exists(cached) and remove_silence(cached) == cached
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
def decoder(source):
    return {"class": "rec", "from": source, "target": "classes", "unit": {
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
        "embed": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
        "prob": {"class": "softmax", "from": ["data:source", "embed"], "target": "classes"}}}
"""
GOOD = (
    DATA
    + """
network = {"output": decoder("data")} if task == "search" else {"output": {"class": "no_such_layer"}}
"""
)
SECOND_SEARCH = (
    DATA
    + """
again = {"class": "linear", "n_out": 3, "from": "first"}
network = {"first": decoder("data"), "again": again, "output": decoder("again")}
"""
)
#: Takes a module of the history of the checkout, which this one has not.
HISTORY = """#!rnn.py
from returnn.import_ import import_
common = import_("github.com/rwth-i6/returnn-experiments", "common")
use_tensorflow = True
network = {}
"""
BROKEN = "#!rnn.py\nuse_tensorflow = True\nnetwork = {\n"


def _checkout(folder: Path) -> Path:
    texts = {
        "a/good.config": GOOD,
        "a/second.config": SECOND_SEARCH,
        "b/broken.config": BROKEN,
        "b/history.config": HISTORY,
        "b/rasr.config": "[*]\n",
    }
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _outcomes(folder: Path, *words: str) -> dict[str, dict[str, Any]]:
    """What becomes of each config; a module is given to them."""
    found, helper = folder / "found.json", folder / "helper.py"
    helper.write_text("def remove_silence(path):\n    return path\n", encoding="utf-8")
    (folder / "checkout").mkdir()
    given = ["--module", f"helper_of_the_author={helper}"]
    assert main([str(_checkout(folder / "checkout")), "--jobs", "2", "--json", str(found), *given, *words]) == 0
    return {Path(o["config"]).name: o for o in json.loads(found.read_text(encoding="utf-8"))}


def test_counts_outcomes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = _outcomes(tmp_path, "--mode", "search")
    assert {name: o["outcome"] for name, o in outcomes.items()} == {
        "good.config": "lowered",
        "second.config": "refused",
        "broken.config": "not loaded",
        "history.config": "not loaded",
    }
    assert outcomes["good.config"]["searches"] and not outcomes["broken.config"]["searches"]
    assert outcomes["good.config"]["assumed"] == 2
    assert outcomes["second.config"]["cause"].startswith("a search over the hypotheses of another search ('first')")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:9] == [
        "accepted by the check: 1 of 4",
        "    of those with a search: 1 of 2",
        "",
        "| outcome | configs | with a search |",
        "|---|---:|---:|",
        "| not loaded | 2 | 0 |",
        "| refused | 1 | 1 |",
        "| lowered | 1 | 1 |",
        "",
    ]
    assert lines[9].startswith("processor seconds of a check: 50 % in 0.")
    assert lines[-3] == "mode search, lowered for onnx; 1 modules given"
    assert "    1  syntax error in the config: '..' was never closed" in "\n".join(lines)


def test_a_training_is_checked_and_not_lowered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = _outcomes(tmp_path, "--mode", "train", "--only", "second")
    assert {name: o["outcome"] for name, o in outcomes.items()} == {"second.config": "accepted"}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "accepted by the check: 1 of 1"
    assert lines[-3] == "mode train; 1 modules given"


def test_what_the_checkout_has_elsewhere(tmp_path: Path) -> None:
    """Folders of it are where their authors had them, and modules only come with stand-ins."""
    checkout = tmp_path / "checkout"
    (checkout / "2020-phone-bpe-attention" / "scripts").mkdir(parents=True)
    around = Surroundings.of_checkout(checkout, tmp_path / "history", stand_ins=False)
    assert around.assume == Assumptions(
        True, {"/u/tng/src/phone-bpe-tools": str(checkout / "2020-phone-bpe-attention" / "scripts")}
    )
    around = Surroundings.of_checkout(checkout, tmp_path / "history", stand_ins=True)
    assert list(around.assume.modules) == ["cachemanager"]
    path = checkout / "2020-lm-integration" / "lstm_lm_mmi.config"
    assert around.options(path) == ("++ext_model", "/model", "++ext_data_path", "/data/")
    assert around.options(checkout / "other.config") == ()


def test_what_counts_as_a_config(tmp_path: Path) -> None:
    assert [p.name for p in find_configs(_checkout(tmp_path))] == [
        "good.config",
        "second.config",
        "broken.config",
        "history.config",
    ]
    assert is_network_config("def get_network(epoch):\n    return {}\n")
    assert not is_network_config('backend = "torch"\ndef get_network(epoch):\n    return {}\n')
    assert not is_network_config('{"network": "{}"}')
    assert not is_network_config("use_tensorflow = True\ntask = 'nop'\n")


def _task(name: str) -> str:
    if name == "hangs":
        time.sleep(60)
    if name == "crashes":
        os._exit(3)
    return name.upper()


def test_no_task_stops_the_others() -> None:
    found = dict(run_each(_task, ["a", "hangs", "crashes", "b"], jobs=2, seconds=1.0))
    assert found == {
        "a": "A",
        "hangs": Failed("not done after 1 s"),
        "crashes": Failed("its process died"),
        "b": "B",
    }


def test_causes_are_counted_without_names_and_numbers() -> None:
    one = "no layer 'enc' [B, T]; expected: 3 of /a/b.config"
    other = "no layer 'dec' [B]; expected: 12 of\n/c.d/e"
    assert normalized(one) == normalized(other) == "no layer '..' [..]; expected: N of .."
    assert normalized("the config's own layer class 'a'") == "the config's own layer class '..'"
