"""Eval strings and functions: what is compiled, what becomes an opaque call, and the messages of what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import Program, compile_net
from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.errors import TargetError, UserError

HEAD = 'extern_data = {"data": {"dim": 3}, "other": {"dim": 2, "shape": (2,)}}\n'


def program(tmp_path: Path, layer: str, before: str = "", mode: str = "eval", target: str = "reference") -> Program:
    path = tmp_path / "net.py"
    path.write_text(f'{HEAD}{before}\nnetwork = {{"output": {{"from": "data", {layer}}}}}\n', encoding="utf8")
    return compile_net(load(path), target=target, mode=mode)


def run(compiled: Program, x: Any) -> Any:
    lengths = np.array([x.shape[1], x.shape[1] - 1])
    return compiled.run({"data": x, "data/size1": lengths}, compiled.initial_params())["output/output"]


@pytest.fixture
def x() -> Any:
    return np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32")


def test_integer_axes_count_padding(tmp_path: Path, x: Any) -> None:
    compiled = program(
        tmp_path, '"class": "eval", "eval": "source(0) - tf.reduce_mean(source(0), axis=1, keepdims=True)"'
    )
    assert np.allclose(run(compiled, x), x - x.mean(axis=1, keepdims=True), atol=1e-6)


def test_names_of_tensorflow_1(tmp_path: Path, x: Any) -> None:
    compiled = program(tmp_path, '"class": "eval", "eval": "tf.log_sigmoid(tf.to_float(tf.floormod(source(0), 2.0)))"')
    assert np.allclose(run(compiled, x), -np.log1p(np.exp(-np.mod(x, 2.0))), atol=1e-6)


def test_function_with_module_level_tensorflow(tmp_path: Path, x: Any) -> None:
    before = "import tensorflow as tf\ndef f(source, **kwargs):\n    return tf.nn.relu(source(0)) * 2.0\n"
    compiled = program(tmp_path, '"class": "eval", "eval": f', before)
    assert np.allclose(run(compiled, x), np.maximum(x, 0) * 2)
    assert not list(compiled.graph.nodes("opaque"))


def test_what_is_not_compiled_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"tf\.math\.lgamma has no counterpart"):
        program(tmp_path, '"class": "eval", "eval": "tf.math.lgamma(source(0))"')


def test_safe_log_of_softmax_is_exact(tmp_path: Path, x: Any) -> None:
    compiled = program(tmp_path, '"class": "eval", "eval": "safe_log(tf.nn.softmax(source(0) * 1000.0))"')
    logits = x.astype("float64") * 1000
    shifted = logits - logits.max(-1, keepdims=True)
    assert np.allclose(run(compiled, x), shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)), rtol=1e-4, atol=1e-3)


def test_random_numbers_in_training_only(tmp_path: Path, x: Any) -> None:
    layer = (
        '"class": "eval", "eval": "self.network.cond_on_train('
        "lambda: source(0) * tf.random.uniform(tf.shape(source(0))),"
        ' lambda: source(0))"'
    )
    assert np.array_equal(run(program(tmp_path, layer), x), x)
    trained = run(program(tmp_path, layer, mode="train"), x)
    share = trained / x
    assert share.min() >= 0 and share.max() < 1 and share.std() > 0.1


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ('"class": "eval", "eval": "source(0) +"', "not a Python expression"),
        ('"class": "eval", "eval": "source(1)"', "there are 1 sources"),
        ('"class": "eval", "eval": "tf.zeros([3, 1, 1])"', "does not use source 0"),
        ('"class": "eval", "eval": "tf.reduce_sum(source(0), axis=-1)"', "the result has 2 axes"),
        ('"class": "eval", "eval": "source(0) / 0 + 1 / 0"', "division by zero"),
        ('"class": "combine", "kind": "ad"', "did you mean 'add'"),
        ('"class": "combine", "kind": "add", "eval": "source(0)"', "'eval' belongs to kind 'eval'"),
        ('"class": "compare", "kind": "equals", "value": 1', "did you mean 'equal'"),
        ('"class": "activation", "activation": "sigmod"', "did you mean 'sigmoid'"),
        ('"class": "activation", "activation": "2.0*sigmod"', "did you mean 'sigmoid'"),
        ('"class": "linear", "n_out": 2, "forward_weights_init": "glorot"', "unknown initialiser 'glorot'"),
    ],
)
def test_errors(tmp_path: Path, layer: str, text: str) -> None:
    with pytest.raises(UserError) as error:
        program(tmp_path, layer)
    assert text in str(error.value)
    assert "layer 'output'" in str(error.value)


def test_an_unknown_helper_may_be_imported(tmp_path: Path) -> None:
    """Only what is called is missed: what happens in training only keeps nothing from being compiled."""
    path = tmp_path / "net.py"
    path.write_text(
        "extern_data = {'data': {'dim': 3}}\n"
        "def f(self, source, **kwargs):\n"
        "    from returnn.tf.util.basic import dropout\n"
        "    return self.network.cond_on_train(lambda: dropout(source(0), 0.5), lambda: source(0))\n"
        "network = {'output': {'class': 'eval', 'from': 'data', 'eval': f}}\n"
    )
    assert not list(construct(load(path), "forward").graph.nodes("opaque"))
    (node,) = construct(load(path), "train").graph.nodes("opaque")
    assert "dropout has no counterpart" in node.attrs["reason"]


@pytest.mark.parametrize(
    ("activation", "text"),
    [
        ("1/0", "activation '1/0' does not work here: float division by zero"),
        ("logical_not", "activation 'logical_not' does not work here: "),
        ("5", "unknown activation '5'"),
        ("(1)/0*tf.nn.relu(x)", "does not work here: division by zero"),
        ("tf.nn.relu(x)[5, 5, 5, 5]", "does not work here"),
        ("x*10**10**(10)", "the expression is too large: a whole number of so many bits"),
    ],
)
def test_activations_that_do_not_work(tmp_path: Path, activation: str, text: str) -> None:
    with pytest.raises(UserError) as caught:
        program(tmp_path, f'"class": "activation", "activation": {activation!r}')
    assert text in str(caught.value)
    assert "key 'activation'" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("logical_and", "kind 'logical_and' does not work here: needs bool operands, received float32, float32"),
        ("rank", "the result has 0 axes"),
        ("safe_log", "kind 'safe_log' does not work here"),
        ("one_hot", "kind 'one_hot' does not work here: tf.one_hot with a computed depth"),
        ("summ", "unknown kind 'summ'"),
    ],
)
def test_kinds_that_do_not_work(tmp_path: Path, kind: str, text: str) -> None:
    with pytest.raises(UserError) as caught:
        program(tmp_path, f'"class": "combine", "kind": {kind!r}, "from": ["data", "data"]')
    assert text in str(caught.value)


@pytest.mark.parametrize("limit", ["1e400", "9" * 30, 10**30, "+".join(["1"] * 5000), "-" * 3000 + "1"])
def test_limits_of_loops_are_numbers_of_steps(tmp_path: Path, limit: str | int) -> None:
    unit = {"output": {"class": "copy", "from": "prev:output"}, "end": {"class": "constant", "value": True}}
    with pytest.raises(UserError, match="max_seq_len"):
        program(tmp_path, f'"class": "rec", "from": [], "max_seq_len": {limit!r}, "unit": {unit!r}')
