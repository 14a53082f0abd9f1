"""Parameters of one LSTM unit as those of another, compared with what RETURNN loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.target.protocol import Array
from returnn_ir.errors import DataError
from runtime.checkpoints.lstm_layouts import lstm_layouts

FILE = Path(__file__).parent / "data" / "lstm_layouts.json"
RECORDED: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
LOADED = [pair for pair, recorded in RECORDED.items() if recorded["values"] is not None]


def checkpoint(shapes: dict[str, list[int]]) -> dict[str, Array]:
    """Its values count on from variable to variable."""
    found, start = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        found[name] = np.arange(start, start + size, dtype=np.float32).reshape(shape)
        start += size
    return found


def converted(stored: dict[str, Array], wanted: list[str]) -> dict[str, Array]:
    """What the network gets that has these variables."""
    made = lstm_layouts(set(wanted) - set(stored), set(stored) - set(wanted))
    return {
        **{name: convert(*(stored[n] for n in names)) for name, (names, convert) in made.items()},
        **{name: value for name, value in stored.items() if name in wanted},
    }


@pytest.mark.parametrize("pair", LOADED)
def test_as_returnn(pair: str) -> None:
    """Every pair of units that RETURNN converts."""
    recorded = RECORDED[pair]
    found = converted(checkpoint(recorded["stored"]), [*recorded["values"]])
    assert {name: value.tolist() for name, value in found.items()} == recorded["values"]


@pytest.mark.parametrize("new", ["nativelstm2", "nativelstm", "vanillalstm"])
def test_a_basic_cell_is_laid_out_as_a_standard_one(new: str) -> None:
    """RETURNN does not load it; it becomes what a standard cell of the same values becomes."""
    assert RECORDED[f"basiclstm to {new}"]["values"] is None
    standard = RECORDED[f"standardlstm to {new}"]
    stored = {name.replace("/lstm_cell/", "/basic_lstm_cell/"): shape for name, shape in standard["stored"].items()}
    found = converted(checkpoint(stored), [*standard["values"]])
    assert {name: value.tolist() for name, value in found.items()} == standard["values"]


@pytest.mark.parametrize(("old", "new"), [("lstm_cell", "basic_lstm_cell"), ("basic_lstm_cell", "rnn/lstm_cell")])
def test_cells_have_one_layout(old: str, new: str) -> None:
    """From cell to cell only names differ."""
    stored = checkpoint({f"a/rec/{old}/bias": [8], f"a/rec/{old}/kernel": [5, 8]})
    found = converted(stored, [f"a/rec/{new}/bias", f"a/rec/{new}/kernel"])
    for variable in ("bias", "kernel"):
        np.testing.assert_array_equal(found[f"a/rec/{new}/{variable}"], stored[f"a/rec/{old}/{variable}"])


def test_only_whole_units_are_taken() -> None:
    """A native unit is made of a kernel and a bias, and only if all of it is missing; a kernel of W and W_re."""
    native, cell = {"a/rec/W", "a/rec/W_re", "a/rec/b"}, {"a/rec/lstm_cell/kernel", "a/rec/lstm_cell/bias"}
    assert lstm_layouts(native, cell).keys() == native
    assert lstm_layouts(native - {"a/rec/b"}, cell) == {}
    assert lstm_layouts(native, {"a/rec/lstm_cell/kernel"}) == {}
    assert lstm_layouts(cell, native).keys() == cell
    assert lstm_layouts(cell, native - {"a/rec/W"}).keys() == {"a/rec/lstm_cell/bias"}
    assert lstm_layouts(cell, {"b/rec/W", "b/rec/W_re", "b/rec/b"}) == {}
    assert lstm_layouts({"output/W", "output/b"}, native) == {}


@pytest.mark.parametrize(
    ("stored", "wanted", "message"),
    [
        (
            {"a/W": [3, 8], "a/W_re": [2, 4]},
            ["a/lstm_cell/kernel"],
            "W and W_re of an LSTM do not fit together\n"
            "  expected: [in, 4n] and [n, 4n]\n  received: [3, 8] and [2, 4]",
        ),
        ({"a/b": [2, 4]}, ["a/lstm_cell/bias"], "this is no bias of an LSTM\n  expected: [4n]\n  received: [2, 4]"),
        (
            {"a/lstm_cell/kernel": [1, 8], "a/lstm_cell/bias": [8]},
            ["a/W", "a/W_re", "a/b"],
            "this is no kernel of an LSTM\n  expected: [in + n, 4n]\n  received: [1, 8]",
        ),
    ],
)
def test_other_shapes_are_told(stored: dict[str, list[int]], wanted: list[str], message: str) -> None:
    """What has such a name without being an LSTM's is no internal error."""
    with pytest.raises(DataError) as caught:
        converted(checkpoint(stored), wanted)
    assert str(caught.value) == message
