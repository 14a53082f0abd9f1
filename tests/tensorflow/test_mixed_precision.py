"""Mixed precision on TensorFlow: numbers and gradients of float32 up to rounding, low products, and messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from compiler.program.mixed_precision import training_precision
from compiler.program.pipelines import lower_to
from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from compiler.tensorflow.kernels import cudnn_lstm
from compiler.tensorflow.program import Results
from compiler.tensorflow.target import TensorFlowTarget
from returnn_ir import load
from returnn_ir.errors import UserError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Value
from returnn_ir.text.printer import print_graph
from tests.benchmarks.encoders import transformer
from tests.tensorflow.cudnn_contract import cudnn_rnn_v3
from tests.tensorflow.graphs import Net
from tests.tensorflow.mixed_nets import EXTERN_DATA, NETWORKS

ROUNDING = {"bfloat16": 2.0**-9, "float16": 2.0**-11}
LOW = pytest.mark.parametrize("low", ROUNDING)
PRODUCTS = ("MatMul", "BatchMatMulV2", "Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter", "Einsum")
#: Those whose kernels compute in float32: sums as products, recurrent units.
KEPT = ("frames", "cells")

Compile = Callable[..., Program]


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    def compile_text(network: Mapping[str, Any], lines: str = "", **options: Any) -> Program:
        path = tmp_path / "net.py"
        path.write_text(f"extern_data = {EXTERN_DATA!r}\nnetwork = {network!r}\n{lines}\n", encoding="utf-8")
        return compile_net(load(path), **{"target": "tf", "mode": "train", **options})

    return compile_text


def feed() -> dict[str, Array]:
    rng = np.random.default_rng(0)
    lengths = np.array([5, 0, 7, 2])
    inputs: dict[str, Array] = {"data": rng.standard_normal((4, 7, 6)).astype(np.float32)}
    inputs |= {"words": rng.integers(0, 7, (4, 7)), "classes": rng.integers(0, 5, (4, 7))}
    return inputs | {f"{key}/size1": lengths for key in ("data", "words", "classes")}


def run(program: Program, params: Mapping[str, Array]) -> Results:
    results: Results = program.executable.run_with_gradients(feed(), params)  # type: ignore[attr-defined]
    return results


def products(program: Program) -> Counter[str]:
    """How many products compute in each element type, those in loops and branches included."""
    executable: Any = program.executable
    function = executable._function(True)
    operations = [op for op in function.graph.get_operations() if op.type in PRODUCTS]
    # a product with ones is how float32 is summed
    found = Counter(op.outputs[0].dtype.name for op in operations if op.inputs[0].op.type != "OnesLike")
    inner = [node for f in function.graph.as_graph_def().library.function for node in f.node_def]
    return found + Counter(tf.as_dtype(node.attr["T"].type).name for node in inner if node.op in PRODUCTS)


@LOW
@pytest.mark.parametrize("name", NETWORKS)
def test_numbers_and_gradients(compiled: Compile, name: str, low: str) -> None:
    plain, mixed = (compiled(NETWORKS[name], line) for line in ("", f"mixed_precision = {low!r}"))
    params = plain.initial_params()
    expected, found = (run(program, params) for program in (plain, mixed))
    reference = compiled(NETWORKS[name], f"tf_amp = {{'dtype': {low!r}}}", target="reference").run(feed(), params)
    for result in (found.fetches, reference):
        np.testing.assert_allclose(result["objective"], expected.fetches["objective"], rtol=4 * ROUNDING[low])
        assert {name: x.dtype for name, x in result.items()} == {n: x.dtype for n, x in expected.fetches.items()}
    assert set(found.gradients) == set(expected.gradients)
    size = max(np.linalg.norm(gradient) for gradient in expected.gradients.values())
    for key, gradient in expected.gradients.items():
        assert found.gradients[key].dtype == np.float32
        assert np.linalg.norm(found.gradients[key] - gradient) < 16 * ROUNDING[low] * size, key


@LOW
@pytest.mark.parametrize("name", NETWORKS)
def test_products_are_low(compiled: Compile, name: str, low: str) -> None:
    plain, mixed = (products(compiled(NETWORKS[name], line)) for line in ("", f"mixed_precision = {low!r}"))
    assert set(plain) == {"float32"}
    assert mixed.total() == plain.total()
    assert (mixed["float32"] > 0) == (name in KEPT)
    assert mixed[low] == mixed.total() - mixed["float32"] > 0


@pytest.mark.parametrize("device", ["cpu", "gpu"])
@LOW
def test_attention_stays_whole(compiled: Compile, low: str, device: str) -> None:
    """And has no array of the energies' size in float32 where a GPU has a softmax of bfloat16."""
    plain = compiled(NETWORKS["attention"])
    mixed = compiled(NETWORKS["attention"], f"mixed_precision = {low!r}", device=device)
    fused = [decision for decision in mixed.journal if decision.op == "attention"]
    assert [str(decision).split(": ")[1] for decision in fused] == [f"attention computes in {low}"] * 2 + [
        "attention fused"
    ] * 2
    executable: Any = mixed.executable
    softmaxes = [op for op in executable._function(True).graph.get_operations() if op.type == "Softmax"][:2]
    inside = "bfloat16" if (device, low) == ("gpu", "bfloat16") else "float32"
    assert {op.outputs[0].dtype.name for op in softmaxes} == {inside}
    params = plain.initial_params()
    expected, found = run(plain, params), run(mixed, params)
    size = max(np.linalg.norm(gradient) for gradient in expected.gradients.values())
    for key, gradient in expected.gradients.items():
        assert np.linalg.norm(found.gradients[key] - gradient) < 16 * ROUNDING[low] * size, key


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_transformer_learns_as_in_float32(compiled: Compile, device: str) -> None:
    """The loss of each of its first steps of plain descent, dropout included."""
    network = transformer(blocks=2, units=16, heads=2)
    losses: list[list[float]] = []
    for line in ("", "mixed_precision = 'bfloat16'"):
        program = compiled(network, line, device=device)
        params = program.initial_params()
        losses.append(found := list[float]())
        for _ in range(12):
            result = run(program, params)
            found.append(float(result.fetches["objective"]))
            params = {
                name: x - 0.002 * result.gradients.get(f"grad/{name}", np.zeros([])) for name, x in params.items()
            }
    plain, mixed = losses
    assert plain[-1] < 0.9 * plain[0]
    np.testing.assert_allclose(mixed, plain, rtol=8 * ROUNDING["bfloat16"])


