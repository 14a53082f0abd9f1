"""Each way to refuse a command before it starts, with its whole message: lines added to a config, and what is said.

``runs.txt``, ``compilations.txt`` and ``schedules.txt`` have ``$ returnn-run ...`` or ``$ returnn-compile ...`` and
these lines; TensorFlow is not started for them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import compiler.cli
import runtime.cli
from runtime.tasks.setup import Setup
from tests.refused.transcripts import Entry, read

CONFIG = """#!rnn.py
train = {"class": "Task12AXDataset", "num_seqs": 12}
dev = {"class": "Task12AXDataset", "num_seqs": 5}
extern_data = {"data": {"dim": 9}, "classes": {"dim": 2, "sparse": True}}
network = {"output": {"class": "softmax", "from": "data", "loss": "ce"}}
batch_size = 200
learning_rate = 0.1
num_epochs = 2
model = "net"
learning_rate_file = "rates"
"""
PROGRAMS = {"returnn-run": runtime.cli.main, "returnn-compile": compiler.cli.main}
ENTRIES = [*read("runs.txt"), *read("compilations.txt"), *read("schedules.txt")]


def write_files() -> None:
    """What the commands name: parameters of another shape, none at all, and numbers."""
    other: dict[str, Any] = {"param/output/W": np.zeros((2, 2)), "param/output/b": np.zeros(2)}
    np.savez("other.npz", **other)
    np.savez("empty.npz", nothing=np.zeros(1))
    Path("numbers.txt").write_text("1 2 3\n", encoding="utf-8")


def _no_model(*_: object, **__: object) -> None:
    raise AssertionError("the run was accepted")


def refusal(entry: Entry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command prints, without TensorFlow."""
    monkeypatch.setattr(Setup, "start_tensorflow", lambda self: None)
    monkeypatch.setattr("runtime.model.steps.compile_net", _no_model)
    write_files()
    Path("net.py").write_text(CONFIG + "".join(f"{line}\n" for line in entry.lines), encoding="utf-8")
    program, *words = entry.command.split()
    assert PROGRAMS[program](words) == 2
    return capsys.readouterr().err.strip()


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_the_whole_message(
    entry: Entry, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(entry, capsys, monkeypatch) == entry.message
