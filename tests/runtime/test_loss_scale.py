"""Loss scaling of a training in float16: how the factor changes, steps without an update, a resumed run, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from compiler.checkpoint.reader import CheckpointReader
from compiler.target.protocol import Array
from returnn_ir.errors import UserError
from runtime.cli import main
from runtime.optimizers import Optimizer
from runtime.optimizers.loss_scale import LossScale, LossScaleOptions

#: A network with a cell in a loop, whose weights are used in all steps.
CONFIG = """#!rnn.py
task = "train"
train = {{"class": "Task12AXDataset", "num_seqs": 24}}
extern_data = {{"data": {{"dim": 9}}, "classes": {{"dim": 2, "sparse": True}}}}
network = {{
    "hidden": {{"class": "linear", "activation": "tanh", "n_out": 5, "dropout": 0.1, "from": "data"}},
    "loop": {{"class": "rec", "from": "hidden", "unit": {{
        "output": {{
            "class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "prev:output"]}}}}}},
    "output": {{"class": "softmax", "from": "loop", "loss": "ce"}},
}}
batch_size = 200
learning_rate = 0.01
optimizer = {{"class": "adam"}}
mixed_precision = "float16"
model = {folder!r} + "/net"
learning_rate_file = {folder!r} + "/rates"
"""


def write(folder: Path, lines: str = "") -> str:
    folder.mkdir()
    path = folder / "net.py"
    path.write_text(CONFIG.format(folder=str(folder)) + lines + "\n", encoding="utf-8")
    return str(path)


def checkpoint(folder: Path, epoch: int, kind: str = "") -> dict[str, Array]:
    reader = CheckpointReader.open(str(folder / f"net.{epoch:03d}{kind}"))
    return {name: reader.read(name) for name in reader.names()}


def assert_equal(found: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


# ------------------------------------------------------------------------------ the factor


def test_how_the_factor_changes() -> None:
    scale = LossScale(LossScaleOptions(init_scale=8.0, growth_interval=3))
    seen = []
    for usable in (True, True, True, True, False, True, True, False, False, True, True, True):
        scale.update(tf.constant(usable))
        seen.append(scale.value)
    assert seen == [8, 8, 16, 16, 8, 8, 8, 4, 2, 2, 2, 4]
    assert scale.skipped == 3


def test_defaults_are_those_of_the_field() -> None:
    assert LossScaleOptions.from_config({}) == LossScaleOptions(
        init_scale=32768.0, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000, enabled=True
    )
    assert not LossScaleOptions.from_config({"grad_scaler": None}).enabled
    assert LossScaleOptions.from_config({"grad_scaler": {"init_scale": 4}}).init_scale == 4.0


@pytest.mark.parametrize("wrong", [np.inf, -np.inf, np.nan])
def test_gradients_are_divided_and_looked_at(wrong: float) -> None:
    scale = LossScale(LossScaleOptions(init_scale=4.0))
    rows = tf.IndexedSlices(tf.constant([[2.0, 4.0]]), tf.constant([1]), tf.constant([3, 2]))
    found, usable = scale.unscaled({"dense": tf.constant([8.0, 2.0]), "rows": rows}, scale.factor())
    assert usable.numpy()
    assert found["dense"].numpy().tolist() == [2.0, 0.5]
    assert found["rows"].values.numpy().tolist() == [[0.5, 1.0]]
    assert found["rows"].indices.numpy().tolist() == [1]
    rows = tf.IndexedSlices(tf.constant([[2.0, wrong]]), tf.constant([1]), tf.constant([3, 2]))
    assert not scale.unscaled({"dense": tf.constant([8.0, 2.0]), "rows": rows}, scale.factor())[1].numpy()


# ------------------------------------------------------------------------------ a step without an update


def _run(config: Mapping[str, object], steps: list[tuple[float, bool]]) -> tuple[list[float], dict[str, Any]]:
    """The variable after each step, by gradients and whether these are usable; the optimizer's state in the end."""
    variable = tf.Variable([1.0])
    optimizer = Optimizer.create({"learning_rate": 0.1, **config})
    optimizer.build({"v": variable})
    seen = []
    for number, (gradient, usable) in enumerate(steps):
        grads = {"v": tf.constant([gradient if usable else np.nan])}
        optimizer.apply(grads, tf.constant(0.1), tf.constant(number, tf.int64), usable=tf.constant(usable))
        seen.append(float(variable.numpy()[0]))
    return seen, {name: v.numpy().tolist() for name, v in optimizer.state().items()}


@pytest.mark.parametrize("kind", ["adam", "momentum", "gradientdescent"])
def test_a_step_that_is_not_usable_changes_nothing(kind: str) -> None:
    config = {"optimizer": {"class": kind, **({"momentum": 0.9} if kind == "momentum" else {})}}
    skipping, state = _run(config, [(1.0, True), (1.0, False), (0.5, True)])
    without, expected = _run(config, [(1.0, True), (0.5, True)])
    assert skipping == [without[0], without[0], without[1]]
    assert state == expected


def test_a_step_that_is_not_usable_adds_nothing_to_a_sum() -> None:
    config = {"optimizer": {"class": "gradientdescent"}, "accum_grad_multiple_step": 3}
    skipping, _ = _run(config, [(1.0, True), (5.0, False), (0.5, True)])
    assert skipping == pytest.approx([1.0, 1.0, 1.0 - 0.1 * 1.5])
    last, _ = _run(config, [(1.0, True), (0.5, True), (5.0, False)])
    assert last == pytest.approx([1.0, 1.0, 1.0 - 0.1 * 1.5])


# ------------------------------------------------------------------------------ runs


def test_a_resumed_run_is_an_uninterrupted_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The factor grows and shrinks on the way, and so it has to be found again."""
    lines = "grad_scaler = {'init_scale': 2.0**18, 'growth_interval': 4}\naccum_grad_multiple_step = 2"
    whole, parts = (write(tmp_path / name, lines) for name in ("whole", "parts"))
    assert main([whole, "++num_epochs", "3"]) == 0
    for last in (1, 3):
        assert main([parts, "++num_epochs", str(last)]) == 0
    log = capsys.readouterr().out
    assert "train epoch 1, step 0: no update, a gradient is not finite; loss scale 262144 becomes 131072\n" in log
    for kind in ("", ".optimizer"):
        assert_equal(checkpoint(tmp_path / "parts", 3, kind), checkpoint(tmp_path / "whole", 3, kind))
    state = checkpoint(tmp_path / "whole", 3, ".optimizer")
    assert {"optimize/loss_scale", "optimize/loss_scale/good_steps"} <= set(state)
    assert state["optimize/loss_scale"] < 2.0**18


def test_the_factor_is_seen_nowhere(tmp_path: Path) -> None:
    """Powers of two are exact: clipping, noise and norms get the same gradients, and so do sums over steps."""
    lines = "gradient_clip_global_norm = 0.5\ngradient_noise = 0.001\ngradient_clip = 0.1\nnum_epochs = 1\n"
    found = []
    for name, scale in (("one", 16.0), ("other", 64.0)):
        options = f"grad_scaler = {{'init_scale': {scale}, 'growth_interval': 10000}}"
        assert main([write(tmp_path / name, lines + options)]) == 0
        found.append(checkpoint(tmp_path / name, 1))
    for name, array in found[0].items():
        np.testing.assert_allclose(found[1][name], array, rtol=1e-3, atol=1e-5, err_msg=name)


def test_an_epoch_without_an_update_keeps_the_parameters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = "grad_scaler = {'init_scale': 2.0**60}\nnum_epochs = 1\nsave_epoch1_initial_model = True"
    assert main([write(tmp_path / "run", lines)]) == 0
    log = capsys.readouterr().out
    steps = log.count("no update, a gradient is not finite")
    assert f"train epoch 1: {steps} of {steps} steps without an update, loss scale {2.0 ** (60 - steps):g}\n" in log
    before, after = (checkpoint(tmp_path / "run", epoch) for epoch in (0, 1))
    assert {name for name in after if not np.array_equal(after[name], before[name])} == {"global_step"}


@pytest.mark.parametrize("lines", ["mixed_precision = 'bfloat16'", "grad_scaler = None"])
def test_without_a_factor(tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: str) -> None:
    assert main([write(tmp_path / "run", f"{lines}\nnum_epochs = 1")]) == 0
    assert "without an update" not in capsys.readouterr().out
    assert not [name for name in checkpoint(tmp_path / "run", 1, ".optimizer") if "loss_scale" in name]


# ------------------------------------------------------------------------------ refusals


def _failed(capsys: pytest.CaptureFixture[str], path: str) -> str:
    assert main([path]) == 2
    return capsys.readouterr().err


def test_gradients_that_nothing_helps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The root of zero has a finite value, and no finite gradient."""
    layers = """
network["root"] = {"class": "eval", "eval": "tf.sqrt(source(0) * 0.0) + source(0)", "from": "hidden"}
network["loop"]["from"] = "root"
grad_scaler = {"init_scale": 0.001}
num_epochs = 1
"""
    error = _failed(capsys, write(tmp_path / "run", layers))
    assert error.startswith("returnn-run: the gradients are not finite, whatever the loss is multiplied by\n")
    assert "received: " in error and " skipped steps, loss scale " in error
    assert 'try: mixed_precision = "bfloat16", which has larger numbers; or a lower learning rate' in error


HINT = 'mixed_precision = "bfloat16", which needs no loss scale, or grad_scaler = None'


def test_what_looks_at_scaled_gradients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "norm", "maximize_grad_norm = 0.1")
    expected = "maximize_grad_norm does not go with the loss scale of float16"
    assert _failed(capsys, path) == f"returnn-run: {path}:18, key 'maximize_grad_norm': {expected}\n  try: {HINT}\n"
    path = write(tmp_path / "filter", "network['hidden']['grad_filter'] = 0.1")
    error = _failed(capsys, path)
    what = "this layer compares its gradient with a number, or adds one; here it is multiplied by the loss scale"
    assert error.startswith("returnn-run: layer 'hidden'") and f"{what}\n  try: {HINT}\n" in error


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"init_scale": 0}, "key 'grad_scaler.init_scale'"),
        ({"growth_interval": 0}, "key 'grad_scaler.growth_interval'"),
        ({"backoff_factor": 1.0}, "key 'grad_scaler.backoff_factor'"),
        ({"scale": 2}, "key 'grad_scaler.scale': grad_scaler has no option 'scale'"),
        (3, "key 'grad_scaler'"),
    ],
)
def test_wrong_options(given: object, message: str) -> None:
    with pytest.raises(UserError) as error:
        LossScaleOptions.from_config({"grad_scaler": given})
    assert str(error.value).startswith(message)


def test_a_wrong_type_is_told_before_anything_is_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "run", "mixed_precision = 'float8'")
    assert _failed(capsys, path) == (
        f"returnn-run: {path}:18, key 'mixed_precision': option 'mixed_precision' has an unknown value\n"
        "  expected: 'bfloat16' | 'float16' | None\n  received: 'float8' (str)\n  try: did you mean 'float16'?\n"
    )
    assert not list((tmp_path / "run").glob("net.0*"))
