"""Options as published configs write them: None for what is not used, and what RETURNN once had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from returnn_ir import load
from returnn_ir.construct.construct import construct
from tests.layers.nets import refusal, run_net

EXTERN = {"data": {"dim": 3}, "classes": {"dim": 3, "sparse": True}}
FEED: dict[str, np.ndarray[Any, Any]] = {
    "data": np.random.default_rng(1).standard_normal((2, 4, 3)).astype(np.float32),
    "data/size1": np.asarray([4, 2], np.int64),
    "classes": np.zeros((2, 4), np.int32),
    "classes/size1": np.asarray([4, 2], np.int64),
}


def test_loss_scale_none_goes_with_no_loss(tmp_path: Path) -> None:
    layer: dict[str, Any] = {"class": "softmax", "from": "data", "target": "classes", "loss_scale": None}
    assert "output/output" in run_net(tmp_path, {"output": layer}, EXTERN, FEED)
    assert "loss_scale is None" in refusal(tmp_path, {"output": {**layer, "loss": "ce"}}, EXTERN)


def test_penalties_without_a_loss_are_an_objective(tmp_path: Path) -> None:
    layer: dict[str, Any] = {"class": "linear", "from": "data", "n_out": 2, "with_bias": False, "L2": 0.5}
    path = tmp_path / "net.py"
    path.write_text(f"extern_data = {EXTERN!r}\nnetwork = {{'output': {layer!r}}}\n")
    graph = construct(load(path), "train").graph
    assert graph.constraints is not None
    assert graph.objective is graph.constraints


def test_masked_computation_needs_a_mask(tmp_path: Path) -> None:
    layer = {"class": "masked_computation", "from": "data", "mask": None, "unit": {"class": "copy", "from": "data"}}
    assert "needs a mask" in refusal(tmp_path, {"output": layer}, EXTERN)


def test_batch_norm_once_had_axes_and_a_kernel(tmp_path: Path) -> None:
    layer: dict[str, Any] = {"class": "batch_norm", "from": "data", "masked_time": False}
    plain = run_net(tmp_path, {"output": layer}, EXTERN, FEED)["output/output"]
    named = run_net(tmp_path, {"output": {**layer, "axes": ["f"], "fused_bn": False}}, EXTERN, FEED)["output/output"]
    np.testing.assert_array_equal(plain, named)
    assert "statistics per feature only" in refusal(tmp_path, {"output": {**layer, "axes": ["t"]}}, EXTERN)


def test_hdf_dump_says_that_nothing_is_written(tmp_path: Path) -> None:
    network = {"output": {"class": "hdf_dump", "from": "data", "filename": str(tmp_path / "x.hdf")}}
    found = run_net(tmp_path, network, EXTERN, FEED)
    np.testing.assert_array_equal(found["output/output"], FEED["data"])


def test_out_type_of_text_is_refused(tmp_path: Path) -> None:
    layer = {"class": "eval", "from": "data", "eval": "source(0)", "out_type": {"dtype": "string"}}
    assert "a number is no text" in refusal(tmp_path, {"output": layer}, EXTERN)


def test_label_smoothing_needs_classes(tmp_path: Path) -> None:
    layer = {
        "class": "linear",
        "from": "data",
        "n_out": 1,
        "activation": "sigmoid",
        "target": "classes",
        "loss": "ce",
        "loss_opts": {"label_smoothing": 0.1},
    }
    extern = {**EXTERN, "classes": {"dim": 1, "sparse": True}}
    assert "several classes" in refusal(tmp_path, {"output": layer}, extern)


def test_a_program_without_losses_has_no_constraints(tmp_path: Path) -> None:
    """They are about parameters only, and an exported search would compute them in vain."""
    path = tmp_path / "net.py"
    layer = {"class": "linear", "from": "data", "n_out": 2, "activation": None, "L2": 0.1}
    path.write_text(f"extern_data = {EXTERN!r}\nnetwork = {{'output': {layer!r}}}\n")
    assert construct(load(path), "eval").graph.constraints is not None
    assert construct(load(path), "eval", losses=False).graph.constraints is None
