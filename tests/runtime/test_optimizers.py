"""Optimizer steps against the numbers of RETURNN's updater, and options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from returnn_ir.errors import UserError
from runtime.checkpoints.files import GLOBAL_STEP, restore_optimizer, restore_variables, save_checkpoint
from runtime.optimizers import ChosenOptimizer, GradientOptions, Optimizer
from runtime.optimizers.gradients import GradientProcessing, Norms
from runtime.optimizers.rules.adam import AdamOptions
from runtime.optimizers.update_options import UpdateOptions

FOLDER = Path(__file__).parent / "data" / "optimizers"  # see record_optimizers.py
DATA: dict[str, Any] = json.loads((FOLDER / "problem.json").read_text())
CASES: dict[str, Any] = {
    name: case
    for path in sorted(FOLDER.glob("*.json"))
    if path.name != "problem.json"
    for name, case in json.loads(path.read_text()).items()
}


def _variables() -> dict[str, Any]:
    return _as_variables(DATA["init"])


def _as_variables(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tf.Variable(np.array(value, np.float32)) for name, value in values.items()}


def _grads(step: int) -> dict[str, Any]:
    return {name: tf.constant(np.array(value, np.float32)) for name, value in DATA["grads"][step].items()}


def _run(config: dict[str, object]) -> tuple[Optimizer, list[dict[str, Any]]]:
    """The variables after each of the recorded steps."""
    optimizer, variables = Optimizer.create(config), _variables()
    optimizer.build(variables)
    return optimizer, _steps(optimizer, variables)


def _steps(optimizer: Optimizer, variables: dict[str, Any], first: int = 0) -> list[dict[str, Any]]:
    apply = tf.function(optimizer.apply, autograph=False)  # as the model does
    result = []
    for step in range(first, len(DATA["grads"])):
        apply(_grads(step), tf.constant(DATA["learning_rates"][step], tf.float32), tf.constant(step, tf.int64))
        result.append({name: variable.numpy() for name, variable in variables.items()})
    return result


def _assert_same(steps: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    for actual, reference in zip(steps, expected, strict=True):
        for name, value in reference.items():
            np.testing.assert_allclose(actual[name], np.array(value, np.float32), rtol=1e-6, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("name", CASES)
def test_same_steps_and_slots_as_returnn(name: str) -> None:
    case = CASES[name]
    optimizer, steps = _run(case["config"])
    _assert_same(steps, case["steps"])
    state = optimizer.state()
    assert set(state) == set(case["slots"])
    for slot, value in case["slots"].items():
        np.testing.assert_allclose(state[slot].numpy(), np.array(value, np.float32), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_goes_on_from_a_checkpoint_of_returnn(name: str, tmp_path: Path) -> None:
    """With the slots that RETURNN's updater had after some steps, the next ones are RETURNN's, too."""
    case, saved = CASES[name], _as_variables(CASES[name]["checkpoint"])
    slots = {key: saved.pop(key) for key in case["slots"]}
    saved[GLOBAL_STEP] = tf.Variable(3, dtype=tf.int64)
    prefix = save_checkpoint(str(tmp_path / "net"), 1, saved, slots)

    optimizer, variables = Optimizer.create(case["config"]), _variables()
    optimizer.build(variables)
    counter = tf.Variable(0, dtype=tf.int64)
    assert restore_variables(prefix, {**variables, GLOBAL_STEP: counter}) == []
    if slots:
        assert restore_optimizer(prefix, optimizer.state()) is None
    _assert_same(_steps(optimizer, variables, int(counter.numpy())), case["steps"][3:])


@pytest.mark.parametrize(
    ("config", "same_as"),
    [
        ({"adam": True}, "adam"),
        ({"adam": 1, "optimizer_epsilon": "1e-3"}, "adam_eps"),
        ({"optimizer": "adam"}, "adam"),
        ({"nadam": True}, "nadam"),
        ({"momentum": 0.7}, "momentum_from_config"),
        ({"rmsprop": True}, "rmsprop"),
        ({"rmsprop": 0.9, "adam": False}, "rmsprop"),
        ({"rmsprop": 0.0}, "rmsprop_without_decay"),
        ({"rmsprop": 0}, "default"),
        ({"rmsprop": True, "momentum": 0.7, "optimizer_epsilon": 0.01}, "rmsprop_from_config"),
        ({"adagrad": True, "rmsprop": 0.9}, "adagrad"),
        ({"adadelta": True, "adagrad": True, "optimizer_epsilon": 1e-4}, "adadelta_from_config"),
        ({"optimizer": {"class": "sgd"}}, "default"),
        ({"optimizer": {"class": "SGD"}, "behavior_version": 20}, "default"),
    ],
)
def test_other_ways_to_ask(config: dict[str, object], same_as: str) -> None:
    _assert_same(_run(config)[1], CASES[same_as]["steps"])


def test_sgd_momentum_has_the_rate_inside() -> None:
    config: dict[str, object] = {"optimizer": {"class": "sgd", "momentum": 0.9, "nesterov": True}}
    optimizer, steps = _run(config)
    value = np.array(DATA["init"]["a/b"], np.float32)
    velocity = np.zeros_like(value)
    for step, rate in enumerate(DATA["learning_rates"]):
        grad = np.array(DATA["grads"][step]["a/b"], np.float32)
        velocity = 0.9 * velocity - rate * grad
        value = value + 0.9 * velocity - rate * grad
        np.testing.assert_allclose(steps[step]["a/b"], value, rtol=1e-5, atol=1e-6)
    assert set(optimizer.state()) == {f"optimize/{name}/SGD" for name in DATA["init"]}


def test_missing_and_sparse_gradients() -> None:
    table = tf.Variable(np.ones((3, 2), np.float32))
    other = tf.Variable(1.0)
    optimizer = Optimizer.create({"learning_rate": 1.0})
    optimizer.build({"table": table, "other": other})
    slices = tf.IndexedSlices(tf.ones([2, 2]), tf.constant([1, 1]), tf.constant([3, 2]))
    optimizer.apply({"table": slices, "other": None}, tf.constant(0.25))
    np.testing.assert_array_equal(table.numpy(), [[1, 1], [0.5, 0.5], [1, 1]])
    assert other.numpy() == 1.0
    with pytest.raises(KeyError, match="did you mean 'table'"):
        optimizer.apply({"tabel": slices}, tf.constant(0.25))


def test_nonfinite_gradients_can_be_filtered() -> None:
    variable = tf.Variable([1.0, 1.0, 1.0])
    optimizer = Optimizer.create({"gradient_nan_inf_filter": True})
    optimizer.build({"w": variable})
    optimizer.apply({"w": tf.constant([np.nan, np.inf, 1.0])}, tf.constant(0.5))
    np.testing.assert_array_equal(variable.numpy(), [1.0, 1.0, 0.5])


def test_noise_depends_on_the_step_and_is_reproducible() -> None:
    def noisy(step: int, seed: int = 1) -> Any:
        optimizer = Optimizer.create({"gradient_noise": 0.1, "random_seed": seed})
        variables = {"a": tf.Variable(tf.zeros([50])), "b": tf.Variable(tf.zeros([50]))}
        optimizer.build(variables)
        assert optimizer.needs_step
        optimizer.apply({"a": tf.zeros([50]), "b": tf.zeros([50])}, tf.constant(1.0), tf.constant(step, tf.int64))
        return np.stack([variable.numpy() for variable in variables.values()])

    first = noisy(1)
    np.testing.assert_array_equal(first, noisy(1))
    for other in (noisy(2), noisy(1, seed=2), first[::-1]):
        assert not np.allclose(first, other)
    assert 0.05 < first.std() < 0.12
    assert np.abs(first).max() <= 0.2  # truncated at two standard deviations


def test_dynamic_learning_rate() -> None:
    def half(*, learning_rate: Any, global_train_step: Any, **_: object) -> Any:
        return learning_rate * tf.where(global_train_step > 0, 0.5, 1.0)

    for value in (half, {"interval": 2, "decay": 0.5}):
        variable = tf.Variable(0.0)
        optimizer = Optimizer.create({"dynamic_learning_rate": value})
        optimizer.build({"w": variable})
        for step in (0, 1):
            optimizer.apply({"w": tf.constant(-1.0)}, tf.constant(1.0), tf.constant(step, tf.int64))
        assert variable.numpy() == 1.5


def test_epsilon_and_names() -> None:
    adam = ChosenOptimizer.from_config({"optimizer": {"class": "AdamOptimizer", "epsilon": None}})
    assert (adam.spec.name, adam.slot_suffix) == ("adam", "Adam")
    for chosen in (adam, ChosenOptimizer.from_config({"adam": True})):
        assert chosen.options == AdamOptions(kind=chosen.options.kind, epsilon=1e-16)
    named = ChosenOptimizer.from_config({"optimizer": {"class": "nadam", "name": "Mine"}})
    assert (named.spec.name, named.slot_suffix) == ("nadam", "Mine")


@pytest.mark.parametrize(
    ("config", "part"),
    [
        ({"optimizer": {"class": "adm"}}, "did you mean 'adam'"),
        ({"optimizer": {"class": "adam", "beta_1": 0.9}}, "did you mean 'beta1'"),
        ({"optimizer": {"class": "adam", "learning_rate": 0.1}}, "learning_rate_multiplier"),
        ({"optimizer": {"beta1": 0.9}}, "needs a class"),
        ({"optimizer": 3}, 'a dict {"class": "adam", ...}, or the class alone'),
        ({"optimizer": {"class": "momentum"}}, "option 'momentum' is missing"),
        ({"optimizer": {"class": "adam", "epsilon": "small"}}, "option 'epsilon' has the wrong type"),
        ({"adam": True, "momentum": 0.9}, "cannot be combined"),
        ({"adagrad": True, "momentum": 0.9}, "adagrad cannot be combined with momentum"),
        ({"rmsprop": 1.5}, "expected: True or False | float from 0 to 1"),
        ({"rmsprop": 0.9, "behavior_version": 2}, 'optimizer = {"class": "rmsprop"}'),
        ({"optimizer": {"class": "adagrad", "initial_accumulator_value": 0}}, "expected: float > 0"),
        ({"optimizer": {"class": "adagrad", "epsilon": 1e-8}}, "optimizer 'adagrad' has no option 'epsilon'"),
        ({"adam": True, "behavior_version": 2}, "from behavior_version 2 on"),
        ({"momentum": 0.5, "behavior_version": 3}, "from behavior_version 2 on"),
        ({"gradient_clip": -1}, "expected: float >= 0"),
        ({"dynamic_learning_rate": {"interval": 3, "decya": 1}}, "did you mean 'decay'"),
        ({"dynamic_learning_rate": lambda learning_rate: learning_rate}, "**kwargs"),
    ],
)
def test_wrong_options(config: dict[str, object], part: str) -> None:
    with pytest.raises(UserError) as error:
        Optimizer.create(config)
    assert part in str(error.value)


def test_gradient_options_default_to_nothing() -> None:
    assert GradientOptions.from_config({"random_seed": 3}) == GradientOptions()
    assert UpdateOptions.from_config({"random_seed": 3}).seed == 3


def _processed(config: dict[str, object], *grads: list[float]) -> list[Any]:
    named = {f"v{i}": tf.constant(grad, tf.float32) for i, grad in enumerate(grads)}
    options = GradientOptions.from_config(config)
    process = GradientProcessing(Norms(named, {}, options.norm_tags), 42, None)
    return [process(options, grad, index).numpy() for index, grad in enumerate(named.values())]


@pytest.mark.parametrize(
    ("config", "first", "second"),
    [
        ({}, [3.0, 4.0], [-12.0]),
        ({"gradient_clip": 3.5}, [3.0, 3.5], [-3.5]),
        ({"gradient_clip_norm": 10}, [3.0, 4.0], [-10.0]),
        ({"gradient_clip_norm": 0.5}, [0.3, 0.4], [-0.5]),
        ({"gradient_clip_avg_norm": 1.25}, [1.5, 2.0], [-1.25]),  # of [3, 4] it is 5 / 2, of [-12] 12
        ({"gradient_clip_avg_norm": 20}, [3.0, 4.0], [-12.0]),
        ({"gradient_clip_global_norm": 26}, [3.0, 4.0], [-12.0]),  # the global norm is 13
        ({"gradient_clip_global_norm": 0.13}, [0.03, 0.04], [-0.12]),
        ({"grad_norm_to_clip_to_zero": 13.5}, [3.0, 4.0], [-12.0]),
        ({"grad_norm_to_clip_to_zero": 0.9}, [0.0, 0.0], [0.0]),
    ],
)
def test_clipping(config: dict[str, object], first: list[float], second: list[float]) -> None:
    found = _processed(config, [3.0, 4.0], [-12.0])
    np.testing.assert_allclose(found[0], first, rtol=1e-6)
    np.testing.assert_allclose(found[1], second, rtol=1e-6)


def test_an_infinite_norm_clips_to_zero() -> None:
    (found,) = _processed({"grad_norm_to_clip_to_zero": 1e30}, [1.0, float("inf")])
    assert found.tolist() == [0.0, 0.0]
