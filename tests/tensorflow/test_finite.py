"""Where RETURNN computes NaN although the numbers are defined: frames without weight, and their gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import compile_net
from compiler.target.protocol import Array
from returnn_ir import load

EXTERN = {"data": {"dim": 3}, "start": {"shape": (), "dtype": "int32"}}
ENERGY = {"class": "linear", "n_out": 2, "activation": "tanh", "from": "data"}
WINDOW = {"class": "softmax_over_spatial", "from": "energy", "window_start": "data:start", "window_size": 2}

#: Networks with a loss whose value is a sum over sequences.
NETS: dict[str, dict[str, Any]] = {
    "entropy": {
        "energy": ENERGY,
        "weights": {"class": "softmax_over_spatial", "from": "energy"},
        "loss": {"class": "eval", "from": "weights", "eval": "-source(0) * safe_log(source(0))", "loss": "as_is"},
    },
    "entropy_of_window": {
        "energy": ENERGY,
        "weights": WINDOW,
        "loss": {"class": "eval", "from": "weights", "eval": "-source(0) * safe_log(source(0))", "loss": "as_is"},
    },
    "window": {
        "energy": ENERGY,
        "weights": WINDOW,
        "loss": {"class": "eval", "from": "weights", "eval": "source(0) ** 2", "loss": "as_is"},
    },
}
#: The second sequence has no frame in its window, the third one a single one.
LENGTHS, STARTS = [4, 3, 1], [1, 7, 0]


def _inputs(sequences: list[int]) -> dict[str, Array]:
    x = np.random.default_rng(3).normal(size=(len(LENGTHS), max(LENGTHS), 3)).astype(np.float32)
    lengths = np.array(LENGTHS)[sequences]
    return {"data": x[sequences, : lengths.max()], "data/size1": lengths, "start": np.array(STARTS)[sequences]}


def _results(path: Path, name: str, sequences: list[int]) -> tuple[dict[str, Array], dict[str, Array]]:
    file = path / "net.py"
    file.write_text(f"extern_data = {EXTERN!r}\nnetwork = {NETS[name]!r}\n")
    program = compile_net(load(file), target="tf", mode="train", fetch=["weights"])
    params = program.initial_params()
    return program.run(_inputs(sequences), params), program.gradients(_inputs(sequences), params)


@pytest.mark.parametrize("name", NETS)
def test_as_each_sequence_alone(name: str, tmp_path: Path) -> None:
    """Losses and gradients are finite, and the sums of those of the sequences by themselves."""
    whole, gradients = _results(tmp_path, name, [0, 1, 2])
    alone = [_results(tmp_path, name, [i]) for i in (0, 1, 2) if name == "entropy" or i != 1]
    assert np.isfinite(whole["objective"])
    np.testing.assert_allclose(whole["objective"], sum(r["objective"] for r, _ in alone), rtol=1e-5)
    for key, value in gradients.items():
        assert np.isfinite(value).all(), key
        np.testing.assert_allclose(value, sum(g[key] for _, g in alone), rtol=1e-4, atol=1e-6, err_msg=key)


def test_a_window_without_frames_weighs_nothing(tmp_path: Path) -> None:
    results, _ = _results(tmp_path, "window", [0, 1, 2])
    weights = results["output/weights"]
    np.testing.assert_array_equal(weights[1], 0.0)
    np.testing.assert_allclose(weights[[0, 2]].sum(axis=-1), 1.0, rtol=1e-6)


@pytest.mark.parametrize(("log_space", "outside"), [(False, 0.0), (True, -np.inf)])
def test_outside_of_a_window(log_space: bool, outside: float, tmp_path: Path) -> None:
    """Exactly nothing, as in RETURNN."""
    network = {"energy": ENERGY, "weights": {**WINDOW, "log_space": log_space, "is_output_layer": True}}
    file = tmp_path / "net.py"
    file.write_text(f"extern_data = {EXTERN!r}\nnetwork = {network!r}\n")
    program = compile_net(load(file), target="tf", fetch=["weights"])
    weights = program.run(_inputs([0]), program.initial_params())["output/weights"]
    np.testing.assert_array_equal(weights[0][:, [0, 3]], outside)
    assert np.isfinite(weights[0][:, 1:3]).all()
