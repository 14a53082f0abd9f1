"""A training that RETURNN began goes on here as it goes on in RETURNN: nets that grow, nadam, newbob_multi_epoch.

``two_way.py`` recorded what RETURNN does, and lets it take over from us again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compiler.checkpoint.reader import CheckpointReader
from runtime.checkpoints.files import existing_checkpoints, save_checkpoint
from runtime.cli import main
from runtime.learning_rate.file import parse_history
from tests.runtime.two_way import DATA, EPOCHS

#: The epochs of pretraining; the other case has none.
_PRETRAINED = {"blstm": 5, "attention": 0}


@pytest.mark.parametrize("first", EPOCHS[:-1])
@pytest.mark.parametrize("case", _PRETRAINED)
def test_it_goes_on_as_in_returnn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, first: int) -> None:
    recorded, last = np.load(DATA / f"{case}.npz"), EPOCHS[EPOCHS.index(first) + 1]
    values = {n.partition("/")[2]: recorded[n] for n in recorded.files if n.startswith(f"{first}/")}
    save_checkpoint(str(tmp_path / "net"), first, values, pretrain=first <= _PRETRAINED[case])
    lines = str(recorded["learning_rates"])
    end = lines.index(f"\n{first + 1}: ") + 1
    (tmp_path / "learning_rates").write_text(lines[:end] + "}\n", encoding="utf-8")
    monkeypatch.setenv("TWO_WAY_FOLDER", str(tmp_path))
    assert main([str(DATA / f"{case}.config"), "++num_epochs", str(last)]) == 0
    found = CheckpointReader.open(existing_checkpoints(str(tmp_path / "net"))[last])
    expected = {n.partition("/")[2]: recorded[n] for n in recorded.files if n.startswith(f"{last}/")}
    assert set(found.names()) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found.read(name), value, rtol=0, atol=1e-5, err_msg=name)
    _compare_histories((tmp_path / "learning_rates").read_text(encoding="utf-8"), lines, last)


def _compare_histories(text: str, recorded: str, last: int) -> None:
    """Rates to the last digit; scores are sums of float32 numbers in RETURNN."""
    ours, theirs = parse_history(text), parse_history(recorded)
    assert set(ours) == set(range(1, last + 1))
    for epoch, data in ours.items():
        assert data.learning_rate == theirs[epoch].learning_rate
        assert data.scores.keys() == theirs[epoch].scores.keys()
        for key, score in data.scores.items():
            assert score == pytest.approx(theirs[epoch].scores[key], rel=1e-5), (epoch, key)
        meta, expected = dict(data.meta), dict(theirs[epoch].meta)
        assert meta.keys() == expected.keys()
        assert {**meta, "epoch_train_time_secs": 0} == {**expected, "epoch_train_time_secs": 0}
