"""Each key with a value that asks for something: refused before TensorFlow is there, or it changes the run, or not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from compiler.checkpoint.reader import CheckpointReader
from returnn_ir.config.key import Verdict
from returnn_ir.config.keys import KEYS
from runtime.cli import main
from tests.runtime.key_values import CHANGES, EFFECTIVE, NO_EFFECT, REFUSED_RUNS

#: With the layer "whole", batches are made of sequences and not of frames.
CONFIG = """#!rnn.py
train = {{"class": "Task12AXDataset", "num_seqs": 12}}
dev = {{"class": "Task12AXDataset", "num_seqs": 5}}
extern_data = {{"data": {{"dim": 9}}, "classes": {{"dim": 2, "sparse": True}}}}
network = {{"whole": {{"class": "eval", "eval": "source(0)", "from": "data"}}, \
"output": {{"class": "softmax", "from": "whole", "loss": "ce"}}}}
batch_size = 200
learning_rate = 0.1
num_epochs = 2
model = {folder!r} + "/net"
learning_rate_file = {folder!r} + "/rates"
"""

Run = Mapping[str, object]


def write(folder: Path, lines: str = "") -> str:
    folder.mkdir()
    path = folder / "net.py"
    path.write_text(CONFIG.format(folder=str(folder)) + lines + "\n", encoding="utf-8")
    return str(path)


def result(folder: Path) -> Run:
    """What a training leaves behind: parameters of its checkpoints, rates and scores."""
    found: dict[str, object] = {}
    for index in sorted(folder.glob("net.[0-9][0-9][0-9].index")):
        reader = CheckpointReader.open(str(index).removesuffix(".index"))
        found |= {f"{index.stem}: {name}": reader.read(name).tolist() for name in reader.names()}
    rates = folder / "rates"
    lines = rates.read_text(encoding="utf-8").splitlines() if rates.exists() else []
    return found | {"rates": [line for line in lines if "time_secs" not in line]}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("plain") / "run"
    assert main([write(folder)]) == 0
    return result(folder)


@pytest.mark.parametrize("key", NO_EFFECT)
def test_keys_without_effect(tmp_path: Path, plain: Run, key: str) -> None:
    assert KEYS[key].verdict is Verdict.NO_EFFECT
    assert main([write(tmp_path / "run", f"{key} = {NO_EFFECT[key]}")]) == 0
    assert result(tmp_path / "run") == plain


@pytest.mark.parametrize("key", CHANGES)
def test_keys_that_are_done(tmp_path: Path, plain: Run, key: str) -> None:
    assert KEYS[key].verdict is Verdict.DONE
    assert main([write(tmp_path / "run", f"{key} = {CHANGES[key]}")]) == 0
    assert result(tmp_path / "run") != plain


@pytest.mark.parametrize("key", REFUSED_RUNS)
def test_keys_that_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str) -> None:
    assert KEYS[key].verdict is Verdict.REFUSED
    path = write(tmp_path / "run", f"{key} = {EFFECTIVE[key]}")
    assert main([path]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"returnn-run: {path}:11, key {key!r}: {key!r} is not available: {KEYS[key].text}\n")
    assert not list((tmp_path / "run").glob("net.0*"))


def test_each_row_has_an_effective_value() -> None:
    assert set(EFFECTIVE) == {name for name, key in KEYS.items() if key.verdict is Verdict.REFUSED}
    assert min(len(NO_EFFECT), len(CHANGES), len(REFUSED_RUNS)) >= 10


def test_the_whole_table_before_tensorflow(tmp_path: Path) -> None:
    """One process asks for each key that is not done, in each task; only the refused ones end the run."""
    path = write(tmp_path / "run")
    code = f"""
import sys
from returnn_ir.config import load_config
from returnn_ir.config.key import Verdict
from returnn_ir.config.keys import KEYS
from returnn_ir.errors import ProblemList
from runtime.tasks import evaluate, forward
from runtime.tasks.search import search
from runtime.tasks.training import train
from runtime.tasks.setup import Setup
from tests.runtime.key_values import EFFECTIVE

for name, key in KEYS.items():
    if key.verdict is Verdict.DONE:
        continue
    for task in ("train", "eval", "forward", "search"):
        config = load_config({path!r}, ["++task", task])
        config.set(name, eval(EFFECTIVE[name]) if name in EFFECTIVE else 1)
        try:
            Setup.from_config(config)
            refused = False
        except ProblemList as error:
            refused = any(f"{{name!r}} is not available: " in problem.what for problem in error.problems)
        assert refused == (key.verdict is Verdict.REFUSED and task in key.tasks), (name, task)
assert "tensorflow" not in sys.modules and "onnx" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
