"""reduce, dot and softmax_over_spatial: empty sequences, duplicate axes, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.layers.nets import refusal, run_net

DATA = {"data": {"dim": 3}}


def _inputs(lengths: list[int]) -> dict[str, Any]:
    x = np.random.default_rng(0).normal(size=(len(lengths), max(lengths), 3)).astype(np.float32)
    return {"data": x, "data/size1": np.array(lengths)}


def test_only_valid_frames_count(tmp_path: Path) -> None:
    """Mean and maximum over time; the mean of no frame is zero."""
    network = {k: {"class": "reduce", "mode": k, "axis": "T", "from": "data"} for k in ("mean", "max")}
    inputs = _inputs([4, 2, 0])
    result = run_net(tmp_path, network, DATA, inputs)
    np.testing.assert_allclose(result["output/mean"][1], inputs["data"][1, :2].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(result["output/max"][1], inputs["data"][1, :2].max(axis=0))
    assert result["output/mean"][2].tolist() == [0.0, 0.0, 0.0]


def test_dot_keeps_the_same_axis_twice(tmp_path: Path) -> None:
    """Two results axes of one origin are two dims, each with the lengths."""
    layer = {"class": "dot", "from": ["data", "data"], "red1": "F", "red2": "F", "var1": "T", "var2": "T"}
    inputs = _inputs([4, 2])
    result = run_net(tmp_path, {"out": layer}, DATA, inputs)
    x = inputs["data"]
    np.testing.assert_allclose(result["output/out"], np.einsum("btf,buf->btu", x, x), rtol=1e-5, atol=1e-6)
    assert result["output/out/size1"].tolist() == result["output/out/size2"].tolist() == [4, 2]


@pytest.mark.parametrize("options", [{"var1": "auto"}, {"var2": "auto"}, {"var1": "auto", "var2": "auto"}])
@pytest.mark.parametrize("version", [0, 3])
def test_dot_finds_own_axes_where_one_is_auto(tmp_path: Path, options: dict[str, str], version: int) -> None:
    """The other one, not given, is found as well."""
    network = {
        "w": {"class": "variable", "shape": (3, 2)},
        "out": {"class": "dot", "from": ["data", "w"], "red1": "F", "red2": "static:0", **options},
    }
    inputs = _inputs([4, 2])
    result = run_net(tmp_path, network, DATA, inputs, behavior_version=version)
    np.testing.assert_allclose(result["output/out"], inputs["data"] @ result["output/w"], rtol=1e-5, atol=1e-6)


def test_softmax_of_an_empty_sequence_is_finite(tmp_path: Path) -> None:
    """A sequence without frames gives zeros, not NaN."""
    network = {"out": {"class": "softmax_over_spatial", "from": "data"}}
    result = run_net(tmp_path, network, DATA, _inputs([3, 0]))
    assert np.isfinite(result["output/out"]).all()
    np.testing.assert_allclose(result["output/out"][0].sum(axis=-1), 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "median", "axis": "T"}, "unknown reduce mode 'median'"),
        ({"mode": "maxx", "axis": "T"}, "did you mean 'max'"),
        ({"mode": "argmax", "axes": ["T", "F"]}, "argmax goes over one axis"),
        ({"mode": "max"}, "'axes' is missing"),
        ({"mode": "max", "axis": "T", "axes": "F"}, "axes and axis mean the same"),
        ({"mode": "max", "axis": "X"}, "unknown axis description"),
    ],
)
def test_reduce_refusals(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    """What is wrong is said."""
    assert message in refusal(tmp_path, {"out": {"class": "reduce", **options, "from": "data"}}, DATA)


@pytest.mark.parametrize(
    ("options", "version", "message"),
    [
        ({"red1": -1, "red2": -1}, 3, "integer axes are not allowed"),
        ({}, 3, "the axes to reduce are missing"),
        ({"reduce": "F", "red1": "F"}, 0, "'reduce', or 'red1'"),
        ({"red1": "F", "red2": "F", "var1": "F", "var2": "T"}, 0, "an axis is reduced and kept"),
        ({"red1": "F", "red2": "F", "var1": "T", "var2": None}, 0, "shared axes"),
        ({"reduce": "F", "add_var2_if_empty": True}, 3, "add_var2_if_empty is not allowed"),
        ({"reduce": "F", "var1": "T"}, 3, "give both of 'var1' and 'var2'"),
        ({"reduce": "F", "var1": "auto", "var2": "T"}, 3, "give both of 'var1' and 'var2'"),
        ({"reduce": "F", "var1": "T", "var2": "auto"}, 0, "give both of 'var1' and 'var2'"),
    ],
)
def test_dot_refusals(tmp_path: Path, options: dict[str, Any], version: int, message: str) -> None:
    """What is wrong is said."""
    layer = {"class": "dot", **options, "from": ["data", "data"]}
    assert message in refusal(tmp_path, {"out": layer}, DATA, behavior_version=version)


def test_softmax_window_needs_the_mask(tmp_path: Path) -> None:
    """A window over a static axis has no meaning."""
    layer = {"class": "softmax_over_spatial", "axis": "F", "window_start": 0, "window_size": 2, "from": "data"}
    assert "need an axis with lengths" in refusal(tmp_path, {"out": layer}, DATA)


def test_reduce_out_needs_a_multiple(tmp_path: Path) -> None:
    """The features are cut into equal pieces."""
    layer = {"class": "reduce_out", "mode": "max", "num_pieces": 2, "from": "data"}
    assert "a multiple of 2" in refusal(tmp_path, {"out": layer}, DATA)


def test_dot_over_axes_of_different_sizes(tmp_path: Path) -> None:
    network = {
        "w": {"class": "variable", "shape": (4, 2)},
        "out": {"class": "dot", "from": ["data", "w"], "red1": "F", "red2": "static:0", "var1": "auto"},
    }
    received = refusal(tmp_path, network, DATA)
    assert "key 'red1'): the reduced axes are of different sizes" in received
    assert "received: [Dim" not in received and "data.F(3)" in received
