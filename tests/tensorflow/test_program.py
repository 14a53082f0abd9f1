"""A lowered program: loops, gradients, fused kernels, calls into Python, random draws, what is fed, SavedModel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from compiler.target.protocol import Array
from compiler.tensorflow.kernel_errors import kernel_errors
from compiler.tensorflow.program import TensorFlowProgram
from compiler.tensorflow.saved_model import export_saved_model, variables_of
from compiler.tensorflow.target import TensorFlowTarget
from returnn_ir.errors import DataError, Origin, TargetError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from tests.tensorflow.graphs import Build, Net, agree, lower, no_fusion


def _recurrent(net: Net) -> None:
    """A cell whose carry decays, with the step index and a captured value."""
    b, time, feature = net.b, net.time, net.feature
    start = b.expand(b.const(0.5), net.batch, feature)
    rows = Dim("F'", 4)
    weights = net.param("W", rows, feature)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        mixed = b.dot(b.rename(carries[0], (feature, rows)), weights, rows)
        after = b.unary("tanh", b.add(b.add(mixed, slices[0]), b.mul(b.cast(i, "float32"), 0.1)))
        return [after, b.add(carries[1], 1)], [after, b.reduce("sum", after, feature)]

    (h, n), (y, total) = b.loop(time, [start, b.const(0)], [net.x], step)
    for name, value in {"h": h, "n": n, "y": y, "total": total}.items():
        net.give(name, value)
    net.lose(b.add(b.reduce("sum", b.where(b.mask(time), y, 0.0), time), h))


@pytest.mark.parametrize("lengths", [(5, 1, 3), (2, 0, 2), (0, 0), ()])
def test_loop(lengths: tuple[int, ...]) -> None:
    result = agree(_recurrent, lengths)
    assert result["output/y"].shape == (max(lengths, default=0), len(lengths), 4)


def _numeric(net: Net, name: str) -> tuple[Array, Array]:
    """The gradient of the objective by one parameter, and central differences of it."""
    program = lower(net)
    found = program.gradients(net.inputs, net.params)[f"grad/{name}"]
    differences = np.zeros_like(found)
    step = 1e-2
    for at in np.ndindex(found.shape):
        values = []
        for sign in (1, -1):
            moved = net.params[name].copy()
            moved[at] += sign * step
            values.append(float(program.run(net.inputs, {**net.params, name: moved})["objective"]))
        differences[at] = (values[0] - values[1]) / (2 * step)
    return found, differences


def test_gradient_through_a_loop() -> None:
    net = Net()
    _recurrent(net)
    found, differences = _numeric(net, "W")
    np.testing.assert_allclose(found, differences, atol=2e-2 * np.abs(differences).max())


def test_gradients_without_steps() -> None:
    net = Net((0, 0))
    _recurrent(net)
    program = lower(net)
    assert not program.gradients(net.inputs, net.params)["grad/W"].any()


def test_one_trace_for_every_batch() -> None:
    net = Net()
    _recurrent(net)
    program = lower(net)
    for lengths in ((5, 1, 3), (2,), (7, 7, 7, 1)):
        other = Net(lengths)
        result = program.run(other.inputs, net.params)
        assert result["output/y"].shape == (max(lengths), len(lengths), 4)


def test_fused_kernels_have_the_gradients_of_their_bodies() -> None:
    found = []
    for fusion in (None, no_fusion):
        net = Net()
        x = net.b.dot(net.x, net.param("W", net.feature, Dim("O", 5)), net.feature)
        parts = [net.b.unary(name, x) for name in ("relu", "gelu", "silu", "elu", "selu")]
        parts += [net.b.op(name, x, dims=(x.dims[-1],)) for name in ("softmax", "log_softmax")]
        total = parts[0]
        for part in parts[1:]:
            total = net.b.add(total, part)
        net.lose(total)
        found.append(lower(net, fusion).gradients(net.inputs, net.params)["grad/W"])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-4)


def test_a_penalty_has_the_value_and_the_gradient_of_its_body() -> None:
    found = []
    for fusion in ({"l2_penalty": "require"}, no_fusion):
        net = Net()
        w, scale = net.param("W", net.feature, Dim("O", 5)), net.param("scale")
        net.graph.objective = net.b.mul(net.b.op("l2_penalty", w, factor=0.25), net.b.op("l2_penalty", scale, factor=3))
        program = lower(net, fusion)
        result = program.run_with_gradients(net.inputs, net.params)
        found.append([result.fetches["objective"], result.gradients["grad/W"], result.gradients["grad/scale"]])
    for fused, body in zip(*found, strict=True):
        np.testing.assert_allclose(fused, body, rtol=1e-6)


def _lstm(net: Net, reverse: bool) -> None:
    """An LSTM over ragged sequences with random weights and states."""
    b, units = net.b, Dim("n", 3)
    gates, state_in = Dim("gates", 12), Dim("h_in", 3)
    weights = [net.param("W", net.feature, gates), net.param("W_re", state_in, gates), net.param("b", gates)]
    states = [b.mul(net.input(name, net.batch, units), 0.5) for name in ("h0", "c0")]
    dims = {"dim": net.time, "in_dim": net.feature, "out_dim": units, "gate_dim": gates, "state_in": state_in}
    y, h, c = b.emit(get_op("lstm"), [net.x, *weights, *states], {**dims, "reverse": reverse})
    for name, value in {"y": y, "h": h, "c": c}.items():
        net.give(name, value)
    net.lose(b.add(b.add(b.reduce("sum", y, net.time), h), c))


def _gru(net: Net, reverse: bool) -> None:
    """A GRU over ragged sequences with random weights and states."""
    b, units = net.b, Dim("n", 3)
    gates, state_in = Dim("gates", 6), Dim("h_in", 3)
    weights = [net.param("W", net.feature, gates), net.param("W_re", state_in, gates), net.param("b", gates)]
    weights += [net.param("Wc", net.feature, units), net.param("Wc_re", state_in, units), net.param("bc", units)]
    state = b.mul(net.input("h0", net.batch, units), 0.5)
    dims = {"dim": net.time, "in_dim": net.feature, "out_dim": units, "gate_dim": gates, "state_in": state_in}
    y, h = b.emit(get_op("gru"), [net.x, *weights, state], {**dims, "reverse": reverse})
    net.give("y", y)
    net.give("h", h)
    net.lose(b.add(b.reduce("sum", y, net.time), h))


def _layer_norm(net: Net) -> None:
    """Two of them over products with a matrix, of the same size."""
    b, rows = net.b, Dim("F'", 4)
    y = net.x
    for i in range(2):
        y = b.dot(b.rename(y, (net.feature, rows)), net.param(f"W{i}", rows, net.feature), rows)
        scale, bias = net.param(f"scale{i}", net.feature), net.param(f"bias{i}", net.feature)
        y = b.op("layer_norm", y, scale, bias, dim=net.feature, epsilon=1e-3)
    net.give("y", y)
    net.lose(b.reduce("sum", y, net.time))


KERNELS: dict[str, tuple[str, Build]] = {
    "lstm": ("lstm", lambda net: _lstm(net, False)),
    "lstm_reversed": ("lstm", lambda net: _lstm(net, True)),
    "gru": ("gru", lambda net: _gru(net, False)),
    "gru_reversed": ("gru", lambda net: _gru(net, True)),
    "layer_norm": ("layer_norm", _layer_norm),
}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("lengths", [(5, 1, 3), (4, 0)])
def test_a_kernel_has_the_meaning_of_its_body(name: str, lengths: tuple[int, ...]) -> None:
    op, build = KERNELS[name]
    agree(build, lengths)
    found = []
    for fusion in ({op: "require"}, no_fusion):
        net = Net(lengths)
        build(net)
        found.append(lower(net, fusion).gradients(net.inputs, net.params))
    assert found[0].keys() == found[1].keys()
    for key, gradient in found[1].items():
        np.testing.assert_allclose(found[0][key], gradient, rtol=1e-4, atol=1e-5, err_msg=key)


def _batch_norm(net: Net, *, composite: bool) -> None:
    """By the batch's own statistics, which the gradient goes through."""
    b, ragged = net.b, (net.batch, net.time)
    x = b.mul(net.x, net.param("gain", net.feature))
    scale, bias = net.param("scale", net.feature), net.param("bias", net.feature)
    mean = b.reduce("mean", x, *ragged)
    centred = b.sub(x, mean)
    variance = b.reduce("mean", b.mul(centred, centred), *ragged)
    if composite:
        y = b.op("batch_norm", x, mean, variance, scale, bias, epsilon=1e-3)
    else:
        y = b.add(b.mul(b.mul(centred, b.unary("rsqrt", b.add(variance, 1e-3))), scale), bias)
    net.give("y", y)
    net.lose(b.reduce("sum", y, net.time))


