"""``extern_data`` and the old ``num_inputs``/``num_outputs`` give the same dicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from returnn_ir.config import load_config
from returnn_ir.errors import ConfigError

DENSE = {"dim": 5, "shape": (None, 5), "available_for_inference": True}
LABELS = {"dim": 3, "shape": (None,), "sparse": True, "available_for_inference": False}


def spec(folder: Path, text: str) -> dict[str, dict[str, Any]]:
    path = folder / "net.config"
    path.write_text(text, encoding="utf-8")
    return load_config(path).extern_data_spec()


@pytest.mark.parametrize(
    "text",
    [
        "#!rnn.py\nnum_inputs = 5\nnum_outputs = 3\n",
        "#!rnn.py\nnum_inputs = 5\nnum_outputs = {'classes': 3}\n",
        "#!rnn.py\nnum_inputs = 5\nnum_outputs = {'classes': (3, 1)}\n",
        "#!rnn.py\nnum_outputs = {'classes': [3, 1], 'data': [5, 2]}\n",
        "#!rnn.py\nnum_outputs = {'classes': [3, 1], 'data': 5}\n",
        "#!rnn.py\nextern_data = {'classes': (3, 1), 'data': (5, 2)}\n",
        '{"num_inputs": 5, "num_outputs": {"classes": [3, 1]}}',
        "num_inputs 5\nnum_outputs 3\n",
    ],
)
def test_old_spellings(tmp_path: Path, text: str) -> None:
    assert spec(tmp_path, text) == {"data": DENSE, "classes": LABELS}


def test_other_keys(tmp_path: Path) -> None:
    assert spec(tmp_path, "num_inputs 5\nnum_outputs 3\ntarget phones\ndefault_input features\n") == {
        "features": DENSE,
        "phones": LABELS,
    }
    assert spec(tmp_path, "num_inputs 3\nnum_outputs 3\nsparse_input true\n")["data"] == {
        **LABELS,
        "available_for_inference": True,
    }
    text = "#!rnn.py\nnum_outputs = {'data': {'dim': 5}, 'image': (7, 3)}\n"
    assert spec(tmp_path, text) == {
        "data": {"dim": 5, "available_for_inference": True},
        "image": {"dim": 7, "shape": (None, None, 7), "available_for_inference": False},
    }


def test_extern_data_is_copied_and_wins(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("num_inputs = 9\nextern_data = {'data': {'dim': 5}, 'c': {'dim': 3, 'sparse': True}}\n")
    config = load_config(path)
    assert config.extern_data_spec() == {
        "data": {"dim": 5, "available_for_inference": True},
        "c": {"dim": 3, "sparse": True, "available_for_inference": False},
    }
    assert config["extern_data"] == {"data": {"dim": 5}, "c": {"dim": 3, "sparse": True}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#!rnn.py\nx = 1\n", "does not say what its inputs are"),
        ("#!rnn.py\nnum_inputs = 5\n", "does not say what its inputs are"),
        ("#!rnn.py\nextern_data = 5\n", "net.config:2"),
        ("#!rnn.py\nextern_data = {'data': 5}\n", "for 'data' a dict of options"),
        ("#!rnn.py\nnum_inputs = 5\nnum_outputs = {'classes': (3, 0)}\n", "for 'classes'"),
    ],
)
def test_errors(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        spec(tmp_path, text)
    assert message in str(caught.value)
