"""Sampled losses: TensorFlow's samplers say how labels are drawn, RETURNN what the losses of drawn labels are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import returnn_ir.losses.sampled as sampled_module
from compiler.program.program import compile_net
from compiler.reference.interpreter import Bodies, Environment
from compiler.reference.registry import Session
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import UserError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.losses.samplers import Samples, draw
from returnn_ir.network.net import Net
from tests.tensorflow.given_samples import DRAWN, LABELS, PROBS, TRIES, extern_data, network, sampled

RECORDED = Path(__file__).parent / "data" / "given_samples.npz"
DRAWS = 1500
WEIGHTS = [5.0, 1.0, 2.0, 1.0, 4.0, 0.5, 1.0, 3.0]


def _net(tmp_path: Path, layers: dict[str, Any]) -> Net:
    path = tmp_path / "net.py"
    path.write_text(f"extern_data = {extern_data!r}\nnetwork = {layers!r}\n")
    return load(path)


def test_losses_of_given_samples_are_returnns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def given(b: LayerBuilder, probs: Value, classes: Dim, count: int, role: str) -> Samples:
        dim = b.dim("sampled", count)
        labels = b.const(np.array(DRAWN), "int64", (dim,))
        table = b.const(-np.expm1(TRIES * np.log1p(-PROBS)), "float32", (classes,))

        def expected(which: Value) -> Value:
            return b.op("gather", table, which, dim=classes)

        return Samples(labels, dim, expected(labels), expected)

    monkeypatch.setattr(sampled_module, "draw", given)
    program = compile_net(_net(tmp_path, network), target="tf", mode="train")
    with np.load(RECORDED) as recorded:
        inputs = {"data": recorded["input/data"], "data/size1": recorded["input/data/size1"]}
        inputs |= {"classes": recorded["input/classes"], "classes/size1": recorded["input/classes/size1"]}
        params = {name.removeprefix("param/"): v for name, v in recorded.items() if name.startswith("param/")}
        found = program.run(inputs, params)
        for name in ("softmax", "with_hits", "output", "logistic"):
            np.testing.assert_allclose(found[f"loss/{name}"], recorded[f"loss/{name}"], rtol=1e-5)
        gradients = {name: v for name, v in recorded.items() if name.startswith("grad/")}
        assert len(gradients) == 10
        own = program.gradients(inputs, params)
        for name, gradient in gradients.items():
            np.testing.assert_allclose(own[name], gradient, atol=1e-4 * np.abs(gradient).max())


def _drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, **opts: Any) -> tuple[Array, Array]:
    """Drawn labels [steps, samples] and how often each label is to be expected [steps, classes]."""
    found: list[Value] = []

    def watched(b: LayerBuilder, probs: Value, classes: Dim, number: int, role: str) -> Samples:
        samples = draw(b, probs, classes, number, role)
        found.extend([samples.labels, samples.expected_of(b.iota(Dim("everyone", LABELS)))])
        return samples

    monkeypatch.setattr(sampled_module, "draw", watched)
    construct(_net(tmp_path, {"hidden": network["hidden"], "output": sampled(**opts)}), "train")
    nodes: list[Node] = []

    def need(value: Value) -> None:
        assert value.node is not None
        for operand in value.node.operands:
            need(operand)
        if value.node not in nodes:
            nodes.append(value.node)

    for value in found:
        need(value)
    region, steps = Region(nodes=nodes, results=found), []
    with np.errstate(divide="ignore"):  # the logarithm of a weight of zero
        for step in range(count):
            steps.append([named.array for named in Environment(region, Session({}, {}, 3, step), Bodies()).execute()])
    labels, expected = zip(*steps, strict=True)
    return np.stack(labels), np.stack(expected)


TF_SAMPLERS: dict[str, Callable[..., Any]] = {
    "log_uniform": tf.random.log_uniform_candidate_sampler,
    "uniform": tf.random.uniform_candidate_sampler,
    "fixed_unigram": partial(tf.random.fixed_unigram_candidate_sampler, unigrams=WEIGHTS, distortion=0.5),
}


@pytest.mark.parametrize("name", TF_SAMPLERS)
def test_labels_are_drawn_as_by_tensorflow(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    args = {"sampler_args": {"unigrams": WEIGHTS, "distortion": 0.5}} if name == "fixed_unigram" else {}
    labels, expected = _drawn(tmp_path, monkeypatch, DRAWS, sampler=name, **args)
    assert all(len(set(row)) == len(row) for row in labels)
    everyone = tf.range(LABELS, dtype=tf.int64)[None]
    sampler = tf.function(
        lambda: TF_SAMPLERS[name](everyone, LABELS, len(DRAWN), unique=True, range_max=LABELS, seed=4)
    )
    theirs = [[t.numpy() for t in sampler()] for _ in range(DRAWS)]
    first = np.stack([row[0] for row in theirs])
    counts = np.stack([row[1][0] for row in theirs])
    for mine, other in ((labels, first), (labels[:, :1], first[:, :1])):
        shares = [np.mean((x[:, :, None] == np.arange(LABELS)).any(1), axis=0) for x in (mine, other)]
        np.testing.assert_allclose(shares[0], shares[1], atol=5 * np.sqrt(0.5 / DRAWS))
    # the number of tries shows in the counts: their distribution over the steps is the same
    for statistic in (np.mean, np.std):
        mine, other = statistic(expected, axis=0), statistic(counts, axis=0)
        np.testing.assert_allclose(mine, other, atol=float(6 * counts.std() / np.sqrt(DRAWS)))


def test_draws_follow_from_seed_and_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, _ = _drawn(tmp_path, monkeypatch, 6)
    again, _ = _drawn(tmp_path, monkeypatch, 6)
    seeded, _ = _drawn(tmp_path, monkeypatch, 6, sampler_args={"seed": 5})
    np.testing.assert_array_equal(labels, again)
    assert len({tuple(row) for row in labels}) > 1
    assert (labels != seeded).any()


def test_targets_are_learned(tmp_path: Path) -> None:
    """TensorFlow's weights start at one, and each label of a valid frame adds one."""
    layers = {"hidden": network["hidden"], "output": sampled(sampler="learned_unigram")}
    program = compile_net(_net(tmp_path, layers), target="tf", mode="train")
    inputs = {"data": np.zeros((2, 3, 3), np.float32), "data/size1": np.array([3, 1])}
    inputs |= {"classes": np.array([[1, 1, 4], [2, 7, 7]], np.int32), "classes/size1": np.array([3, 1])}
    params = {name: np.zeros([d.size or 0 for d in p.dims], np.float32) for name, p in program.params.items()}
    params["output/sampler_counts"] = np.ones(LABELS, np.float32)
    found = program.run(inputs, params)
    np.testing.assert_array_equal(found["state/output/sampler_counts"], [1, 3, 2, 1, 2, 1, 1, 1])


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            {**sampled(), "use_transposed_weights": False},
            "key 'loss'): sampling_loss needs the output layer's matrix by rows, its bias, and a source with features\n"
            "  expected: 'use_transposed_weights': True, 'with_bias': True, at the linear layer that has the loss",
        ),
        (
            sampled(num_sampled=9),
            "key 'loss_opts'): more labels are to be drawn than there are\n"
            "  expected: num_sampled of at most 8\n"
            "  received: 9",
        ),
        (
            sampled(sampler="fixed_unigram"),
            "key 'loss_opts'): the sampler 'fixed_unigram' needs weights of the labels\n"
            "  expected: either vocab_file or unigrams in sampler_args",
        ),
        (
            sampled(sampler="fixed_unigram", sampler_args={"unigrams": [1.0, 2.0]}),
            "key 'loss_opts'): the sampler 'fixed_unigram' has not a weight of each label\n"
            "  expected: 8 numbers that are not negative\n"
            "  received: 2",
        ),
        (
            sampled(sampler="fixed_unigram", sampler_args={"unigrams": [0.0] * LABELS, "distortion": -1.0}),
            "key 'loss_opts'): the sampler 'fixed_unigram' has weights whose powers are no numbers\n"
            "  expected: a 'distortion' that keeps all of them finite\n  received: -1.0",
        ),
        (
            sampled(sampler="fixed_unigram", sampler_args={"unigrams": [0.0] * LABELS}),
            "key 'loss_opts'): the sampler 'fixed_unigram' has fewer labels with a weight than are to be drawn\n"
            "  expected: at least 3\n"
            "  received: 0",
        ),
    ],
    ids=["matrix", "too many", "no weights", "few weights", "powers", "zeros"],
)
def test_refused(layer: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        construct(_net(tmp_path, {"hidden": network["hidden"], "output": layer}), "train")
    assert str(raised.value) == f"layer 'output' ({tmp_path / 'net.py'}:2, {message}"


def test_weights_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last column of each line; reserved labels are never drawn."""
    path = tmp_path / "vocab.txt"
    path.write_text("".join(f"word{i},{weight}\n" for i, weight in enumerate(WEIGHTS[2:])))
    args = {"vocab_file": str(path), "num_reserved_ids": 2}
    labels, expected = _drawn(tmp_path, monkeypatch, 20, sampler="fixed_unigram", sampler_args=args)
    assert labels.min() == 2
    np.testing.assert_array_equal(expected[:, :2], 0)
