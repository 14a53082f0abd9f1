"""The tool itself, on small configs like published ones."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.published.__main__ import main
from tests.published.children import Failed, run_each
from tests.published.configs import find_configs, is_network_config
from tests.published.report import normalized

#: Asserts a file that only its author has, caches it with a command, and imports a helper that is not here.
DATA = """#!rnn.py
import os
from subprocess import check_output
from helper_of_the_author import remove_silence
from returnn.import_ import import_
import_("github.com/rwth-i6/returnn-experiments", "common")
use_tensorflow = True
task = config.value("task", "train")
cached = check_output(["cf", "data/train.hdf"]).strip().decode("utf8")
assert os.path.exists(cached) and remove_silence(cached) and open("data/labels").read() is not None
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
BROKEN = "#!rnn.py\nuse_tensorflow = True\nnetwork = {\n"


def _checkout(folder: Path) -> Path:
    texts = {
        "a/good.config": GOOD,
        "a/second.config": SECOND_SEARCH,
        "b/broken.config": BROKEN,
        "b/rasr.config": "[*]\n",
    }
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_counts_outcomes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = tmp_path / "found.json"
    (tmp_path / "checkout").mkdir()
    assert main([str(_checkout(tmp_path / "checkout")), "--mode", "search", "--jobs", "2", "--json", str(found)]) == 0
    outcomes = {Path(o["config"]).name: o for o in json.loads(found.read_text(encoding="utf-8"))}
    assert {name: o["outcome"] for name, o in outcomes.items()} == {
        "good.config": "lowered",
        "second.config": "refused",
        "broken.config": "not loaded",
    }
    assert outcomes["good.config"]["searches"]
    assert outcomes["second.config"]["cause"].startswith("a search over the hypotheses of another search ('first')")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["configs found: 3", "loaded: 2", "accepted by the check: 1, with a search: 1"]
    assert "    1  syntax error in the config: '..' was never closed" in "\n".join(lines)


def test_what_counts_as_a_config(tmp_path: Path) -> None:
    assert [p.name for p in find_configs(_checkout(tmp_path))] == ["good.config", "second.config", "broken.config"]
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
