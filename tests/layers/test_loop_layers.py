"""Layers with a state in loops, and those that reach into loops: dropout masks, empty sequences, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from returnn_ir.errors import UserError
from tests.layers.nets import refusal, run_net

DATA = {"data": {"dim": 3}}
SOURCE = "data:source"


def _loop(**unit: dict[str, Any]) -> dict[str, Any]:
    return {"class": "rec", "from": "data", "unit": unit}


def _output(*sources: str) -> dict[str, Any]:
    return {"class": "copy", "from": list(sources)}


def test_one_dropout_mask_for_all_steps(tmp_path: Path) -> None:
    """RETURNN draws a mask of fixed size once, in front of the loop; one with the batch in it in every step."""
    once = {"class": "dropout", "dropout": 0.5, "from": SOURCE}
    each = {**once, "dropout_noise_shape": {"*": None}}
    network = {"loop": _loop(a=once, b=each, output=_output("a", "b"))}
    inputs = {"data": np.ones((4, 8, 3), np.float32), "data/size1": np.full(4, 8)}
    dropped = run_net(tmp_path, network, DATA, inputs, mode="train")["output/loop"] == 0
    assert (dropped[..., :3] == dropped[:1, :1, :3]).all()
    assert 0.2 < dropped[..., 3:].mean() < 0.8
    assert (dropped[..., 3:].any(axis=0) != dropped[..., 3:].all(axis=0)).any()


def test_last_output_of_an_empty_sequence_is_the_initial_one(tmp_path: Path) -> None:
    summed = {"class": "cumsum", "from": SOURCE, "initial_output": 7, "need_last": True}
    network = {"loop": _loop(s=summed, output=_output("s"))}
    network["last"] = {"class": "rec_last_output", "rec_layer": "loop", "sub_layer_name": "s"}
    inputs = {"data": np.ones((2, 4, 3), np.float32), "data/size1": np.array([0, 4])}
    result = run_net(tmp_path, network, DATA, inputs)
    assert result["output/last"][:, 0].tolist() == [7, 11]


def test_a_window_over_the_last_steps_of_numbers_without_batch(tmp_path: Path) -> None:
    """In a loop, a value without batch: the window is the first axis; zeros stand before the first step."""
    network = {
        "loop": _loop(
            i={"class": "cast", "dtype": "float32", "from": ":i"},
            pair={"class": "stack", "from": ["i", "i"]},
            w={"class": "window", "window_size": 3, "window_right": 0, "from": "pair", "is_output_layer": True},
            output=_output(SOURCE),
        ),
        "frames": {"class": "copy", "from": "loop/w"},
    }
    inputs = {"data": np.ones((2, 4, 3), np.float32), "data/size1": np.array([4, 2])}
    result = run_net(tmp_path, network, DATA, inputs)["output/frames"]
    windows = [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3]]
    np.testing.assert_array_equal(result, np.repeat(np.array(windows, np.float32)[:, :, None], 2, axis=2))


def test_a_window_over_the_last_steps_of_labels(tmp_path: Path) -> None:
    """They stay labels, so that a linear layer looks rows up; label 0 stands before the first step."""
    window = {"class": "window", "window_size": 2, "window_right": 0, "from": SOURCE}
    rows = {"class": "linear", "activation": None, "n_out": 3, "with_bias": False, "from": "w"}
    total = {"class": "reduce", "mode": "sum", "axes": "dim:2", "from": "rows"}
    network = {"loop": {**_loop(w=window, rows=rows, output=total), "from": "data:labels"}}
    labels = np.array([[1, 3, 2]], np.int32)
    inputs = {"labels": labels, "labels/size1": np.array([3]), "data": np.zeros((1, 3, 3), np.float32)}
    weights = np.random.default_rng(3).normal(size=(4, 3)).astype(np.float32)
    extern = {**DATA, "labels": {"dim": 4, "sparse": True}}
    inputs["data/size1"] = np.array([3])
    params = {"loop/rec/rows/W": weights}
    result = run_net(tmp_path, network, extern, inputs, params=params)["output/loop"]
    expected = [weights[0] + weights[1], weights[1] + weights[3], weights[3] + weights[2]]
    np.testing.assert_allclose(result.reshape(3, 3), expected, rtol=1e-5)


def test_the_last_value_of_one_number_per_sequence(tmp_path: Path) -> None:
    """It does not depend on a carry, so it leaves the loop; each sequence has its own last frame."""
    total = {"class": "reduce", "mode": "sum", "axes": "F", "from": SOURCE, "initial_output": 7, "need_last": True}
    added = {"class": "combine", "kind": "add", "from": ["s", "prev:s"]}
    network = {"loop": _loop(s=total, output=added)}
    network["last"] = {"class": "rec_last_output", "rec_layer": "loop", "sub_layer_name": "s"}
    frames = np.random.default_rng(2).normal(size=(3, 4, 3)).astype(np.float32)
    inputs = {"data": frames, "data/size1": np.array([2, 4, 0])}
    result = run_net(tmp_path, network, DATA, inputs)
    sums = frames.sum(axis=-1)
    np.testing.assert_allclose(result["output/last"], [sums[0, 1], sums[1, 3], 7], rtol=1e-5)
    np.testing.assert_allclose(result["output/loop"][:2, 0], [sums[0, 0] + 7, sums[0, 0] + sums[0, 1]], rtol=1e-5)


@pytest.mark.parametrize("optimize", [True, False])
def test_a_layer_of_an_inner_loop_is_read_outside_of_it(tmp_path: Path, optimize: bool) -> None:
    """What the inner loop gives of ``x`` is the whole sequence, as if its output were ``x``."""
    moved = {"optimize_move_layers_out": optimize}
    step = {"class": "linear", "activation": "tanh", "n_out": 2, "from": [SOURCE, "prev:x"]}
    inner = {**_loop(x=step, output=_output("x")), "from": "base:data", **moved}
    added = {"class": "combine", "kind": "add", "from": ["total", "prev:output"]}
    inputs = {"data": np.ones((2, 3, 3), np.float32), "data/size1": np.array([3, 2])}
    results = []
    for read in ("inner/x", "inner"):
        total = {"class": "reduce", "mode": "sum", "axes": "T", "from": read}
        network = {"outer": {**_loop(inner=inner, total=total, output=added), **moved}}
        results.append(run_net(tmp_path, network, DATA, inputs)["output/outer"])
    assert results[1].any()
    np.testing.assert_array_equal(results[0], results[1])


MASK = {"class": "compare", "kind": "greater", "value": 0.0, "from": "sum"}
SUM = {"class": "reduce", "mode": "sum", "axes": "F", "from": SOURCE}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "backwards": ({"s": {"class": "cumsum", "from": SOURCE, "reverse": True}}, "still to come"),
    "future of what it makes itself": (
        {
            "w": {"class": "window", "window_size": 3, "window_right": 1, "from": "prev:s"},
            "s": {"class": "reduce", "mode": "sum", "axes": "static:0", "from": "w"},
        },
        "steps to come",
    ),
    "only the future": (
        {"s": {"class": "window", "window_size": 3, "window_left": 3, "from": SOURCE}},
        "a window over steps contains the step itself",
    ),
    "frames of what needs them": (
        {
            "n": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "prev:s"},
            "u": {
                "class": "masked_computation",
                "mask": "m",
                "masked_from": "base:data:data",
                "unit": {"class": "copy", "from": ["data", "n"]},
            },
            "s": {"class": "unmask", "mask": "m", "from": "u"},
        },
        "'n' is not known: that depends on this layer",
    ),
    "two sources": (
        {"s": {"class": "masked_computation", "mask": "m", "from": [SOURCE, SOURCE], "unit": _output("data")}},
        "one source",
    ),
    "mask of numbers": (
        {"s": {"class": "masked_computation", "mask": "sum", "from": SOURCE, "unit": _output("data")}},
        "not a bool",
    ),
    "masked_from inside": (
        {"s": {"class": "masked_computation", "mask": "m", "masked_from": "sum", "unit": _output("data"), "from": []}},
        "layer from outside",
    ),
}


@pytest.mark.parametrize(("unit", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_in_a_loop(tmp_path: Path, unit: dict[str, Any], text: str) -> None:
    network = {"loop": _loop(sum=SUM, m=MASK, **unit, output=_output("s"))}
    assert text in refusal(tmp_path, network, DATA)


def test_refused_outside_of_a_loop(tmp_path: Path) -> None:
    last = {"class": "rec_last_output", "rec_layer": "loop", "sub_layer_name": "output"}
    accumulated = {"class": "get_rec_accumulated", "from": "loop", "sub_layer": "s"}
    unstack = {"class": "rec_unstack", "from": "data"}
    loop = _loop(output=_output(SOURCE))
    assert "need_last" in refusal(tmp_path, {"loop": loop, "x": last}, DATA)
    assert "is_output_layer" in refusal(tmp_path, {"loop": loop, "x": accumulated}, DATA)
    assert "recurrent subnetwork" in refusal(tmp_path, {"x": unstack}, DATA)


@pytest.mark.parametrize(
    ("shape", "differs"),
    [
        ((1, None, None), "TF"),
        ((None, 1, None), "BF"),
        ((None, None, 1), "BT"),
        ({"*": None, "T": 1}, "BF"),
        ({"*": None, "B": 1}, "TF"),
        ({"*": 1, "F": None}, "F"),
    ],
)
def test_a_dropout_mask_over_the_steps_of_a_loop(tmp_path: Path, shape: object, differs: str) -> None:
    """RETURNN's answers; the layer leaves the loop there, and works on [batch, time, feature]."""
    dropped = {"class": "dropout", "dropout": 0.5, "dropout_noise_shape": shape, "from": "twice"}
    twice = {"class": "eval", "eval": "2 * source(0)", "from": SOURCE}
    network = {"loop": _loop(twice=twice, output=dropped)}
    inputs = {"data": np.ones((4, 6, 32), np.float32), "data/size1": np.full(4, 6)}
    found = run_net(tmp_path, network, {"data": {"dim": 32}}, inputs, mode="train")["output/loop"]
    axes = {"T": 0, "B": 1, "F": 2}
    assert "".join(name for name in "BTF" if (found != found.take([0], axes[name])).any()) == differs


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        ([None, 1, None], "which one that is"),  # time may stand first or second
        ([1, None, None, 1], "dropout_noise_shape is not understood"),
    ],
)
def test_a_dropout_mask_over_steps_that_is_not_known(tmp_path: Path, shape: object, what: str) -> None:
    unit = {"class": "rec", "unit": "lstm", "n_out": 2, "from": SOURCE}
    dropped = {"class": "dropout", "dropout": 0.5, "dropout_noise_shape": shape, "from": "lstm"}
    with pytest.raises(UserError, match=what):
        run_net(tmp_path, {"loop": _loop(lstm=unit, output=dropped)}, DATA, {}, mode="train")
