"""What somebody is told who knows a network's numbers from RETURNN, which computes layers outside of their loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compiler.cli import main
from returnn_ir import load
from returnn_ir.construct.construct import construct

EXTERN = {"data": {"dim": 3}}
ENCODER = {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"}
ENERGY = {"class": "dot", "from": ["base:encoder", "data:source"], "reduce": "F", "add_var2_if_empty": False}
WEIGHTS = {"class": "softmax_over_spatial", "from": "energy"}
CONTEXT = {"class": "generic_attention", "base": "base:encoder", "weights": "weights", "auto_squeeze": True}
CELL = {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": "data:source"}
STATE = {"class": "get_last_hidden_state", "from": "cell", "n_out": 6}
NOISE = {"class": "random", "shape": (), "distribution": "uniform", "minval": 0.0, "maxval": 1.0}
NOISY = {"class": "eval", "eval": "source(0) + source(1)", "from": ["data:source", "noise"]}
AS_IS = {"class": "copy", "from": "data:source"}
BOTH = {"class": "combine", "kind": "mul", "from": ["base:data", "data:source"]}
TOTAL = {"class": "reduce", "mode": "sum", "axis": "T", "from": "both"}
SCALAR = {"shape": (), "batch_dim_axis": None, "time_dim_axis": None, "feature_dim_axis": None, "dim": None}
LOSS = {"class": "eval", "eval": "tf.reduce_mean(source(0))", "from": "output", "out_type": SCALAR, "loss": "as_is"}


def _file(folder: Path, unit: dict[str, Any], **options: Any) -> Path:
    network = {"encoder": ENCODER, "output": {"class": "rec", "from": "encoder", "unit": unit, **options}}
    path = folder / "net.py"
    path.write_text(f"behavior_version = 16\nextern_data = {EXTERN!r}\nnetwork = {network!r}\n")
    return path


def _notes(folder: Path, unit: dict[str, Any], **options: Any) -> list[str]:
    return construct(load(_file(folder, unit, **options)), "eval").graph.notes


def _attention(query: str) -> dict[str, Any]:
    energy = {**ENERGY, "from": ["base:encoder", query]}
    return {"energy": energy, "weights": WEIGHTS, "output": CONTEXT}


@pytest.mark.parametrize(
    ("unit", "layers", "text"),
    [
        (_attention("data:source"), ["energy", "output"], "reads the axis of its loop as a whole"),
        ({"both": BOTH, "output": TOTAL}, ["both"], "reads the axis of its loop as a whole"),
        ({"output": AS_IS, "loss": LOSS}, ["loss"], "each step has a value, and the loss is their sum"),
        ({"cell": CELL, "state": STATE, "output": {"class": "copy", "from": "state"}}, ["state"], "of this step"),
        (
            {"noise": NOISE, "output": NOISY},
            ["noise"],
            "draws anew in every step",
        ),
    ],
)
def test_what_returnn_moves_out_is_noted(tmp_path: Path, unit: dict[str, Any], layers: list[str], text: str) -> None:
    notes = _notes(tmp_path, unit)
    assert [note.split("'")[1] for note in notes] == [f"output/{name}" for name in layers]
    assert all(text in note for note in notes)
    assert not _notes(tmp_path, unit, optimize_move_layers_out=False)


@pytest.mark.parametrize(
    "unit",
    [
        _attention("prev:output"),
        {"cell": {**CELL, "from": ["data:source", "prev:state"]}, "state": STATE, "output": {**AS_IS, "from": "state"}},
        {"output": {**ENCODER, "from": "data:source", "reuse_params": "base:encoder"}},
    ],
)
def test_nothing_is_noted_of_what_stays(tmp_path: Path, unit: dict[str, Any]) -> None:
    assert not _notes(tmp_path, unit)


def test_the_check_prints_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(_file(tmp_path, _attention("data:source")))]) == 0
    assert "\nnote: layer 'output/energy': reads the axis" in capsys.readouterr().out