def test_batch_norm_is_its_body_with_the_same_gradients() -> None:
    """TensorFlow has no kernel for it, so nothing may differ: the variance and the norm share ``x - mean``."""
    agree(lambda net: _batch_norm(net, composite=True))
    found = []
    for composite in (True, False):
        net = Net()
        _batch_norm(net, composite=composite)
        program = lower(net)
        found.append((program.gradients(net.inputs, net.params), program.run(net.inputs, net.params)))
    for ours, primitives in zip(*found, strict=True):
        assert ours.keys() == primitives.keys()
        for key, array in primitives.items():
            np.testing.assert_array_equal(ours[key], array, err_msg=key)


def test_scale_gradient() -> None:
    net = Net()
    weights = net.param("W", net.feature)
    scaled = net.b.op("scale_gradient", weights, scale=-2.0, shift=0.5)
    net.graph.objective = net.b.reduce("sum", net.b.mul(scaled, 3.0), net.feature)
    gradient = lower(net).gradients(net.inputs, net.params)["grad/W"]
    np.testing.assert_allclose(gradient, np.full(4, -5.5))


def test_gradient_node() -> None:
    net = Net()
    net.give("g", net.b.op("gradient", net.b.mul(net.x, net.x), net.x))
    result = lower(net).run(net.inputs, net.params)
    np.testing.assert_allclose(result["output/g"], 2 * net.inputs["data"])


