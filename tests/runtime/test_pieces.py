"""Trainings with chunks, context, windows, sequences left out and batches of frames have RETURNN's scores.

``record_pieces`` has recorded them; the losses of an epoch depend on every batch before.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.cli import main
from tests.runtime.record_pieces import CONFIGS, DATA, config_text, scores

RETURNN = json.loads(DATA.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CONFIGS)
def test_scores_of_a_training(tmp_path: Path, name: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(config_text(name, tmp_path), encoding="utf-8")
    assert main([str(path)]) == 0
    for ours, recorded in zip(scores(tmp_path), RETURNN[name], strict=True):
        assert ours == pytest.approx(recorded, rel=1e-5)
