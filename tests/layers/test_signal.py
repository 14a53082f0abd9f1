"""Layers for signals: what they refuse, and what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from returnn_ir import load
from returnn_ir.construct.construct import construct
from tests.layers.nets import refusal

EXTERN = {"data": {"dim": 4}, "image": {"shape": (None, 3, 4), "dim": 4}}
MASKING = {"class": "signal_masking", "signal": "data", "n_out": 4}


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        ({**MASKING, "mask": "data:image"}, "the mask has axes that the signal lacks"),
        ({**MASKING, "mask": "data", "n_out": 5}, "the output has another size"),
        (
            {"class": "complex_to_alternating_real", "from": "data"},
            "no fixed number of complex features",
        ),
        ({"class": "normalize_length_scores", "from": []}, "the layer needs a source with a time axis"),
        (
            {"class": "resize", "from": "data", "axis": "T", "factor": 1.5, "fill_dropout": 0.5},
            "fill_dropout needs entries to leave out\n  expected: a whole factor above one\n  received: 1.5",
        ),
        (
            {"class": "copy", "from": "data", "copy_output_loss_from_source_idx": 1},
            "no such source\n  expected: 0 to 0\n  received: 1",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, layer: dict[str, Any], told: str) -> None:
    assert told in refusal(tmp_path, {"output": layer}, EXTERN)


@pytest.mark.parametrize(
    ("network", "note"),
    [
        (
            {"output": {"class": "image_summary", "from": "data"}},
            "no pictures are written for TensorBoard; task 'forward' of returnn-run writes a layer's output",
        ),
        (
            {
                "state": {"class": "variable", "shape": (3,), "dtype": "int64", "add_batch_axis": False},
                "output": {
                    "class": "random",
                    "shape": (2,),
                    "distribution": "normal",
                    "explicit_state": "state",
                    "auto_update_state": True,
                },
            },
            "what is drawn follows from random_seed and the step; the variable of the state stays as it is",
        ),
    ],
)
def test_what_is_said(tmp_path: Path, network: dict[str, Any], note: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(f"extern_data = {EXTERN!r}\nnetwork = {network!r}\n", encoding="utf-8")
    assert f"layer 'output': {note}" in construct(load(path), "eval").graph.notes