def test_opaque_call() -> None:
    net = Net()
    attrs = {"axes": ((net.time, net.batch, net.feature),), "reason": "a test", "dtype": "float32"}
    dims = (net.time, net.batch)
    net.give("y", net.b.op("opaque", net.x, function=lambda x: x[:, :, 0], dims=dims, **attrs))
    result = lower(net).run(net.inputs, net.params)
    np.testing.assert_allclose(result["output/y"], net.inputs["data"][:, :, 0].T)


def test_random_draws_are_those_of_the_reference() -> None:
    def build(net: Net) -> None:
        b = net.b
        for kind in ("uniform", "normal"):
            net.give(kind, b.op("random", kind=kind, path=f"layer/{kind}", dims=(net.batch, net.time, net.feature)))

        def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            return [], [b.op("random", kind="uniform", path="loop", dims=(net.batch, net.feature))]

        _, (stacked,) = b.loop(net.time, [], [], step)
        net.give("stacked", stacked)

    keys = {"random/seed": np.asarray(42), "random/step": np.asarray(3)}
    first = agree(build, more=keys)
    assert first["output/uniform"].min() >= 0
    assert first["output/uniform"].max() < 1
    second = agree(build, more={**keys, "random/step": np.asarray(4)})
    assert (first["output/uniform"] != second["output/uniform"]).any()


def test_a_failed_check_is_the_users_error() -> None:
    net = Net()
    net.give("x", net.x)
    longest = net.b.reduce("max", net.b.length(net.time), net.batch)
    net.graph.checks.append(("sequences have to be shorter than three frames", net.b.binary("less", longest, 3)))
    with pytest.raises(DataError, match="shorter than three frames"):
        lower(net).run(net.inputs, net.params)


def test_inputs_that_do_not_fit() -> None:
    net = Net()
    net.give("x", net.x)
    program = lower(net)
    data = net.inputs["data"]
    with pytest.raises(DataError, match="'data' is missing"):
        program.run({"data/size1": net.inputs["data/size1"]}, {})
    with pytest.raises(DataError, match="wrong shape"):
        program.run({**net.inputs, "data": data[..., :3]}, {})
    with pytest.raises(DataError, match="disagree about axis B"):
        program.run({**net.inputs, "data": data[:2]}, {})
    with pytest.raises(DataError, match="a length in 'data/size1' is out of range"):
        program.run({**net.inputs, "data": data[:, :2]}, {})


def test_errors_of_kernels_outside_of_layers_stay() -> None:
    with pytest.raises(DataError) as told, kernel_errors(Net().graph):
        tf.gather(tf.range(4), [0, 7])
    assert str(told.value) == "a label is out of range\n  expected: 0 to 3\n  received: 7"
    with pytest.raises(tf.errors.InvalidArgumentError), kernel_errors(Net().graph):
        tf.reshape(tf.range(4), [3])


