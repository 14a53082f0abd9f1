"""conv, pool and transposed_conv: tails, lengths, refusals. RETURNN's numbers are in the golden cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.layers.nets import refusal, run_net

DATA = {"data": {"dim": 3}}
LENGTHS = np.array([7, 4, 1])

LAYERS: dict[str, dict[str, Any]] = {
    "conv": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 2},
    "strided": {"class": "conv", "filter_size": (4,), "strides": 3, "padding": "same", "n_out": 2},
    "static": {"class": "conv", "filter_size": (3,), "strides": 2, "padding": "same_static", "n_out": 2},
    "dilated": {"class": "conv", "filter_size": (2,), "strides": 2, "dilation_rate": 3, "padding": "same", "n_out": 2},
    "max": {"class": "pool", "mode": "max", "pool_size": (3,), "strides": 2, "padding": "same"},
    "avg": {"class": "pool", "mode": "avg", "pool_size": (3,), "strides": 2, "padding": "same"},
    "avg1": {"class": "pool", "mode": "avg", "pool_size": (2,), "strides": 1, "padding": "same"},
    "transposed": {"class": "transposed_conv", "filter_size": [5], "strides": [2], "n_out": 2},
}


@pytest.mark.parametrize("name", LAYERS)
def test_masked_padding_makes_sequences_independent(tmp_path: Path, name: str) -> None:
    """With padding = "masked" a sequence's result is that of the sequence alone, whatever stands behind its end."""
    network = {"out": {**LAYERS[name], "from": "data"}}
    x = np.random.default_rng(0).normal(size=(3, 7, 3)).astype(np.float32)
    together = run_net(tmp_path, network, DATA, {"data": x, "data/size1": LENGTHS}, padding="masked")
    sizes = together["output/out/size1"]
    for i, length in enumerate(LENGTHS):
        alone = {"data": x[i : i + 1, :length], "data/size1": LENGTHS[i : i + 1]}
        expected = run_net(tmp_path, network, DATA, alone)["output/out"]
        assert expected.shape[1] == sizes[i]
        np.testing.assert_allclose(together["output/out"][i, : sizes[i]], expected[0], rtol=1e-5, atol=1e-6)


def test_raw_padding_reads_the_tail(tmp_path: Path) -> None:
    """Without it, what stands behind the end of a short sequence counts, as in RETURNN."""
    network = {"out": {**LAYERS["conv"], "from": "data"}}
    x = np.random.default_rng(0).normal(size=(3, 7, 3)).astype(np.float32)
    other = x.copy()
    other[1, 4:] += 1.0
    first, second = (
        run_net(tmp_path, network, DATA, {"data": v, "data/size1": LENGTHS})["output/out"] for v in (x, other)
    )
    assert not np.allclose(first[1, 3], second[1, 3])
    np.testing.assert_allclose(first[1, :3], second[1, :3])


def test_lengths_of_short_sequences(tmp_path: Path) -> None:
    """'valid' leaves nothing of a sequence that is shorter than the filter."""
    network = {
        "out": {"class": "conv", "filter_size": (3,), "strides": 2, "padding": "valid", "n_out": 2, "from": "data"}
    }
    x = np.zeros((3, 7, 3), np.float32)
    result = run_net(tmp_path, network, DATA, {"data": x, "data/size1": LENGTHS})
    assert result["output/out/size1"].tolist() == [3, 1, 0]
    assert result["output/out"].shape == (3, 3, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": "some"}, "unknown padding 'some'"),
        ({"filter_size": (3, 3)}, "2 spatial axes"),
        ({"groups": 2}, "groups must divide"),
        ({"strides": (1, 2)}, "not one entry per spatial axis"),
        ({"filter_size": ()}, "one to three static axes"),
        ({"padding": "same_static", "dilation_rate": 2}, "without dilation"),
        ({"padding": "same_static", "strides": 4}, "at least as large as its stride"),
        ({"pad_seq_len_to_power": 1.5, "strides": 2}, "changes the results"),
        ({"in_spatial_dims": ["F"]}, "in_spatial_dims names"),
        ({"input_split_feature_dim": 2}, "no multiple"),
    ],
)
def test_refusals(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    """What is wrong is said, with the layer."""
    network = {"out": {**LAYERS["conv"], **options, "from": "data"}}
    text = refusal(tmp_path, network, DATA)
    assert message in text
    assert "layer 'out'" in text


def test_spatial_axes_must_be_named(tmp_path: Path) -> None:
    """From behaviour version 8 on, where there are several."""
    layer = {"class": "conv", "filter_size": (3, 3), "padding": "same", "n_out": 2, "from": "data"}
    assert "in_spatial_dims" in refusal(
        tmp_path, {"out": layer}, {"data": {"dim": 2, "shape": (None, 4, 2)}}, behavior_version=8
    )


def test_padding_option_is_checked(tmp_path: Path) -> None:
    """The config's ``padding`` has two values."""
    text = refusal(tmp_path, {"out": {**LAYERS["conv"], "from": "data"}}, DATA, padding="zero")
    assert "option 'padding' has an unknown value\n  expected: 'raw' | 'masked'\n  received: 'zero' (str)" in text