def test_the_gradient_of_a_table_stays_rows(compiled: Compile) -> None:
    """They are cast behind the look-up, and the table is not."""
    program = compiled(NETWORKS["frames"], "mixed_precision = 'bfloat16'")
    executable: Any = program.executable
    variables = {name: tf.Variable(value) for name, value in program.initial_params().items()}
    found: dict[str, Any] = {}

    def step() -> tf.Tensor:
        fetches, gradients = executable.loss_and_gradients(feed(), variables)
        found.update(gradients)
        return fetches["objective"]

    tf.function(step, autograph=False).get_concrete_function()
    assert {name for name, gradient in found.items() if isinstance(gradient, tf.IndexedSlices)} == {"rows/W"}
    assert found["rows/W"].values.dtype == tf.float32


def test_without_the_key_a_graph_is_what_it_was(compiled: Compile) -> None:
    plain, off = (compiled(NETWORKS["decoder"], line) for line in ("", "mixed_precision = None; tf_amp = None"))
    assert print_graph(plain.graph) == print_graph(off.graph)
    assert "float16" not in print_graph(plain.graph)


def _gradient(build: Callable[[Net, Value], Value], lengths: tuple[int, ...], low: str) -> float:
    """That of a bias by the sum of what is made of the data's product, [B, T, F] of zeros and ones, and of it."""
    net, target = Net(lengths), TensorFlowTarget()
    bias = net.param("bias", net.feature)
    net.graph.objective = net.b.reduce("sum", build(net, bias), net.batch, net.time, net.feature)
    graph, _ = lower_to(net.graph, target, precision=low, verify_each=True)
    return float(target.lower(graph).gradients(net.inputs, net.params)["grad/bias"][0])


def _product(net: Net) -> Value:
    rows = Dim("rows", 4)
    return net.b.dot(net.b.rename(net.x, (net.feature, rows)), net.param("W", rows, net.feature), rows)


@LOW
def test_the_gradient_of_a_bias_is_a_sum_in_float32(low: str) -> None:
    def added(net: Net, bias: Value) -> Value:
        return net.b.add(_product(net), bias)

    assert _gradient(added, (3000, 1096), low) == 4096


