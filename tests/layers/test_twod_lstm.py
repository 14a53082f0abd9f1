"""The grid LSTM, which RETURNN runs on a GPU only, compared with a plain loop over the grid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from returnn_ir import load
from tests.layers.nets import refusal

EXTERN = {"src": {"dim": 3}, "trg": {"dim": 2}}
LENGTHS = {"src": [4, 1, 3], "trg": [3, 2, 1]}
POOLINGS = ("last", "max", "average", "weighted")
OUTSIDE = {"output": {"class": "twod_lstm", "from": ["data:src", "data:trg"], "n_out": 4, "loss": "as_is"}}
INSIDE = {
    "loop": {
        "class": "rec",
        "from": "data:trg",
        "unit": {
            "cell": {"class": "twod_lstm", "from": ["base:data:src", "data:source"], "n_out": 4},
            "output": {"class": "copy", "from": "cell"},
        },
    },
    "output": {"class": "copy", "from": "loop", "loss": "as_is"},
}


def program_of(path: Path, network: Mapping[str, Any], pooling: str, target: str) -> Program:
    text = repr(network).replace("'twod_lstm',", f"'twod_lstm', 'pooling': {pooling!r},")
    path.write_text(f"extern_data = {EXTERN!r}\nnetwork = {text}\n", encoding="utf-8")
    return compile_net(load(path), target=target, mode="eval", fetch=["output"])


def draw(program: Program) -> tuple[dict[str, Array], dict[str, Array]]:
    rng = np.random.default_rng(3)
    inputs: dict[str, Array] = {}
    for key, lengths in LENGTHS.items():
        inputs[key] = rng.normal(size=(3, max(lengths), EXTERN[key]["dim"])).astype(np.float32)
        inputs[f"{key}/size1"] = np.array(lengths, np.int64)
    shapes = sorted((name, value.shape) for name, value in program.initial_params().items())
    return inputs, {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes}


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def row_of(pooling: str, outputs: Array, length: int, weights: Array) -> Array:
    """A row of the grid [source time, features] as one vector."""
    if pooling == "last":
        return np.asarray(outputs[length - 1])
    if pooling == "max":
        return np.asarray(outputs.max(axis=0))
    if pooling == "average":
        return np.asarray(outputs[:length].mean(axis=0))
    energies = np.exp(outputs @ weights)
    return np.asarray((energies / energies.sum()) @ outputs)


def grid(pooling: str, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> list[Array]:
    """For each sequence [target time, features], cell by cell, with zeros behind the end of a short source."""
    by_name = {name.rpartition("/")[2]: value.astype(np.float64) for name, value in params.items()}
    size, width = by_name["Vh_re"].shape[0], inputs["src"].shape[1]
    found = []
    for n, (source_length, target_length) in enumerate(zip(*LENGTHS.values(), strict=True)):
        h, c = np.zeros((2, target_length + 1, width + 1, size))
        rows = []
        for y in range(1, target_length + 1):
            for x in range(1, source_length + 1):
                joined = np.concatenate([inputs["src"][n, x - 1], inputs["trg"][n, y - 1]])
                z = joined @ by_name["W_re"] + h[y, x - 1] @ by_name["Vh_re"] + h[y - 1, x] @ by_name["Vv_re"]
                enters, keeps, share, leaves, new = np.split(z, 5)
                mixed = sigmoid(share) * c[y - 1, x] + (1 - sigmoid(share)) * c[y, x - 1]
                c[y, x] = sigmoid(enters) * np.tanh(new) + sigmoid(keeps) * mixed
                h[y, x] = sigmoid(leaves) * np.tanh(c[y, x])
            weights = inputs["trg"][n, y - 1] @ by_name["W_att"] if pooling == "weighted" else np.zeros(size)
            rows.append(row_of(pooling, h[y, 1:], source_length, weights))
        found.append(np.array(rows))
    return found


def total(pooling: str, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> float:
    return float(sum(rows.sum() for rows in grid(pooling, inputs, params)))


@pytest.mark.parametrize("target", ["reference", "tf", "onnx"])
@pytest.mark.parametrize("network", [OUTSIDE, INSIDE], ids=["outside", "inside"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_outputs(tmp_path: Path, network: Mapping[str, Any], target: str, pooling: str) -> None:
    program = program_of(tmp_path / "net.py", network, pooling, target)
    inputs, params = draw(program)
    output = program.run(inputs, params)["output/output"]
    for n, rows in enumerate(grid(pooling, inputs, params)):
        np.testing.assert_allclose(output[: len(rows), n], rows, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", [OUTSIDE, INSIDE], ids=["outside", "inside"])
@pytest.mark.parametrize("pooling", ["last", "weighted"])
def test_gradients(tmp_path: Path, network: Mapping[str, Any], pooling: str) -> None:
    """Differences of the sum of all outputs, by steps in both directions."""
    program = program_of(tmp_path / "net.py", network, pooling, "tf")
    inputs, params = draw(program)
    gradients = program.gradients(inputs, params)
    for name, value in params.items():
        for place in (0, value.size // 2, value.size - 1):
            step = np.zeros(value.size)
            step[place] = 1e-4
            moved = [{**params, name: value + sign * step.reshape(value.shape)} for sign in (1, -1)]
            slope = (total(pooling, inputs, moved[0]) - total(pooling, inputs, moved[1])) / 2e-4
            assert gradients[f"grad/{name}"].reshape(-1)[place] == pytest.approx(slope, rel=2e-3, abs=1e-4)


def test_names_of_parameters(tmp_path: Path) -> None:
    program = program_of(tmp_path / "net.py", INSIDE, "weighted", "reference")
    assert sorted(program.params) == [f"loop/rec/cell/rec-twod/{name}" for name in ("Vh_re", "Vv_re", "W_att", "W_re")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"from": "data:src"}, "twod_lstm runs over two sequences"),
        ({"unit_opts": {"forget_bias": 1.0}}, "the unit of twod_lstm has no options"),
        ({"from": ["mean", "data:trg"]}, "the first source has no time axis"),
        ({"from": ["data:src", "mean"]}, "the second source has no time axis, and the layer is in no loop"),
    ],
)
def test_what_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    mean = {"class": "reduce", "mode": "mean", "axis": "T", "from": "data:src"}
    network = {"mean": mean, "output": {**OUTSIDE["output"], **change}}
    assert message in refusal(tmp_path, network, EXTERN)
