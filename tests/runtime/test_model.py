"""Variables that outlive networks, and the steps over them: the seam for networks that change over epochs."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.checkpoint.reader import CheckpointReader
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.config import load_config
from returnn_ir.errors import DataError
from returnn_ir.network.net import Net, load_net
from runtime.checkpoints.files import save_checkpoint
from runtime.checkpoints.loading import Loading
from runtime.model.steps import Steps
from runtime.model.variables import Variables
from runtime.optimizers import Optimizer

SMALL = """
extern_data = {"data": {"dim": 3}, "classes": {"dim": 2, "sparse": True}}
network = {
    "h": {"class": "linear", "activation": "tanh", "n_out": 4, "dropout": 0.1, "from": "data"},
    "output": {"class": "softmax", "from": "h", "loss": "ce"},
}
"""
GROWN = (
    SMALL
    + """
network["h2"] = {"class": "linear", "activation": "tanh", "n_out": 4, "from": "h"}
network["output"]["from"] = "h2"
"""
)
FEED: dict[str, Array] = {
    "data": np.random.default_rng(1).normal(size=(2, 5, 3)).astype(np.float32),
    "data/size1": np.array([5, 3]),
    "classes": np.array([[0, 1, 1, 0, 1], [1, 0, 0, 0, 0]]),
    "classes/size1": np.array([5, 3]),
}
OLD = {"h/W", "h/b", "output/W", "output/b"}


def net(folder: Path, text: str = SMALL) -> Net:
    path = folder / "net.py"
    path.write_text(text, encoding="utf-8")
    return load(path)


def steps() -> Steps:
    return Steps(Variables(7), Optimizer.create({"optimizer": {"class": "adam"}}))


def values(variables: dict[str, Any]) -> dict[str, Array]:
    return {name: variable.numpy() for name, variable in variables.items()}


def test_one_network_after_the_other(tmp_path: Path) -> None:
    """What both have goes on, with its slots; what is new begins; the first one again is not compiled again."""
    made = steps()
    small = made.train(net(tmp_path))
    for _ in range(3):
        small(FEED, learning_rate=0.1)
    variables, slots = values(made.variables.of(small.program)), values(small.optimizer_state())
    assert set(variables) == OLD
    grown = made.train(net(tmp_path, GROWN))
    began, kept = values(made.variables.of(grown.program)), values(grown.optimizer_state())
    assert set(began) == OLD | {"h2/W", "h2/b"}
    assert all(np.array_equal(began[name], variables[name]) for name in OLD)
    assert all(np.array_equal(kept[name], slots[name]) for name in slots)
    assert {name for name in kept if not kept[name].any()} >= {"optimize/h2/W/Adam", "optimize/h2/b/Adam_1"}
    grown(FEED, learning_rate=0.1)
    ended = values(made.variables.of(grown.program))
    assert all((ended[name] != began[name]).any() for name in ended)
    assert int(made.variables.global_step.numpy()) == 4
    assert kept["optimize/beta1_power"] == pytest.approx(0.9**4)
    assert made.train(net(tmp_path)) is small
    small(FEED, learning_rate=0.1)
    assert (values(made.variables.of(small.program))["h/W"] != ended["h/W"]).any()
    np.testing.assert_array_equal(values(made.variables.of(grown.program))["h2/W"], ended["h2/W"])


def test_a_network_in_between_changes_nothing(tmp_path: Path) -> None:
    """Evaluating another network over the same variables leaves the training as it is, bit for bit."""
    results = []
    for disturbed in (False, True):
        made = steps()
        training = made.train(net(tmp_path))
        for _ in range(3):
            training(FEED, learning_rate=0.1)
            if disturbed:
                made.get(net(tmp_path, GROWN), "eval")(FEED)
        results.append(values(made.variables.saved([training.program])))
    assert results[0].keys() == results[1].keys() == OLD | {"global_step"}
    assert all(np.array_equal(results[0][name], results[1][name]) for name in results[0])


def test_an_equal_network_is_compiled_once(tmp_path: Path) -> None:
    made = steps()
    text = SMALL.replace('"dropout": 0.1', '"dropout": rate')
    step = made.get(net(tmp_path, "rate = 0.1\n" + text), "eval")
    assert made.get(net(tmp_path, "\n\nrate = 0.05 + 0.05\n" + text), "eval") is step
    others = [
        made.get(net(tmp_path, "rate = 0.2\n" + text), "eval"),
        made.get(net(tmp_path, "rate = 0.1\nbehavior_version = 1\n" + text), "eval"),
        made.get(net(tmp_path, "rate = 0.1\n" + text), "forward"),
        made.get(net(tmp_path, "rate = 0.1\n" + text), "forward", fetch=["h"]),
        made.get(net(tmp_path, "rate = 0.1\n" + text), "eval", losses=False),
    ]
    assert len({id(step), *map(id, others)}) == 6


def test_a_dict_that_is_changed_is_another_network(tmp_path: Path) -> None:
    """A config may build each network of one dict."""
    path = tmp_path / "net.py"
    lines = "def get_network(epoch):\n    network['h']['dropout'] = 0.1 * (epoch // 3)\n    return network\n"
    path.write_text(SMALL.replace("network =", "network = made =") + lines, encoding="utf-8")
    config, made = load_config(path), steps()
    first, second, third = (made.train(load_net(config, epoch)) for epoch in (1, 2, 3))
    assert first is second
    assert first is not third


def test_outputs_are_given_where_they_are_asked_for(tmp_path: Path) -> None:
    made = steps()
    losses = made.get(net(tmp_path), "eval")(FEED)
    assert set(losses) == {"loss/output", "loss/output/error", "loss/output/norm_factor", "objective", "check/0"}
    found = made.get(net(tmp_path), "forward", fetch=["h", "output"])(FEED)
    assert set(found) == {"output/h", "output/h/size1", "output/output", "output/output/size1"}
    np.testing.assert_allclose(found["output/output"].sum(axis=-1), 1, rtol=1e-6)


def test_a_checkpoint_is_loaded_into_variables_that_are_not_there_yet(tmp_path: Path) -> None:
    made = steps()
    training = made.train(net(tmp_path))
    training(FEED, learning_rate=0.1)
    prefix = save_checkpoint(str(tmp_path / "net"), 1, made.variables.saved([training.program]))
    expected = made.get(net(tmp_path), "eval")(FEED)
    other = Steps(Variables(1))
    step = other.get(net(tmp_path), "eval")
    other.variables.load(Loading(prefix), [step.program])
    assert step(FEED) == expected
    assert int(other.variables.global_step.numpy()) == int(CheckpointReader.open(prefix).read("global_step")) == 1


def test_a_name_means_one_variable(tmp_path: Path) -> None:
    made = steps()
    made.variables.of(made.get(net(tmp_path), "eval").program)
    wider = made.get(net(tmp_path, SMALL.replace('"n_out": 4', '"n_out": 6')), "eval")
    with pytest.raises(DataError) as caught:
        wider(FEED)
    assert str(caught.value) == (
        "variable 'h/W' is another one than in the network before\n"
        "  expected: shape [3, 4], float32\n  received: shape [3, 6], float32"
    )


WIDER = SMALL.replace('"n_out": 4', '"n_out": 6')


def test_another_shape_takes_over_what_fits(tmp_path: Path) -> None:
    """By the copy mode; what is the same is the same variable, and what is new is as in a training from scratch."""
    for mode in ("subset", None, "reset"):
        made = steps()
        small = made.train(net(tmp_path))
        small(FEED, learning_rate=0.1)
        before, kept = values(made.variables.of(small.program)), made.variables.of(small.program)["output/b"]
        wider = made.train(net(tmp_path, WIDER))
        made.variables.change([wider.program], mode)
        after, fresh = values(made.variables.of(wider.program)), wider.program.initial_params(7)
        assert made.variables.of(wider.program)["output/b"] is kept
        np.testing.assert_array_equal(after["output/b"], fresh["output/b"] if mode == "reset" else before["output/b"])
        for name in ("h/W", "h/b", "output/W"):
            expected = fresh[name].copy()
            if mode == "subset":
                old = before[name]
                expected[tuple(map(slice, old.shape))] = old
            np.testing.assert_array_equal(after[name], expected, err_msg=name)
        wider.reset_optimizer()
        slots = values(wider.optimizer_state())
        assert slots["optimize/h/W/Adam"].shape == (3, 6)
        assert not any(slots[name].any() for name in slots if not name.endswith("_power"))
        assert slots["optimize/beta1_power"] == np.float32(0.9)
        wider(FEED, learning_rate=0.1)
        assert int(made.variables.global_step.numpy()) == 2


def test_an_optimizer_that_starts_anew_is_as_before_the_first_step(tmp_path: Path) -> None:
    """Also in the step that was compiled already."""
    made = steps()
    training = made.train(net(tmp_path, SMALL.replace('"dropout": 0.1, ', "")))
    first = values(training.optimizer_state())
    for _ in range(3):
        training(FEED, learning_rate=0.0)
    training.reset_optimizer()
    again = values(training.optimizer_state())
    assert first.keys() == again.keys()
    assert all(np.array_equal(first[name], again[name]) for name in first)
    began = values(made.variables.of(training.program))
    training(FEED, learning_rate=0.1)
    ended = values(made.variables.of(training.program))
    for name in ended:  # Adam's first step is the rate in the direction of the gradient
        np.testing.assert_allclose(np.abs(ended[name] - began[name]), 0.1, rtol=1e-4, err_msg=name)


def test_what_a_network_does_not_have_is_freed(tmp_path: Path) -> None:
    """Variables, slots and the program; the first network again begins with what is left."""
    made = steps()
    grown = made.train(net(tmp_path, GROWN))
    grown(FEED, learning_rate=0.1)
    shared = values(made.variables.of(grown.program))
    gone = [weakref.ref(made.variables.of(grown.program)["h2/W"]), weakref.ref(grown._function.graph)]
    small = made.train(net(tmp_path))
    made.variables.change([small.program], None)
    small.reset_optimizer()
    del grown
    made.keep([small])
    assert [reference() for reference in gone] == [None, None]
    assert set(small.optimizer_state()) == {
        *(f"optimize/{name}/Adam{slot}" for name in OLD for slot in ("", "_1")),
        *("optimize/beta1_power", "optimize/beta2_power"),
    }
    again = made.train(net(tmp_path, GROWN))
    made.variables.change([again.program], None)
    after, fresh = values(made.variables.of(again.program)), again.program.initial_params(7)
    assert all(np.array_equal(after[name], shared[name] if name in OLD else fresh[name]) for name in after)


def test_a_kept_step_stays(tmp_path: Path) -> None:
    made = steps()
    small, evaluation = made.train(net(tmp_path)), made.get(net(tmp_path), "eval")
    made.train(net(tmp_path, GROWN))
    made.keep([small, evaluation])
    assert made.train(net(tmp_path)) is small
    assert made.get(net(tmp_path), "eval") is evaluation
