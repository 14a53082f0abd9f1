"""What a choice does not take."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.cli import main

CONFIG = """
extern_data = {"data": {"dim": 3}, "labels": {"dim": 4, "sparse": True}}
network = {"output": {"class": "rec", "from": "data", "target": "labels", "unit": {
  "both": {"class": "combine", "kind": "add", "from": ["data:source", "base:labels_embedded"]},
  "prob": {"class": "softmax", "from": "both", "n_out": 4},
  "output": {"class": "choice", "from": "prob", "beam_size": 2, "target": "labels", "initial_output": 0}}},
  "labels_embedded": {"class": "linear", "activation": None, "n_out": 3, "from": "data:labels"}}
"""


def test_scores_of_further_axes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A net for training on all alignments has scores of every position in the labels: nothing to search in."""
    path = tmp_path / "net.py"
    path.write_text(CONFIG, encoding="utf-8")
    assert main([str(path), "--mode", "search"]) == 2
    assert capsys.readouterr().err == (
        f"returnn-compile: layer 'output/output' ({path}:6, key 'from'): a choice is one of the labels, and its source "
        "has a further axis\n"
        "  expected: scores of the axes B and output/output.labels\n"
        "  received: float32[B, labels.T, output/output.labels]\n"
    )
