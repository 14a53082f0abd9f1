"""What of comparing with RETURNN needs no RETURNN: which layers, narrower networks, the table, and going on."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from tests.published.against_returnn import AgainstReturnn, read_agreed
from tests.published.narrow import narrowed
from tests.published.report import against_table

ONE = AgainstReturnn(
    "/c/a/one.config", "agrees", narrow=8, parameters=1234,
    compared={"eval tf": 5, "eval onnx": 2}, largest={"eval tf": 1e-6, "eval onnx": 2e-6},
    scores={"train_score": 2.5, "dev_score": 3.0}, seconds=12.3,
)  # fmt: skip
OTHER = AgainstReturnn("/c/b/other.config", "RETURNN fails", "KeyError: 'x'")


def test_widths_are_divided_and_other_numbers_stay() -> None:
    network = {
        "a": {"class": "linear", "n_out": 1024, "from": "data", "dropout": 0.1, "with_bias": True},
        "b": {"class": "split_dims", "dims": (1, 2048), "axis": "F"},
        "c": {"class": "rec", "max_seq_len": 256, "unit": {"o": {"class": "choice", "beam_size": 128, "n_out": 1000}}},
        "d": {"class": "conv", "filter_size": (64,), "n_out": 32},
        "e": {"class": "softmax", "n_out": 512},
        "f": {"class": "split_dims", "dims": (8, 64), "axis": "F"},
    }
    assert narrowed(network, 8, {512}) == {
        "a": {"class": "linear", "n_out": 128, "from": "data", "dropout": 0.1, "with_bias": True},
        "b": {"class": "split_dims", "dims": (1, 256), "axis": "F"},
        "c": {"class": "rec", "max_seq_len": 256, "unit": {"o": {"class": "choice", "beam_size": 128, "n_out": 1000}}},
        "d": {"class": "conv", "filter_size": (64,), "n_out": 32},
        "e": {"class": "softmax", "n_out": 512},
        "f": {"class": "split_dims", "dims": (8, 64), "axis": "F"},
    }
    assert narrowed(network, 1, set()) == network


def test_the_table() -> None:
    lines = against_table(
        [ONE, OTHER, replace(ONE, narrow=1, outcome="differs", cause="eval tf: output/a")], Path("/c")
    )
    assert lines[2:4] == [
        "| a/one.config | 1/8 | 1,234 | eval tf 5, eval onnx 2 | 1.0e-06, 2.0e-06 | 2.5 | 12 | agrees |",
        "| a/one.config | 1 | 1,234 | eval tf 5, eval onnx 2 | 1.0e-06, 2.0e-06 | 2.5 | 12 | differs: eval tf: .. |",
    ]
    assert lines[-1] == "b/other.config: RETURNN fails: KeyError: 'x'"


def test_what_agreed_in_an_earlier_run(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    assert read_agreed(found, [Path(ONE.config)]) == []
    found.write_text(json.dumps([asdict(ONE), asdict(OTHER)]), encoding="utf-8")
    assert read_agreed(found, [Path(ONE.config), Path(OTHER.config)]) == [ONE]
    assert read_agreed(found, [Path(OTHER.config)]) == []
