"""cond: branches of different length, checks and state inside of them, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import compile_net
from returnn_ir import load
from tests.layers.nets import refusal, run_net

DATA = {"data": {"dim": 3}}
SUM = {"class": "reduce", "mode": "sum", "axes": ["B", "T", "F"], "from": "data"}
POSITIVE = {"class": "compare", "kind": "greater", "value": 0.0, "from": "s"}
MEAN = "y/batch_norm/v2_mean"
COPY = {"class": "copy", "from": "data"}
POOL = {"class": "pool", "mode": "max", "pool_size": (2,), "padding": "same", "from": "data"}


def _net(true: Any, false: Any) -> dict[str, Any]:
    return {
        "s": SUM,
        "c": POSITIVE,
        "y": {"class": "cond", "from": [], "condition": "c", "true_layer": true, "false_layer": false},
    }


@pytest.mark.parametrize("sign", [1, -1])
def test_lengths_of_the_chosen_branch(tmp_path: Path, sign: int) -> None:
    """RETURNN allows it for lengths that are not known; here the result has a time axis of its own."""
    network = {**_net(POOL, COPY), "m": {"class": "reduce", "mode": "mean", "axis": "T", "from": "y"}, "p": POOL}
    x = sign * np.abs(np.random.default_rng(0).normal(size=(2, 5, 3))).astype(np.float32)
    result = run_net(tmp_path, network, DATA, {"data": x, "data/size1": np.array([5, 2])})
    expected = result["output/p"] if sign > 0 else x
    np.testing.assert_allclose(result["output/y"], expected)
    assert result["output/y/size1"].tolist() == ([3, 1] if sign > 0 else [5, 2])
    frames = 1 if sign > 0 else 2
    np.testing.assert_allclose(result["output/m"][1], expected[1, :frames].mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize("sign", [1, -1])
def test_state_of_the_branch_that_runs(tmp_path: Path, sign: int) -> None:
    network = _net({"class": "batch_norm", "masked_time": True, "from": "data"}, COPY)
    x = sign * np.ones((1, 4, 3), np.float32)
    inputs = {"data": x, "data/size1": np.array([4])}
    result = run_net(tmp_path, network, DATA, inputs, mode="train", params={MEAN: np.zeros(3)}, behavior_version=12)
    mean = result[f"state/{MEAN}"]
    assert (mean > 0).all() if sign > 0 else (mean == 0).all()


def test_a_known_condition_leaves_no_branch(tmp_path: Path) -> None:
    network = {**_net(POOL, COPY), "c": {"class": "train_flag"}}
    (tmp_path / "net.py").write_text(f"extern_data = {DATA!r}\nnetwork = {network!r}\n")
    program = compile_net(load(tmp_path / "net.py"), target="reference", mode="eval", fetch=["y"], everything=True)
    assert not list(program.graph.nodes("cond"))


@pytest.mark.parametrize(
    ("network", "what"),
    [
        ({**_net(COPY, COPY), "c": {**POSITIVE, "from": "data"}}, "the condition is one bool for the whole batch"),
        ({**_net(COPY, COPY), "c": SUM}, "the condition is one bool for the whole batch"),
        (_net(COPY, {"class": "linear", "n_out": 2, "activation": None, "from": "data"}), "feature axes of different"),
        (_net({**SUM, "axes": "T"}, COPY), "the branches differ in their axes"),
        (_net(COPY, {**POSITIVE, "from": "data"}), "the branches differ in element type"),
        (_net(COPY, {"class": "copi", "from": "data"}), "unknown layer class 'copi'"),
    ],
)
def test_refusals(tmp_path: Path, network: dict[str, Any], what: str) -> None:
    assert what in refusal(tmp_path, network, DATA)
