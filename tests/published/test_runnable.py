"""Trainings of small configs like published ones: prepared, and run over a change of the network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from returnn_ir.config import Assumptions, load_config
from runtime.datasets import init_dataset
from tests.published import runnable
from tests.published.__main__ import main
from tests.published.changes import change_of, spread
from tests.published.stand_in import StandIn
from tests.published.surroundings import Surroundings

#: Data of a corpus that nobody here has; two epochs of a small network, then it grows.
GROWS = """#!rnn.py
import os
from helper_of_the_author import remove_silence
use_tensorflow = True
task = config.value("task", "train")
assert os.path.exists("/work/corpus/train.hdf") and remove_silence("/work/corpus/train.hdf")
train = {"class": "LibriSpeechCorpus", "path": "/work/corpus", "seq_ordering": "laplace:.1000"}
dev = {"class": "LibriSpeechCorpus", "path": "/work/corpus", "fixed_random_seed": 1}
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
chunking = ({"data": 20, "classes": 10}, {"data": 10, "classes": 5})
batch_size = 200
max_seqs = 4
optimizer = {"class": "adam"}
learning_rate = 0.001
num_epochs = 20
model = "/work/models/network"

def construct(idx, net_dict):
    if idx > 1:
        return None
    net_dict["lstm"]["n_out"] = 2 + 2 * idx
    if idx:
        net_dict["#config"] = {"train": dict(train, seq_ordering="random"), "batch_size": 100}
    return net_dict

pretrain = {"repetitions": 2, "construction_algo": construct, "copy_param_mode": "subset"}
network = {
    "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 5, "from": "data"},
    "pool": {"class": "pool", "mode": "max", "pool_size": (2,), "padding": "same", "from": "lstm"},
    "output": {"class": "softmax", "from": "pool", "loss": "ce", "target": "classes"}}
"""
TEXTS = {
    "a/grows.config": GROWS,
    "a/stays.config": GROWS.replace("pretrain = ", "_ = "),
    "b/no_data.config": GROWS.replace("train = {", "_ = {", 1).replace("dict(train, ", "dict("),
    "b/broken.config": "#!rnn.py\nuse_tensorflow = True\nnetwork = {\n",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with configs, and beside it the helper that one of them imports."""
    (tmp_path / "helper.py").write_text("def remove_silence(path):\n    return path\n", encoding="utf-8")
    for name, text in TEXTS.items():
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "checkout"


def _given(checkout: Path) -> list[str]:
    return ["--module", f"helper_of_the_author={checkout.parent / 'helper.py'}"]


def _around(checkout: Path) -> Surroundings:
    modules = {"helper_of_the_author": checkout.parent / "helper.py"}
    return Surroundings(Assumptions(files=True, modules=modules), checkout)


def _outcomes(checkout: Path, *words: str) -> tuple[int, dict[str, dict[str, object]]]:
    found = checkout.parent / "found.json"
    code = main([str(checkout), "--runnable", "--jobs", "2", "--json", str(found), *_given(checkout), *words])
    return code, {Path(o["config"]).name: o for o in json.loads(found.read_text(encoding="utf-8"))}


def test_prepares_trainings(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, outcomes = _outcomes(checkout)
    assert code == 0
    assert {name: (o["outcome"], o["cause"]) for name, o in outcomes.items()} == {
        "grows.config": ("runs", ""),
        "stays.config": ("runs", ""),
        "no_data.config": ("refused", "there is no training data; expected: train = {...}"),
        "broken.config": (
            "not loaded",
            "syntax error in the config: '{' was never closed; received: network = {",
        ),
    }
    assert (outcomes["grows.config"]["networks"], outcomes["stays.config"]["networks"]) == (3, 1)
    batches = outcomes["grows.config"]["batches"]
    assert isinstance(batches, int) and batches > 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == ["configs found: 4", "loaded: 3", "not loaded: 1", "refused: 1", "died: 0", "runs: 2"]
    assert "networks constructed: 4" in lines


def test_an_exception_that_is_no_message_is_a_death(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*args: object, **options: object) -> None:
        raise ValueError("no plan")

    monkeypatch.setattr(runnable, "plan_epoch", dies)
    code, outcomes = _outcomes(checkout, "--only", "stays")
    assert code == 1
    assert outcomes["stays.config"]["cause"] == "ValueError: no plan (test_runnable.py, dies)"


def test_lengths_of_a_stand_in_make_equally_many_chunks(checkout: Path, tmp_path: Path) -> None:
    config = load_config(checkout / "a" / "grows.config", assume=_around(checkout).assume)
    described = StandIn.write(config, tmp_path).dataset({"class": "LibriSpeechCorpus", "seq_ordering": "sorted"})
    assert (described["class"], described["seq_ordering"]) == ("MetaDataset", "sorted")
    with init_dataset(described) as dataset:
        sequences = list(dataset.epoch(1))
    assert len(sequences) == 10
    for seq in sequences:
        assert (seq.lengths["data"] - 1) // 10 == (seq.lengths["classes"] - 1) // 5
        assert seq.data["data"].shape[1] == 3 and seq.data["data"].dtype == np.float32
        assert set(seq.data["classes"]) <= {1, 2}


@pytest.mark.parametrize(
    ("extern_data", "shapes"),
    [
        ({"data": {"dim": 3}}, {"data": (None, 3)}),
        ({"data": {"dim": 1, "shape": (None, 1)}, "text": {"dim": 9, "sparse": True}}, {"text": (None,)}),
        ({"audio": {"dim": 3}, "speaker": {"dim": 5, "sparse": True, "shape": (None,)}}, {"audio": (None, 3)}),
    ],
)
def test_data_of_a_stand_in_have_the_networks_shapes(
    extern_data: dict[str, object], shapes: dict[str, tuple[int | None, ...]], tmp_path: Path
) -> None:
    path = tmp_path / "net.py"
    path.write_text(f"extern_data = {extern_data!r}\n", encoding="utf-8")
    with init_dataset(StandIn.write(load_config(path), tmp_path).dataset(None)) as dataset:
        assert set(dataset.specs) == set(extern_data)
        assert {key: dataset.specs[key].shape for key in shapes} == shapes
        assert len(list(dataset.epoch(1))) == 10


def test_changes_are_looked_for_in_every_folder(checkout: Path) -> None:
    paths = [checkout / name for name in sorted(TEXTS)]
    assert [p.name for p in spread(paths, checkout)] == [
        "grows.config",
        "broken.config",
        "stays.config",
        "no_data.config",
    ]
    assert {p.name: change_of(p, _around(checkout)) for p in paths} == {
        "grows.config": (2, "in lstm, #config"),
        "stays.config": None,
        "no_data.config": None,
        "broken.config": None,
    }


def test_trains_over_a_change(checkout: Path) -> None:
    found = checkout.parent / "found.json"
    command = [
        sys.executable,
        "-m",
        "tests.published",
        str(checkout),
        "--run",
        "1",
        "--jobs",
        "1",
        "--json",
        str(found),
        *_given(checkout),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (outcome,) = json.loads(found.read_text(encoding="utf-8"))
    assert (Path(outcome["config"]).name, outcome["outcome"], outcome["epochs"]) == ("grows.config", "trained", [2, 3])
    assert (outcome["taken_over"], outcome["anew"]) == (5, 0)
    assert [sorted(scores) for scores in outcome["scores"]] == [
        ["dev_error", "dev_score", "train_error", "train_score"]
    ] * 2
    assert any(
        line.startswith("| a/grows.config | 2, 3 | in lstm, #config | 5 | 0 |") for line in done.stdout.splitlines()
    )
