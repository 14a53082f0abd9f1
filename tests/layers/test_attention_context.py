"""Attention contexts: what RETURNN cannot run here, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.layers.nets import refusal, run_net

DATA = {"data": {"dim": 3}, "p": {"dim": 1, "shape": (1,)}}
GAUSS = {"class": "gauss_window_attention", "from": "data:p", "base": "data", "window_size": 3}


def test_several_densities(tmp_path: Path) -> None:
    """``inner_size`` has an axis of its own in front of the features (RETURNN's layer fails on it)."""
    network = {"g": {**GAUSS, "inner_size": 2, "inner_size_step": 0.5, "std": 0.8}}
    x = np.random.default_rng(0).normal(size=(2, 6, 3)).astype(np.float32)
    position = np.array([[2.2], [4.9]], np.float32)
    result = run_net(tmp_path, network, DATA, {"data": x, "data/size1": np.array([6, 5]), "p": position})["output/g"]
    assert result.shape == (2, 2, 3)
    for row, length in enumerate((6, 5)):
        frames = np.round(position[row]) + np.array([-1, 0, 1])
        seen = x[row][np.clip(frames, 0, length - 1).astype(int)]
        for i, shift in enumerate((-1.0, -0.5)):
            away = position[row] + shift - frames
            weights = np.exp(-(away**2) / (2 * 0.8**2)) / (0.8 * np.sqrt(2 * np.pi))
            np.testing.assert_allclose(result[row, i], weights @ seen, rtol=1e-5)


def test_frames_before_the_first_one_come_from_runs_before(tmp_path: Path) -> None:
    layer = {"class": "self_attention", "num_heads": 1, "total_key_dim": 2, "n_out": 2, "from": "data"}

    def message(**options: Any) -> str:
        return refusal(tmp_path, {"x": {**layer, **options}}, DATA)

    place = f"layer 'x' ({tmp_path}/net.py:2, key 'initial_state')"
    assert message(initial_state="keep_over_epoch") == (
        f"{place}: without attention_left_only nothing says which frames of the runs before are seen\n"
        "  try: 'attention_left_only': True"
    )
    assert message(initial_state="data", attention_left_only=True) == (
        f"{place}: self_attention has frames before the first one only from runs before\n"
        "  expected: None, 0, 1, keep_over_epoch, keep_over_epoch_no_init\n"
        "  received: 'data'"
    )
    assert message(state_var_lengths="data") == (
        f"layer 'x' ({tmp_path}/net.py:2, key 'state_var_lengths'): the lengths of a given state are a tensor of "
        "TensorFlow's graph, which a compiled program has none of\n"
        "  try: leave it out: all frames of the state count"
    )


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        ({"class": "generic_attention", "weights": "data", "base": "data:p"}, "the base has no time axis"),
        (
            {"class": "generic_attention", "weights": "data", "base": "data", "from": "data"},
            "'base' only",
        ),
        ({"class": "dot_attention", "from": "data:p", "base": "data", "base_ctx": "data"}, "differ in their features"),
        ({**GAUSS, "n_out": 4}, "n_out is not the size"),
        ({**GAUSS, "from": "data"}, "a position is one number"),
    ],
)
def test_refusals(tmp_path: Path, layer: dict[str, Any], what: str) -> None:
    assert what in refusal(tmp_path, {"y": layer}, DATA)
