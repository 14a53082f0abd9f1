"""Losses: what a user is told, what a program computes and what it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import Program, compile_net
from returnn_ir import load
from returnn_ir.errors import DataError, UserError
from tests.layers.nets import refusal

EXTERN = {
    "data": {"dim": 3},
    "classes": {"dim": 4, "sparse": True},
    "dense": {"dim": 5},
    "seq": {"dim": 4, "sparse": True, "shape": ()},
}


def program(tmp_path: Path, network: dict[str, Any], mode: str = "eval", **more: Any) -> Program:
    """A network dict compiled for the reference target, without layers as outputs."""
    path = tmp_path / "net.py"
    path.write_text(
        f"extern_data = {EXTERN!r}\nnetwork = {network!r}\n" + "".join(f"{k} = {v!r}\n" for k, v in more.items())
    )
    return compile_net(load(path), target="reference", mode=mode, fetch=[])


def softmax(**options: Any) -> dict[str, Any]:
    """A network of one softmax layer."""
    return {"output": {"class": "softmax", "from": "data", "target": "classes", "loss": "ce", **options}}


WRONG: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    (softmax(n_out=7), ("n_out", "classes", "4", "7")),
    (softmax(loss="cee"), ("unknown loss 'cee'", "did you mean 'ce'")),
    (softmax(loss_opts={"label_smoothin": 0.1}), ("no option 'label_smoothin'", "did you mean 'label_smoothing'")),
    (softmax(target="clases"), ("no data key 'clases'", "did you mean 'classes'")),
    (softmax(target="layer:nowhere"), ("there is no layer 'nowhere'",)),
    (softmax(target="seq"), ("the output has a time axis and the target has none", "seq")),
    (softmax(loss="ctc", n_out=4), ("n_out 5", "4 labels", "received: 4")),
    (softmax(loss="ctc", target="dense"), ("needs labels as target",)),
    (softmax(loss="ctc", loss_opts={"ctc_opts": {"merge": True}}), ("ctc_opts", "merge", "ctc_merge_repeated")),
    (softmax(loss="ctc", loss_opts={"use_native": True}), ("no beam search", '"beam_width": 1')),
    (softmax(loss="edit_distance"), ("needs labels as output",)),
    (softmax(loss="sampling_loss"), ("the output layer's matrix by rows", "use_transposed_weights")),
    (softmax(loss="sprint"), ("option 'sprint_opts' is missing",)),
    (softmax(loss="mse", target="dense", n_out=4), ("feature sizes",)),
    (softmax(loss_scale=0.5, loss_opts={"scale": 0.1}), ("loss_scale", "0.5 and 0.1")),
    (softmax(loss_opts={"custom_norm_factor": "x"}), ("custom_norm_factor", "float that is finite | None")),
    (softmax(loss_opts={"custom_inv_norm_factor": "nowhere"}), ("there is no layer 'nowhere'",)),
    (softmax(loss_opts={"input_type": "logit"}), ("'input_type' has an unknown value", "'prob' | 'logits'")),
    (softmax(loss_opts={"label_smoothing": 1.5}), ("'label_smoothing' is out of range", "float >= 0")),
]


@pytest.mark.parametrize(("network", "told"), WRONG)
def test_what_is_wrong_is_said(network: dict[str, Any], told: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        program(tmp_path, network)
    message = str(caught.value)
    assert "layer 'output'" in message
    for part in told:
        assert part in message


def feed(lengths: list[int], labels: list[int]) -> dict[str, np.ndarray[Any, Any]]:
    """A batch."""
    rng = np.random.default_rng(1)
    return {
        "data": rng.standard_normal((len(lengths), max(lengths), 3)).astype(np.float32),
        "data/size1": np.asarray(lengths, np.int64),
        "classes": rng.integers(0, 4, (len(labels), max(labels))).astype(np.int32),
        "classes/size1": np.asarray(labels, np.int64),
    }


def test_lengths_that_differ_are_named(tmp_path: Path) -> None:
    made = program(tmp_path, softmax())
    params = made.initial_params()
    made.run(feed([3, 2], [3, 2]), params)
    for labels in ([3, 1], [2, 2], [4, 2]):
        with pytest.raises(DataError, match=r"output.*other lengths.*data\.T.*classes\.T"):
            made.run(feed([3, 2], labels), params)


def test_a_target_that_is_too_long_for_ctc_is_named(tmp_path: Path) -> None:
    made = program(tmp_path, softmax(loss="ctc"))
    with pytest.raises(DataError, match="ignore_longer_outputs_than_inputs"):
        made.run(feed([3, 1], [1, 2]), made.initial_params())


@pytest.mark.parametrize(
    ("options", "mode", "there"),
    [
        ({}, "forward", False),
        ({}, "train", True),
        ({"only_on_eval": True}, "train", False),
        ({"only_on_eval": True}, "eval", True),
        ({"loss_only_on_non_search": True}, "search", False),
        ({"loss_only_on_non_search": True}, "eval", True),
    ],
)
def test_when_there_is_a_loss(options: dict[str, Any], mode: str, there: bool, tmp_path: Path) -> None:
    network = softmax(**options)
    network["other"] = {"class": "softmax", "from": "data", "n_out": 2, "is_output_layer": True}
    assert ("output" in program(tmp_path, network, mode).graph.losses) == there


def ops(made: Program) -> list[str]:
    """The ops of a program."""
    return [node.op.name for node in made.graph.body.walk()]


@pytest.mark.parametrize("options", [{}, {"loss": "ctc"}, {"loss_opts": {"label_smoothing": 0.1}}])
def test_training_computes_no_softmax(options: dict[str, Any], tmp_path: Path) -> None:
    found = ops(program(tmp_path, softmax(**options), "train"))
    assert "softmax" not in found
    assert "dot" in found and found.count("argmax") == 1


def test_objective_of_an_error_alone_is_zero(tmp_path: Path) -> None:
    made = program(tmp_path, {"output": {"class": "copy", "from": "data:classes", "loss": "edit_distance"}})
    found = made.run(feed([3, 2], [3, 2]), {})
    assert found["objective"] == 0 and found["loss/output/error"] == 0


def test_a_layer_of_the_target_s_name_is_the_target(tmp_path: Path) -> None:
    network = softmax(target="labels", n_out=3)
    network["labels"] = {"class": "reduce", "mode": "argmax", "axes": "F", "from": "data"}
    made = program(tmp_path, network)
    assert "classes" not in made.input_names()


def test_darc1_is_the_largest_sum_of_a_feature(tmp_path: Path) -> None:
    network = softmax()
    network["h"] = {
        "class": "linear",
        "activation": "tanh",
        "n_out": 2,
        "from": "data",
        "with_bias": False,
        "darc1": 0.5,
    }
    network["output"]["from"] = "h"
    made = program(tmp_path, network)
    params, batch = made.initial_params(), feed([3, 1], [3, 1])
    found = made.run(batch, params)
    frames = np.concatenate([batch["data"][0], batch["data"][1, :1]])
    wanted = 0.5 * np.abs(frames @ params["h/W"]).sum(0).max()
    np.testing.assert_allclose(found["constraints"], wanted, rtol=1e-5)
    np.testing.assert_allclose(found["objective"], wanted + found["loss/output"], rtol=1e-5)


def test_lengths_of_sequences_that_are_gone(tmp_path: Path) -> None:
    """A sum over the batch has frames, and no sequences that they could be behind the end of."""
    network = {
        "sum": {"class": "reduce", "mode": "sum", "axis": "B", "from": "data"},
        "output": {"class": "copy", "from": "sum", "loss": "as_is"},
    }
    compiled = program(tmp_path, network)
    data = np.arange(2 * 3 * 3, dtype=np.float32).reshape(2, 3, 3)
    given = {"data": data, "data/size1": np.array([3, 1])}
    assert compiled.run(given, {})["loss/output"] == data.sum()


@pytest.mark.parametrize(
    ("opts", "told"),
    [
        ({"margin": 0.5}, "the features are no embeddings of equal size side by side\n  expected: a multiple of 3"),
        ({}, "loss 'triplet_loss': option 'margin' is missing"),
    ],
)
def test_triplets_that_are_none(tmp_path: Path, opts: dict[str, Any], told: str) -> None:
    extern = {"data": {"dim": 4}, "words": {"dim": 5, "sparse": True, "shape": (None, 3)}}
    output = {"class": "copy", "from": "data", "loss": "triplet_loss", "target": "words", "loss_opts": opts}
    assert told in refusal(tmp_path, {"output": output}, extern)


def test_triplets_need_three_labels(tmp_path: Path) -> None:
    extern = {"data": {"dim": 6}, "words": {"dim": 5, "sparse": True, "shape": (None, 2)}}
    output = {"class": "copy", "from": "data", "loss": "triplet_loss", "target": "words", "loss_opts": {"margin": 1.0}}
    assert "triplet_loss needs three labels per frame as target" in refusal(tmp_path, {"output": output}, extern)
