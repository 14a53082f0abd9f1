"""Each way to refuse a run before it starts, with its whole message: lines added to a config, and what is said.

``tests/refused/runs.txt`` has ``$ returnn-run net.py ...`` and these lines; TensorFlow is not started for it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.cli import main
from runtime.engine import Engine
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
ENTRIES = read("runs.txt")


def _no_model(*_: object) -> None:
    raise AssertionError("the run was accepted")


def refusal(entry: Entry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What ``returnn-run`` prints, without TensorFlow."""
    monkeypatch.setattr(Engine, "start_tensorflow", lambda self: None)
    for place in ("runtime.engine.Model", "runtime.search.compile_net", "runtime.forward.compile_net"):
        monkeypatch.setattr(place, _no_model)
    Path("net.py").write_text(CONFIG + "".join(f"{line}\n" for line in entry.lines), encoding="utf-8")
    main(entry.command.split()[1:])
    return capsys.readouterr().err.strip()


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_the_whole_message(
    entry: Entry, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(entry, capsys, monkeypatch) == entry.message
