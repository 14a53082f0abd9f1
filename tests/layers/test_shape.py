"""Layers that change axes: properties that recorded cases do not show, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import compile_net
from returnn_ir import load
from returnn_ir.errors import DataError
from tests.layers.nets import refusal, run_net

DATA = {"data": {"dim": 4}}
FOUR = {"data": {"dim": 2, "shape": (None, 3, 2)}}


def _inputs(lengths: list[int], *shape: int) -> dict[str, Any]:
    x = np.random.default_rng(0).normal(size=(len(lengths), max(lengths), *(shape or (4,)))).astype(np.float32)
    return {"data": x, "data/size1": np.array(lengths)}


def test_splitting_undoes_merging(tmp_path: Path) -> None:
    """merge_dims of batch and time, and split_batch_time, leave everything where it was."""
    network = {
        "m": {"class": "merge_dims", "axes": "BT", "from": "data"},
        "s": {"class": "split_batch_time", "base": "data", "from": "m"},
    }
    inputs = _inputs([3, 1, 2])
    result = run_net(tmp_path, network, DATA, inputs)
    np.testing.assert_array_equal(result["output/s"], inputs["data"])
    assert result["output/s/size1"].tolist() == [3, 1, 2]


def test_merging_into_the_batch_repeats_the_lengths(tmp_path: Path) -> None:
    """Sequences of a merged batch keep their lengths, and get the old ones back."""
    network = {
        "m": {"class": "merge_dims", "axes": ["B", "static:0"], "from": "data"},
        "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "m"},
    }
    inputs = _inputs([3, 1], 3, 2)
    result = run_net(tmp_path, network, FOUR, inputs)
    assert result["output/m/size1"].tolist() == [3, 3, 3, 1, 1, 1]
    np.testing.assert_allclose(result["output/mean"][4], inputs["data"][1, 0, 1], rtol=1e-6)


@pytest.mark.parametrize("batch_major", [True, False])
def test_flattening_drops_padding(tmp_path: Path, batch_major: bool) -> None:
    """flatten_batch keeps valid frames only; unflatten_batch puts zeros into the padding."""
    network = {
        "f": {"class": "flatten_batch", "batch_major": batch_major, "from": "data"},
        "u": {"class": "unflatten_batch", "from": "f"},
    }
    inputs = _inputs([3, 0, 2])
    x = inputs["data"]
    result = run_net(tmp_path, network, DATA, inputs)
    order = [(0, 0), (0, 1), (0, 2), (2, 0), (2, 1)] if batch_major else [(0, 0), (2, 0), (0, 1), (2, 1), (0, 2)]
    np.testing.assert_array_equal(result["output/f"], [x[i] for i in order])
    back = result["output/u"] if batch_major else result["output/u"].swapaxes(0, 1)
    mask = np.arange(3)[None, :, None] < np.array([3, 0, 2])[:, None, None]
    np.testing.assert_array_equal(back, np.where(mask, x, 0))


def test_masked_padding_does_not_reach_other_sequences(tmp_path: Path) -> None:
    """With ``padding = "masked"`` windows, pads and splits see neutral values behind each end."""
    network = {
        "w": {"class": "window", "window_size": 3, "from": "data"},
        "p": {"class": "pad", "axes": "T", "padding": (0, 1), "value": 2.0, "from": "data"},
        "s": {"class": "split_dims", "axis": "T", "dims": (-1, 2), "from": "data"},
    }
    inputs = _inputs([3, 1])
    result = run_net(tmp_path, network, DATA, inputs, padding="masked")
    assert (result["output/w"][1, 0, 2] == 0).all()
    assert (result["output/p"][1, 1] == 2.0).all()
    assert (result["output/s"][1, 0, 1] == 0).all()
    raw = run_net(tmp_path, network, DATA, inputs)
    np.testing.assert_array_equal(raw["output/w"][1, 0, 2], inputs["data"][1, 1])


def test_repeating_by_counts_of_nothing(tmp_path: Path) -> None:
    """A sequence whose frames all vanish has length zero."""
    extern = {**DATA, "n": {"dim": None, "shape": (None,), "dtype": "int32"}}
    network = {
        "n": {"class": "reinterpret_data", "size_base": "data", "from": "data:n"},
        "r": {"class": "repeat", "repetitions": "n", "from": "data"},
    }
    inputs = _inputs([2, 1])
    inputs |= {"n": np.array([[2, 1], [0, 7]], np.int32), "n/size1": np.array([2, 1])}
    result = run_net(tmp_path, network, extern, inputs)
    assert result["output/r/size1"].tolist() == [3, 0]
    np.testing.assert_array_equal(result["output/r"][0], inputs["data"][0][[0, 0, 1]])


@pytest.mark.parametrize(
    ("axis", "position", "feature"),
    [
        *((number, number % 4, number == 2) for number in range(-4, 4)),
        *(("F", 3, True), ("spatial", 2, False), ("T", 2, False)),
    ],
)
def test_a_new_axis_and_its_kind(tmp_path: Path, axis: str | int, position: int, feature: bool) -> None:
    """By number it is a feature axis in the place of the features only, as in RETURNN."""
    path = tmp_path / "net.py"
    layer = {"class": "expand_dims", "axis": axis, "dim": 3, "from": "data"}
    path.write_text(f"extern_data = {DATA!r}\nnetwork = {{'output': {layer!r}}}\n")
    output = compile_net(load(path), target="reference").graph.outputs["output"]
    assert [(i, d.feature) for i, d in enumerate(output.axes) if d.size == 3] == [(position, feature)]


@pytest.mark.parametrize("axis", [-9, -5, 4, 7])
def test_no_place_for_a_new_axis(tmp_path: Path, axis: int) -> None:
    text = refusal(tmp_path, {"out": {"class": "expand_dims", "axis": axis, "from": "data"}}, DATA)
    assert text.endswith(f"no place for a new axis\n  expected: a number from -4 to 3\n  received: {axis}")


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"class": "merge_dims", "axes": ["T", "T"], "keep_order": True}, "an axis is named twice"),
        ({"class": "merge_dims", "axes": "static", "keep_order": True}, "the order of the axes must be given"),
        ({"class": "merge_dims", "axes": ["T", "F"], "n_outs": 3}, "did you mean 'n_out'"),
        ({"class": "split_dims", "axis": "F", "dims": (3, -1)}, "no multiple of 3"),
        ({"class": "split_dims", "axis": "F", "dims": (2, 3)}, "do not multiply to 4"),
        ({"class": "split_dims", "axis": "F", "dims": (-1, -1)}, "only one of the dims"),
        ({"class": "squeeze", "axis": "F"}, "only axes of size one"),
        ({"class": "expand_dims", "axis": "nowhere"}, "no place for a new axis"),
        ({"class": "swap_axes", "axis1": "F", "axis2": "F"}, "both are the same axis"),
        ({"class": "tile", "multiples": {"T": 2}}, "only static axes can be tiled"),
        ({"class": "slice", "axis": "T", "slice_start": -1}, "option 'slice_start' is out of range"),
        ({"class": "pad", "axes": "T", "padding": (1, 2, 3)}, "padding is not understood"),
        ({"class": "pad", "axes": "T", "padding": 1, "mode": "around"}, "unknown mode"),
        ({"class": "shift_axis", "axis": "T", "amount": 0}, "a shift by nothing"),
        ({"class": "split", "axis": "F", "size_splits": [1, 1]}, "the pieces do not make up the axis"),
        ({"class": "window", "window_size": 3, "window_left": 2, "window_right": 2}, "do not make up its size"),
        ({"class": "window", "window_size": 3, "padding": "full"}, "unknown padding"),
        ({"class": "resize", "axis": "T", "factor": 2, "kind": "spline"}, "unknown kind"),
        ({"class": "reinterpret_data", "switch_axes": "bt"}, "only time and feature"),
        ({"class": "reinterpret_data", "set_sparse_dim": 3}, "the source has no labels"),
        ({"class": "unflatten_batch"}, "not made by flatten_batch"),
        ({"class": "time_unchunking", "chunking_layer": "out"}, "circle"),
        ({"class": "length", "axis": "sparse_dim"}, "the source has no labels"),
        ({"class": "gather", "axis": "F", "position": "data"}, "positions must be integers"),
        ({"class": "scatter_nd", "position": "data", "position_axis": "T"}, "give either"),
    ],
)
def test_refusals(tmp_path: Path, layer: dict[str, Any], message: str) -> None:
    """One message that says what is wrong and where."""
    text = refusal(tmp_path, {"out": {**layer, "from": "data"}}, DATA)
    assert message in text
    assert "net.py:" in text


def test_concat_needs_equal_axes(tmp_path: Path) -> None:
    """Without allow_broadcast no source may lack an axis."""
    network = {
        "m": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
        "c": {"class": "concat", "from": [("data", "F"), ("m", "F")]},
    }
    assert "allow_broadcast=True" in refusal(tmp_path, network, DATA)
    assert "concat needs an axis for each source" in refusal(
        tmp_path, {"c": {"class": "concat", "from": ["data", "data"]}}, DATA
    )


def test_a_source_without_a_feature_axis_is_refused(tmp_path: Path) -> None:
    network = {
        "s": {"class": "reduce", "mode": "sum", "axes": "F", "from": "data"},
        "output": {"class": "linear", "from": "s", "n_out": 2, "activation": None},
    }
    assert refusal(tmp_path, network, DATA) == (
        f"layer 'output' ({tmp_path}/net.py:2, key 'from'): the source has no feature axis\n"
        "  received: float32[B, data.T]"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"class": "slice", "axis": "T", "slice_end": 4},
            "layer 'y' ({net}:2, key 'slice_end'): the axis data.T is shorter than slice_end 4",
        ),
        (
            {"class": "reinterpret_data", "size_base": "data:other"},
            "layer 'y' ({net}:2, key 'size_base'): the axis data.T has fewer frames than the new lengths say,"
            " those of other.T",
        ),
    ],
)
def test_frames_that_are_not_there(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    """A batch that is too short for what the layer says is refused; one that is long enough is not."""
    inputs = {**_inputs([3, 1]), "other": np.zeros((2, 4, 1), np.float32), "other/size1": np.array([2, 4])}
    extern = {**DATA, "other": {"dim": 1}}
    with pytest.raises(DataError) as error:
        run_net(tmp_path, {"y": {**options, "from": "data"}}, extern, inputs)
    assert str(error.value) == message.format(net=tmp_path / "net.py")
    inputs |= _inputs([3, 4])
    assert run_net(tmp_path, {"y": {**options, "from": "data"}}, extern, inputs)["output/y"].shape == (2, 4, 4)


@pytest.mark.parametrize("frames", [3, 1])
def test_a_declared_axis_of_another_extent(tmp_path: Path, frames: int) -> None:
    """Also where it has one frame, which would broadcast."""
    network = {
        "y": {"class": "reinterpret_data", "set_dim_tags": {"T": "TIME"}, "from": "data"},
        "sum": {"class": "combine", "kind": "add", "from": ["y", "data:other"]},
    }
    text = repr(network).replace("'TIME'", "time")
    extern = "{'data': {'dim': 4}, 'other': {'dim_tags': [batch_dim, time, FeatureDim('f', 4)]}}"
    head = "from returnn.tensor import Dim, batch_dim\nfrom returnn.tf.util.data import FeatureDim, SpatialDim\n"
    file = tmp_path / "net.py"
    file.write_text(f"{head}time = SpatialDim('time')\nextern_data = {extern}\nnetwork = {text}\n")
    program = compile_net(load(file), target="reference", mode="eval", fetch=["sum"], everything=True)
    inputs = {**_inputs([frames, 1]), "other": np.zeros((2, 5, 4), np.float32), "other/size1": np.array([5, 2])}
    with pytest.raises(DataError) as error:
        program.run(inputs, {})
    assert str(error.value) == (
        f"layer 'y' ({file}:5, key 'set_dim_tags'): the axis has another extent than the declared dim: data.T and time"
    )
    inputs |= _inputs([5, 1])
    assert program.run(inputs, {})["output/sum"].shape == (2, 5, 4)


def test_gather_clips_to_the_last_frame_of_each_sequence(tmp_path: Path) -> None:
    data = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    network = {"y": {"class": "gather", "position": 2, "axis": "T", "clip_to_valid": True, "from": "data"}}
    results = run_net(tmp_path, network, DATA, {"data": data, "data/size1": np.array([3, 1])})
    np.testing.assert_array_equal(results["output/y"], [data[0, 2], data[1, 0]])
