"""Twenty steps against RETURNN's updater: gradients of rows, sums over steps, what layers say of their variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from runtime.optimizers import Optimizer
from runtime.optimizers.registry import optimizer_names

FOLDER = Path(__file__).parent / "data" / "optimizers" / "twenty"  # see record_optimizers.py
PROBLEM: dict[str, Any] = json.loads((FOLDER / "problem.json").read_text())
CASES: dict[str, Any] = {
    name: case
    for path in sorted(FOLDER.glob("*.json"))
    if path.name != "problem.json"
    for name, case in json.loads(path.read_text()).items()
}


@dataclass(frozen=True)
class Said:
    """What layers say of a variable."""

    updater_opts: Mapping[str, Any]
    decay: float


class Training:
    """The problem under way."""

    def __init__(self, config: dict[str, Any]) -> None:
        said = config.get("#variables", {})
        options = {key: value for key, value in config.items() if key[0] != "#"}
        self.variables = {name: tf.Variable(np.array(v, np.float32)) for name, v in PROBLEM["init"].items()}
        self.optimizer = Optimizer.create(options)
        wishes = {name: said.get(name, {}) for name in self.variables}
        params = {name: Said(wish.get("updater_opts", {}), wish.get("L2", 0.0)) for name, wish in wishes.items()}
        self.optimizer.build(self.variables, params)
        self._apply = tf.function(self._step, autograph=False)

    def _step(self, dense: Any, rows: Any, rate: Any, step: Any) -> None:
        slices = {
            name: tf.IndexedSlices(values, indices, tf.shape(self.variables[name]))
            for name, (indices, values) in rows.items()
        }
        self.optimizer.apply({**dense, **slices}, rate, step)

    def step(self, number: int) -> None:
        """One step, from 0."""
        dense = {name: tf.constant(value, tf.float32) for name, value in PROBLEM["grads"][number].items()}
        rows = {
            name: (tf.constant(indices, tf.int32), tf.constant(values, tf.float32))
            for name, (indices, values) in PROBLEM["rows"][number].items()
        }
        rate = tf.constant(PROBLEM["learning_rates"][number], tf.float32)
        self._apply(dense, rows, rate, tf.constant(number, tf.int64))


#: Of rows, RETURNN reads the means at no certain time, before or behind the gradient (TensorFlow 2's ``sparse_read``).
UNCERTAIN = ("neuraloptimizer1", "gradvariancescaled")


def _ours(name: str) -> str:
    """Our name for a slot of RETURNN: where steps are summed, scalars are inside of a branch of its graph."""
    return name.replace("apply_grads/accum_grad_multiple_step/", "")


@pytest.mark.parametrize("name", CASES)
def test_same_steps_and_slots_as_returnn(name: str) -> None:
    case, training = CASES[name], Training(CASES[name]["config"])
    expected = dict(zip(PROBLEM["recorded"], case["steps"], strict=True))
    uncertain = {"table"} if training.optimizer.options.chosen.spec.name in UNCERTAIN else set()
    for number in range(len(PROBLEM["learning_rates"])):
        training.step(number)
        for variable, value in expected.get(number + 1, {}).items():
            if variable in uncertain:
                continue
            found = training.variables[variable].numpy()
            np.testing.assert_allclose(found, np.array(value, np.float32), rtol=1e-5, atol=1e-6, err_msg=variable)
    slots = {name: value for name, value in case["slots"].items() if name.split("/")[1] not in uncertain}
    state = {name: value.numpy() for name, value in training.optimizer.state().items()}
    _assert_same_slots({name: value for name, value in state.items() if name.split("/")[1] not in uncertain}, slots)


def _assert_same_slots(state: dict[str, Any], slots: dict[str, Any]) -> None:
    sums = [state.pop(name) for name in sorted(state) if name.endswith("/accum_grad")]
    # RETURNN calls sums by the ops of its graph
    theirs = [np.array(slots[name], np.float32) for name in sorted(slots) if name.endswith("/var_accum_grad")]
    if not sums:
        theirs = []  # a sum over one step is its own gradient, which RETURNN keeps and we do not
    slots = {_ours(name): value for name, value in slots.items() if not name.endswith("/var_accum_grad")}
    assert set(state) == set(slots)
    for name, value in slots.items():
        np.testing.assert_allclose(state[name], np.array(value, np.float32), rtol=1e-5, atol=1e-6, err_msg=name)
    ours, reference = (sorted(group, key=lambda x: x.shape) for group in (sums, theirs))
    assert len({x.shape for x in ours}) == len(ours) == len(reference)
    for found, value in zip(ours, reference, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-6)


def test_every_rule_is_compared_on_rows() -> None:
    compared = {Training(case["config"]).optimizer.options.chosen.spec.name for case in CASES.values()}
    # RETURNN cannot run the others with today's TensorFlow
    assert compared == set(optimizer_names()) - {"sgd", "adamw", "adamax", "amsgrad"}


def test_rows_move_with_their_new_means() -> None:
    """What RETURNN says it does, where it does not do it for certain."""
    table = tf.Variable(np.zeros((3, 1), np.float32))
    optimizer = Optimizer.create({"optimizer": {"class": "NeuralOptimizer1", "beta1": 0.5, "decrease_factor": 0.25}})
    optimizer.build({"table": table})
    for rows, values in (([0, 0, 1], [[4.0], [-2.0], [1.0]]), ([0], [[-1.0]])):
        optimizer.apply({"table": tf.IndexedSlices(tf.constant(values), rows, [3, 1])}, tf.constant(1.0))
    # of row 0 the mean is 0.5 * (4 - 2), so that -2 counts a quarter; then 0.5 * 1 - 0.5, which points nowhere
    np.testing.assert_allclose(table.numpy(), np.array([[-4 + 0.5 + 0.25], [-1], [0]]))


@pytest.mark.parametrize("rows", [False, True])
def test_adamw_decays_by_its_own_share(rows: bool) -> None:
    options: dict[str, object] = {"class": "adamw", "weight_decay": 0.1, "epsilon": 1e-3}
    config: dict[str, object] = {"optimizer": options}
    value, mean, square = np.array([[1.0], [2.0]]), np.zeros((2, 1)), np.zeros((2, 1))
    variable, optimizer = tf.Variable(value.astype(np.float32)), Optimizer.create(config)
    optimizer.build({"w": variable})
    for step, number in enumerate((3.0, -1.0), start=1):
        grad = np.array([[number], [0.0]])
        given = tf.IndexedSlices(tf.constant([[number]]), [0], [2, 1]) if rows else tf.constant(grad, tf.float32)
        optimizer.apply({"w": given}, tf.constant(0.5))
        value = value - 0.1 * value * (np.array([[1.0], [0.0]]) if rows else 1)
        mean, square = 0.9 * mean + 0.1 * grad, 0.999 * square + 0.001 * grad**2
        value = value - 0.5 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * mean / (np.sqrt(square) + 1e-3)
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-5)
    assert [name for name in optimizer.state() if "/w/" in name] == ["optimize/w/AdamW", "optimize/w/AdamW_1"]


@pytest.mark.parametrize("name", ["adamax", "amsgrad"])
def test_rules_that_returnn_cannot_run_today(name: str) -> None:
    optimizer = Optimizer.create({"optimizer": {"class": name, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3}})
    variable, value = tf.Variable([1.0, 2.0]), np.array([1.0, 2.0])
    optimizer.build({"w": variable})
    mean = second = largest = np.zeros(2)
    for step, grad in enumerate(np.array([[1.0, -4.0], [0.5, 1.0], [-2.0, 0.0]]), start=1):
        optimizer.apply({"w": tf.constant(grad, tf.float32)}, tf.constant(0.5))
        mean = 0.8 * mean + 0.2 * grad
        if name == "adamax":
            second = np.maximum(0.9 * second, np.abs(grad))
            value = value - 0.5 / (1 - 0.8**step) * mean / (second + 1e-3)
        else:
            second = 0.9 * second + 0.1 * grad**2
            largest = np.maximum(largest, second)
            value = value - 0.5 * mean / (np.sqrt(largest) + 1e-3)
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-5)
