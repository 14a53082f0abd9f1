"""What layers say of updates, what is wrong in it, and state that starts again or goes on in the middle of a sum."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import returnn_ir
from compiler.checkpoint.reader import CheckpointReader
from compiler.program.program import compile_net
from returnn_ir.errors import TargetError, UserError
from returnn_ir.network.net import parse_network
from runtime.checkpoints.files import GLOBAL_STEP, restore_optimizer, save_checkpoint
from runtime.cli import main
from runtime.model.steps import Steps
from runtime.model.variables import Variables
from runtime.optimizers import Optimizer
from runtime.optimizers.update_options import UpdateOptions

NET = """#!rnn.py
extern_data = {{"data": {{"dim": 2}}, "classes": {{"dim": 2, "sparse": True}}}}
network = {{
    "hidden": {{"class": "linear", "activation": "tanh", "n_out": 2, "from": "data", {hidden}}},
    "output": {{"class": "softmax", "from": "hidden", "loss": "ce", {output}}},
}}
{lines}
"""
FEED = {
    "data": np.array([[[1.0, -1.0], [0.5, 2.0]]], np.float32),
    "data/size1": np.array([2], np.int32),
    "classes": np.array([[0, 1]], np.int32),
    "classes/size1": np.array([2], np.int32),
}


def _file(folder: Path, lines: str = "", hidden: str = "", output: str = "") -> str:
    path = folder / "net.py"
    path.write_text(NET.format(lines=lines, hidden=hidden, output=output), encoding="utf-8")
    return str(path)


def _problems(folder: Path, *args: str) -> str:
    net = returnn_ir.load(_file(folder, *args))
    with pytest.raises(UserError) as error:
        UpdateOptions.from_config(net.config or {}).check(net)
    return str(error.value).replace(f"{folder}/", "")


def test_everything_that_is_wrong_with_place(tmp_path: Path) -> None:
    hidden = '"updater_opts": {"gradient_clop": 1}'
    output = '"updater_opts": {"optimizer": {"beta2": -1}}'
    found = _problems(tmp_path, 'optimizer = "adam"', hidden, output)
    assert "layer 'hidden' (net.py:4, key 'updater_opts'): updater_opts has no option 'gradient_clop'\n" in found
    assert "did you mean 'gradient_clip'" in found
    assert (
        "layer 'output' (net.py:5, key 'updater_opts'): optimizer 'adam': option 'beta2' is out of range\n"
        "  expected: float >= 0\n  received: -1 (int)" in found
    )


def test_a_tag_that_no_layer_has(tmp_path: Path) -> None:
    found = _problems(
        tmp_path, 'gradient_clip_global_norm = 1\nglobal_norm_tag = "a"', '"updater_opts": {"tags": ["b"]}'
    )
    assert "no layer has the tag 'a', whose global norm is asked for\n" in found
    assert "expected: b\n" in found


def test_one_share_of_the_norm(tmp_path: Path) -> None:
    hidden, output = (f'"updater_opts": {{"maximize_grad_norm": {share}}}' for share in (0.1, 0.2))
    assert "maximize_grad_norm has several values" in _problems(tmp_path, "", hidden, output)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "Lamb",
            "RETURNN has it from Keras, whose optimizers it cannot run with today's TensorFlow; it is not built here",
        ),
        ("LazyAdamOptimizer", "RETURNN has it from TensorFlow 1's contrib.opt; it is not built here"),
        ("adagradda", "RETURNN does not give it the global step that it needs, and ends"),
    ],
)
def test_optimizers_that_are_not_built(name: str, reason: str) -> None:
    with pytest.raises(UserError) as error:
        Optimizer.create({"optimizer": {"class": name}})
    assert str(error.value).partition("\n")[0] == f"key 'optimizer': the optimizer {name!r} is not available: {reason}"


def test_a_run_refuses_before_it_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = 'train = {"class": "Task12AXDataset", "num_seqs": 2}'
    assert main([_file(tmp_path, lines, '"updater_opts": {"learning_rate": 0.1}')]) == 2
    found = capsys.readouterr().err
    assert (
        "net.py:4, key 'updater_opts'): updater_opts has no option 'learning_rate'\n  expected: one of accum_" in found
    )


# ---------------------------------------------------------------- state


def _gradients(number: int) -> Mapping[str, Any]:
    return {"w": tf.constant([number + 1.0, -2.0 * number])}


def _summing(tmp_path: Path, *, kept: bool) -> Any:
    """The variable after six steps of sums over three, saved and loaded after the fourth."""
    config: dict[str, object] = {"accum_grad_multiple_step": 3, "optimizer": "adam"}
    variable, optimizer = tf.Variable([1.0, 2.0]), Optimizer.create(config)
    optimizer.build({"w": variable})
    for number in range(6):
        if number == 4:
            state = {n: v for n, v in optimizer.state().items() if kept or n not in optimizer.optional()}
            prefix = save_checkpoint(str(tmp_path / "net"), 1, {GLOBAL_STEP: tf.Variable(4, dtype=tf.int64)}, state)
            optimizer = Optimizer.create(config)
            optimizer.build({"w": variable})
            assert restore_optimizer(prefix, optimizer.state(), optimizer.optional()) is None
        optimizer.apply(_gradients(number), tf.constant(0.1), tf.constant(number, tf.int64))
    return variable.numpy()


def test_a_sum_goes_on_behind_a_checkpoint(tmp_path: Path) -> None:
    whole, optimizer = tf.Variable([1.0, 2.0]), Optimizer.create({"optimizer": "adam"})
    optimizer.build({"w": whole})
    for first in (0, 3):
        summed = sum(_gradients(number)["w"] for number in range(first, first + 3))
        optimizer.apply({"w": summed}, tf.constant(0.1))
    np.testing.assert_allclose(_summing(tmp_path, kept=True), whole.numpy(), rtol=1e-6)
    # without the sum, as from RETURNN: Adam's state is there, the gradient of the fourth step is not
    assert not np.allclose(_summing(tmp_path, kept=False), whole.numpy(), rtol=1e-6)


def test_state_starts_again_in_an_epoch(tmp_path: Path) -> None:
    """With ``reset_updater_vars_mod_step`` steps 0, 2, ... of an epoch are first steps."""

    def trained(lines: str, steps: int) -> dict[str, Any]:
        net = returnn_ir.load(_file(tmp_path, 'optimizer = {"class": "momentum", "momentum": 0.9}\n' + lines))
        assert net.config is not None
        step = Steps(Variables(), Optimizer.create(net.config)).train(net)
        run = step.epoch(0.5)
        for _ in range(steps):
            run(FEED)
        return {name: variable.numpy() for name, variable in step.optimizer_state().items()}

    once, again = trained("", 1), trained("reset_updater_vars_mod_step = 2", 4)
    assert once.keys() == again.keys()
    third = trained("reset_updater_vars_mod_step = 2", 3)
    for name, value in third.items():
        # a velocity behind a reset is one gradient, behind the next step it is more
        assert not np.allclose(value, again[name])
    assert all(np.abs(value).max() > 0 for value in third.values())


def test_layers_around_others_speak_for_them(tmp_path: Path) -> None:
    config = returnn_ir.load(_file(tmp_path, "decouple_constraints = True")).config
    assert config is not None
    net = parse_network(
        {
            "sub": {
                "class": "subnetwork", "from": "data", "L2": 0.5, "updater_opts": {"gradient_clip": 1.0},
                "subnetwork": {
                    "own": {"class": "linear", "n_out": 2, "L2": 0.25, "updater_opts": {"gradient_clip": 2.0}},
                    "output": {"class": "linear", "n_out": 2, "from": "own"},
                },
            },
            "output": {"class": "softmax", "from": "sub", "loss": "ce"},
        },
        config,
    )  # fmt: skip
    params = compile_net(net, target="reference", mode="train").params
    assert (params["sub/own/W"].decay, params["sub/own/W"].updater_opts) == (0.25, {"gradient_clip": 2.0})
    assert (params["sub/output/W"].decay, params["sub/output/W"].updater_opts) == (0.5, {"gradient_clip": 1.0})
    assert (params["output/W"].decay, params["output/W"].updater_opts) == (0.0, {})


@pytest.mark.parametrize("fusion", ["", 'fusion = {"ctc_loss": "require"}\n'])
def test_a_kernel_without_second_derivative(tmp_path: Path, fusion: str) -> None:
    path = tmp_path / "ctc.py"
    path.write_text(
        '#!rnn.py\nextern_data = {"data": {"dim": 3}, "classes": {"dim": 2, "sparse": True}}\n'
        f"maximize_grad_norm = 0.1\n{fusion}"
        'network = {"output": {"class": "softmax", "n_out": 3, "from": "data", "loss": "ctc", "target": "classes"}}\n',
        encoding="utf-8",
    )
    net = returnn_ir.load(path)
    assert net.config is not None
    step = Steps(Variables(), Optimizer.create(net.config)).train(net)
    note = "maximize_grad_norm: ctc_loss has no kernel here, as its kernel has no second derivative"
    assert (note in step.program.graph.notes) is (not fusion)
    feed = {**FEED, "data": np.ones((1, 2, 3), np.float32)}
    if fusion:
        with pytest.raises(TargetError, match="the gradient of the gradients' norm is asked for"):
            step(feed, 0.1)
    else:
        assert np.isfinite(step(feed, 0.1)["objective"])
        assert all(np.isfinite(v.numpy()).all() for v in step.variables.of(step.program).values())


def test_noise_is_on_rows_without_a_gradient_too() -> None:
    table, optimizer = tf.Variable(np.zeros((4, 3), np.float32)), Optimizer.create({"gradient_noise": 0.1})
    optimizer.build({"table": table})
    rows = tf.IndexedSlices(tf.ones([2, 3]), tf.constant([1, 1]), tf.constant([4, 3]))
    optimizer.apply({"table": rows}, tf.constant(1.0), tf.constant(0, tf.int64))
    assert np.count_nonzero(table.numpy()) == 12
    assert -2.3 < table.numpy()[1].mean() < -1.7


def test_sums_go_on_over_epochs_and_runs(tmp_path: Path) -> None:
    """Four steps an epoch and sums over three: the second epoch begins in the middle of one."""

    def trained(name: str, *epochs: int) -> dict[str, Any]:
        folder = tmp_path / name
        folder.mkdir()
        lines = (
            f'train = {{"class": "Task12AXDataset", "num_seqs": 12}}\nbatch_size, max_seqs = 200, 2\n'
            f"accum_grad_multiple_step, learning_rate, model = 3, 0.1, {str(folder / 'net')!r}\n"
            'optimizer = "adam"\nlearning_rate_file = None\n'
        )
        text = NET.format(lines=lines, hidden="", output="").replace('"dim": 2}', '"dim": 9}', 1)
        for last in epochs:
            (folder / "net.py").write_text(text + f"num_epochs = {last}\n", encoding="utf-8")
            assert main([str(folder / "net.py")]) == 0
        reader = CheckpointReader.open(str(folder / "net.002"))
        return {variable: reader.read(variable) for variable in reader.names()}

    whole, resumed = trained("whole", 2), trained("resumed", 1, 2)
    assert whole["global_step"] == 8
    for name, value in whole.items():
        np.testing.assert_array_equal(value, resumed[name])
