"""batch_norm: modes and state; norms: refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.layers.nets import refusal, run_net

DATA = {"data": {"dim": 3}}
SCOPE = "bn/batch_norm/bn_bn_output_"


def _run(path: Path, mode: str, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    inputs = {"data": x, "data/size1": np.array([5, 2])}
    stats = {
        f"{SCOPE}mean": np.full((1, 1, 3), 0.5, np.float32),
        f"{SCOPE}variance": np.full((1, 1, 3), 2.0, np.float32),
    }
    plain = {"class": "batch_norm", "use_std": False, "use_shift": False, "from": "data", **options}
    return run_net(path, {"bn": plain}, DATA, inputs, mode=mode, params=stats), inputs


def test_training_uses_the_batch(tmp_path: Path) -> None:
    """Valid frames have mean zero and variance one; the running statistics move by the momentum."""
    result, inputs = _run(tmp_path, "train", momentum=0.25)
    valid = np.concatenate([result["output/bn"][0], result["output/bn"][1, :2]])
    np.testing.assert_allclose(valid.mean(axis=0), 0.0, atol=1e-5)
    frames = np.concatenate([inputs["data"][0], inputs["data"][1, :2]])
    np.testing.assert_allclose(result[f"state/{SCOPE}mean"][0, 0], 0.5 + 0.25 * (frames.mean(axis=0) - 0.5), rtol=1e-5)
    assert result[f"state/{SCOPE}variance"].shape == (1, 1, 3)


def test_forward_freezes_the_statistics(tmp_path: Path) -> None:
    """An export neither updates them nor uses the batch, though RETURNN's old eval mode does."""
    result, inputs = _run(tmp_path, "forward")
    assert not [k for k in result if k.startswith("state/")]
    np.testing.assert_allclose(result["output/bn"], (inputs["data"] - 0.5) / np.sqrt(2.0 + 1e-3), rtol=1e-5)
    assert [k for k in _run(tmp_path, "eval")[0] if k.startswith("state/")]


def test_update_only_in_training(tmp_path: Path) -> None:
    """The option keeps eval free of state."""
    result, _ = _run(tmp_path, "eval", update_sample_only_in_training=True)
    assert not [k for k in result if k.startswith("state/")]


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"class": "batch_norm", "from": "data"}, "masked_time"),
        ({"class": "batch_norm", "masked_time": True, "param_version": 3, "from": "data"}, "out of range"),
        ({"class": "copy", "batch_norm": {"momentun": 0.1}, "from": "data"}, "did you mean 'momentum'"),
        ({"class": "copy", "batch_norm": {"momentum": "a"}, "from": "data"}, "wrong type"),
        ({"class": "norm", "from": "data"}, "'axes' is missing"),
        ({"class": "norm", "axis": "T", "param_shape": "T", "from": "data"}, "static axis"),
        ({"class": "norm", "axis": "T", "param_shape": ["F", "F"], "from": "data"}, "twice"),
    ],
)
def test_refusals(tmp_path: Path, network: dict[str, Any], message: str) -> None:
    """What is wrong is said."""
    assert message in refusal(tmp_path, {"out": network}, DATA, behavior_version=12)