def test_scopes_carry_the_layer_path() -> None:
    net = Net()
    with net.b.at(Origin(layer="enc/ff:1")):
        net.give("y", net.b.unary("tanh", net.x))
    program = lower(net)
    forward = program.forward_function({}).get_concrete_function()
    names = [op.name for op in forward.graph.get_operations()]
    assert any(name.startswith("enc/ff_1/") for name in names)


def test_accepts_says_why_not() -> None:
    net = Net()
    node = net.b.op("softmax", net.x, dims=(net.time, net.feature)).node
    assert node is not None
    verdict = TensorFlowTarget().accepts(node, net.graph.body)
    assert "one dim" in str(verdict)


def test_gradient_of_an_embedding_is_dense() -> None:
    net = Net()
    vocabulary = Dim("V", 6)
    table = net.param("table", vocabulary, net.feature)
    labels = net.input("labels", net.batch, net.time, dtype="int32", high=6, sparse=vocabulary)
    rows = net.b.op("gather", table, labels, dim=vocabulary)
    net.graph.objective = net.b.reduce("sum", rows, net.batch, net.time, net.feature, mask=False)
    gradient = lower(net).gradients(net.inputs, net.params)["grad/table"]
    counts = np.bincount(net.inputs["labels"].ravel(), minlength=6)
    np.testing.assert_allclose(gradient, np.repeat(counts[:, None], 4, axis=1))


def test_without_an_objective_there_is_no_gradient() -> None:
    net = Net()
    net.give("x", net.x)
    with pytest.raises(TargetError, match="no objective"):
        lower(net).gradients(net.inputs, net.params)


def _trainable() -> tuple[Net, TensorFlowProgram]:
    net = Net()
    _recurrent(net)
    return net, lower(net)


def test_training_step_inside_a_function() -> None:
    net, program = _trainable()
    variables = variables_of({"loss": program}, net.params)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def step(inputs: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        fetches, gradients = program.loss_and_gradients(inputs, variables)
        variables["W"].assign_sub(0.01 * gradients["W"])
        return fetches["objective"], gradients["W"]

    inputs = {name: tf.constant(array) for name, array in net.inputs.items()}
    first, gradient = step(inputs)
    second, _ = step(inputs)
    expected = program.run_with_gradients(net.inputs, net.params)
    np.testing.assert_allclose(first, expected.fetches["objective"], rtol=1e-5)
    np.testing.assert_allclose(gradient, expected.gradients["grad/W"], rtol=1e-4, atol=1e-5)
    assert float(second) < float(first)


def test_saved_model(tmp_path: Path) -> None:
    net, program = _trainable()
    export_saved_model(tmp_path / "model", {"forward": program, "loss": program}, net.params)
    signatures = tf.saved_model.load(str(tmp_path / "model")).signatures
    expected = program.run(net.inputs, net.params)
    inputs = {"data": tf.constant(net.inputs["data"]), "data/size1": tf.constant(net.lengths, tf.int64)}
    forward, loss = signatures["forward"](**inputs), signatures["loss"](**inputs)
    assert set(forward) == {"h", "n", "y", "total"}
    np.testing.assert_allclose(forward["y"], expected["output/y"], rtol=1e-6)
    np.testing.assert_allclose(loss["objective"], expected["objective"], rtol=1e-6)


def test_saved_model_refuses_labels_out_of_range(tmp_path: Path) -> None:
    """Nobody checks what a SavedModel is fed, so it does; frames behind a sequence's end hold anything."""
    net = Net()
    labels = net.b.op("input", name="labels", dtype="int32", dims=(net.batch, net.time), labels=4)
    net.give("x", labels)
    export_saved_model(tmp_path / "m", {"forward": lower(net)}, net.params)
    signature = tf.saved_model.load(str(tmp_path / "m")).signatures["forward"]
    feed = {"data/size1": tf.constant(net.lengths, tf.int64)}
    behind = np.arange(max(net.lengths)) >= np.asarray(net.lengths)[:, None]
    assert signature(**feed, labels=tf.constant(np.where(behind, 9, 3), tf.int32))["x"].shape == behind.shape
    for value in (-1, 4):
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"label of data .*labels.* is out of range, expected: 0 to 3"
        ):
            signature(**feed, labels=tf.fill(behind.shape, value))


def test_saved_model_needs_results(tmp_path: Path) -> None:
    net = Net()
    net.give("x", net.x)
    with pytest.raises(TargetError, match="'loss' of the SavedModel would be empty"):
        export_saved_model(tmp_path / "model", {"loss": lower(net)}, net.params)