@LOW
def test_gradients_of_the_steps_of_a_loop_are_summed_in_float32(low: str) -> None:
    def added_in_steps(net: Net, bias: Value) -> Value:
        b = net.b

        def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            y = b.add(slices[0], bias)
            return [y], [y]

        return b.loop(net.time, [b.expand(b.const(0.0), net.batch, net.feature)], [_product(net)], step)[1][0]

    assert _gradient(added_in_steps, (2560,), low) == 2560


def test_cudnn_computes_in_float16(compiled: Compile, monkeypatch: pytest.MonkeyPatch) -> None:
    """A double of its op stands in its place; whether it has bfloat16 depends on the GPU, so that stays in float32."""
    calls: list[dict[str, Any]] = []

    def double(**options: Any) -> tuple[tf.Tensor, ...]:
        calls.append(options)
        return cudnn_rnn_v3(**options)

    monkeypatch.setattr(cudnn_lstm, "_cudnn_rnn", double)
    network = {
        "fw": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"},
        "bw": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "direction": -1, "from": "data"},
        "output": {"class": "softmax", "loss": "ce", "target": "classes", "from": ["fw", "bw"]},
    }
    plain = compiled(network, device="cpu")
    params = plain.initial_params()
    expected = run(plain, params)
    for low, dtype in (("float16", tf.float16), ("bfloat16", tf.float32)):
        calls.clear()
        program = compiled(network, f"mixed_precision = {low!r}", device="gpu")
        traced: Any = program.executable
        found = _run_on_double(traced, params)
        assert [call["input"].dtype for call in calls] == [dtype]
        np.testing.assert_allclose(found["objective"], expected.fetches["objective"], rtol=4 * ROUNDING[low])
        kept = "only cuDNN has, and its kernel computes in float32 or float16 here, not in bfloat16"
        told = [str(decision) for decision in program.journal if decision.op == "blstm"]
        assert any(kept in line for line in told) == (low == "bfloat16"), told


def _run_on_double(executable: Any, params: Mapping[str, Array]) -> dict[str, Array]:
    variables = {name: tf.Variable(params[name]) for name in executable.params}
    function = executable.forward_function(variables)
    fed = {name: tf.cast(feed()[name], executable.spec(node).dtype) for name, node in executable.inputs.items()}
    return {name: tensor.numpy() for name, tensor in function(fed).items()}


# ------------------------------------------------------------------------------ what a config says


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"mode": "eval"}, "mixed_precision: only training computes in float16, mode eval does in float32"),
        ({"mode": "forward"}, "mixed_precision: only training computes in float16, mode forward does in float32"),
        (
            {"mode": "forward", "target": "onnx"},
            "mixed_precision: an ONNX file computes in float32, not in float16",
        ),
    ],
)
def test_where_it_has_no_effect_a_note_says_so(compiled: Compile, options: dict[str, str], note: str) -> None:
    program = compiled(NETWORKS["frames"], "mixed_precision = 'float16'", **options)
    assert program.graph.notes == [note]
    assert program.precision is None
    assert "float16" not in print_graph(program.graph)


def test_a_network_without_products(compiled: Compile) -> None:
    network = {"output": {"class": "activation", "activation": "softmax", "from": "data"}}
    program = compiled(network, "mixed_precision = 'bfloat16'")
    note = "mixed_precision: nothing is computed in bfloat16, since no parameter is multiplied"
    assert program.graph.notes == [note]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"mixed_precision": "int8"},
            "key 'mixed_precision': option 'mixed_precision' has an unknown value\n"
            "  expected: 'bfloat16' | 'float16' | None\n  received: 'int8' (str)",
        ),
        (
            {"mixed_precision": "bfloat16", "tf_amp": "float16"},
            "key 'tf_amp': mixed_precision and tf_amp ask for two element types\n"
            "  expected: 'bfloat16'\n  received: 'float16'\n  try: leave tf_amp out",
        ),
        (
            {"tf_amp": {"dtype": "float16", "scale": 2}},
            "key 'tf_amp.scale': tf_amp has no option 'scale'\n  expected: one of dtype",
        ),
        (
            {"tf_amp": 1},
            "key 'tf_amp': option 'tf_amp' has the wrong type\n"
            "  expected: 'bfloat16', 'float16' or a dict {\"dtype\": ...}\n  received: 1 (int)",
        ),
    ],
)
def test_wrong_values(config: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError) as error:
        training_precision(config, "tf", Graph())
    assert str(error.value) == expected
