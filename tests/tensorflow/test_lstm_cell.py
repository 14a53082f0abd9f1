"""The composite ``lstm_cell``: who takes it, and its kernel for GPUs, on a CPU: numbers, gradients, whole networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from compiler.program.pipelines import lower_to
from compiler.program.program import Program, compile_net
from compiler.tensorflow.device import Device
from compiler.tensorflow.kernels.lstm_cell import lstm_cell
from compiler.tensorflow.target import TensorFlowTarget
from returnn_ir import load
from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from tests.tensorflow.graphs import Net, lower
from tests.tensorflow.recurrent import Array, gradients, sigmoid

UNITS, HEADS = Dim("units", 3, feature=True), Dim("heads", 2)


def written_out(gates: Array, c: Array) -> tuple[Array, Array]:
    j, i, f, o = np.split(gates, 4, axis=-1)
    following = sigmoid(f) * c + sigmoid(i) * np.tanh(j)
    return sigmoid(o) * np.tanh(following), following


def differences(gates: Array, c: Array, seeds: tuple[Array, Array]) -> list[Array]:
    """Gradients of the sum of the results times their seeds, by differences in float64."""
    operands, found = [gates.astype(np.float64), c.astype(np.float64)], []
    for x in operands:
        gradient = np.zeros_like(x)
        for at in np.ndindex(x.shape):
            sums = []
            for step in (1e-5, -1e-5):
                kept, x[at] = x[at], x[at] + step
                sums.append(sum(float((y * seed).sum()) for y, seed in zip(written_out(*operands), seeds, strict=True)))
                x[at] = kept
            gradient[at] = (sums[0] - sums[1]) / 2e-5
        found.append(gradient)
    return found


@pytest.mark.parametrize("asked", ["both", "h", "c"])
def test_numbers_and_gradients(asked: str) -> None:
    """Also where nobody asks for one of the results."""
    rng = np.random.default_rng(3)
    shapes = [(5, 12), (5, 3), (5, 3), (5, 3)]
    gates, c, dh, dc = (2 * rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    for differentiated in (False, True):
        results = lstm_cell(tf.constant(gates), tf.constant(c), differentiated=differentiated)
        for result, expected in zip(results, written_out(gates, c), strict=True):
            np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
    which = {"both": [0, 1], "h": [0], "c": [1]}[asked]
    seeds = (dh if 0 in which else np.zeros_like(dh), dc if 1 in which else np.zeros_like(dc))

    def run(operands: Any) -> list[tf.Tensor]:
        results = lstm_cell(*operands, differentiated=True)
        return [results[k] for k in which]

    found = gradients(run, [gates, c], [seeds[k] for k in which])
    for gradient, expected in zip(found, differences(gates, c, seeds), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


def stepped(*rest: Dim, dtype: str = "float32") -> Callable[[Net], None]:
    """Steps of an LSTM whose states have the axes of the batch and more; both states are asked for."""

    def build(net: Net) -> None:
        b, previous, gate = net.b, Dim("previous", 3, feature=True), Dim("gates", 12, feature=True)
        w, w_re = net.param("w", net.feature, gate), net.param("w_re", previous, gate)
        x, *start = net.x, *(b.expand(net.param(name, UNITS), net.batch, *rest) for name in ("h", "c"))
        for dim in rest:
            x = b.mul(x, net.param(f"scale/{dim.name}", dim))
        w, w_re, x, *start = (b.cast(v, dtype) if dtype != "float32" else v for v in (w, w_re, x, *start))

        def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            h, c = carries
            z = b.add(slices[0], b.dot(b.rename(h, (UNITS, previous)), w_re, previous))
            following = b.emit(get_op("lstm_cell"), [z, c], {"out_dim": UNITS, "gate_dim": gate})
            return following, following

        last, paths = b.loop(net.time, start, [b.dot(x, w, net.feature)], step)
        parts = [*(b.reduce("sum", path, net.time) for path in paths), *last]
        total = parts[0]
        for part in parts[1:]:
            total = b.add(total, part)
        net.lose(total)
        for name, part in zip("hc", last, strict=True):
            net.give(name, part)

    return build


@pytest.mark.parametrize("rest", [(), (HEADS,)], ids=["one axis", "two axes"])
@pytest.mark.parametrize("lengths", [(5, 1, 3), (8, 0), (0, 0)])
def test_in_a_loop(rest: tuple[Dim, ...], lengths: tuple[int, ...]) -> None:
    """Results and gradients are those of the parts."""
    found = []
    for fusion in ("require", "never"):
        net = Net(lengths)
        stepped(*rest)(net)
        program = lower(net, {"lstm_cell": fusion}, "gpu")
        found.append(program.run(net.inputs, net.params) | program.gradients(net.inputs, net.params))
    kernel, parts = found
    assert set(kernel) == set(parts)
    for name, expected in parts.items():
        np.testing.assert_allclose(kernel[name], expected, rtol=1e-5, atol=1e-5, err_msg=name)


def journal(build: Callable[[Net], None], device: str) -> list[str]:
    net = Net()
    build(net)
    _, told = lower_to(net.graph, TensorFlowTarget(Device(device)))
    return [str(decision) for decision in told if decision.op == "lstm_cell"]


def outside(net: Net) -> None:
    """One step."""
    gate = Dim("gates", 12, feature=True)
    operands = [net.input("z", net.batch, gate), net.input("c", net.batch, UNITS)]
    net.lose(net.b.emit(get_op("lstm_cell"), operands, {"out_dim": UNITS, "gate_dim": gate})[0])


def differentiated(net: Net) -> None:
    """A gradient in the network."""
    stepped()(net)
    assert net.graph.objective is not None
    net.give("dx", net.b.op("gradient", net.graph.objective, net.x))


@pytest.mark.parametrize(
    ("build", "device", "told"),
    [
        (stepped(), "gpu", "lstm_cell fused: LSTMBlockCellGrad"),
        (stepped(), "cpu", "lstm_cell expanded: the program is for a CPU, where its parts are faster"),
        (stepped(), "both", "lstm_cell expanded: the program is for CPUs, too, where its parts are faster"),
        (outside, "gpu", "lstm_cell expanded: outside of a loop it is one step"),
        (stepped(dtype="float64"), "gpu", "lstm_cell expanded: the kernel computes in float32, not in float64"),
        (
            differentiated,
            "gpu",
            "lstm_cell expanded: the network has gradients of its own, and the kernel cannot be differentiated twice",
        ),
    ],
)
def test_who_takes_it(build: Callable[[Net], None], device: str, told: str) -> None:
    assert journal(build, device) == [told]


def test_dims_that_do_not_fit() -> None:
    net, gate = Net(), Dim("gates", 12, feature=True)
    z = net.input("z", net.batch, gate)
    with pytest.raises(IRError) as caught:
        net.b.emit(get_op("lstm_cell"), [z, z], {"out_dim": UNITS, "gate_dim": gate})
    assert str(caught.value) == "lstm_cell of float32[B, gates] over gates(12) and float32[B, gates] over units(3)"


DATA = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}


def decoder(unit: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """A cell that sees what came of it in the step before."""
    sources = ["data:source", "prev:y"]
    cell = {"class": "rnn_cell", "unit": unit, "unit_opts": dict(options), "n_out": 4, "from": sources}
    steps = {
        "cell": cell,
        "y": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "cell"},
        "output": {"class": "copy", "from": "y"},
    }
    return {
        "steps": {"class": "rec", "from": "data", "unit": steps},
        "output": {"class": "softmax", "loss": "ce", "target": "classes", "from": "steps"},
    }


def compiled(path: Path, network: Mapping[str, Any], lines: str) -> Program:
    path.write_text(f"extern_data = {DATA!r}\nnetwork = {network!r}\n{lines}\n", encoding="utf-8")
    return compile_net(load(path), target="tf", mode="train", device="gpu")


@pytest.mark.parametrize(
    ("unit", "options", "fits"),
    [
        ("LSTMBlock", {}, True),
        ("standardlstm", {"forget_bias": 0.5, "num_proj": 4, "proj_clip": 0.1}, True),
        ("basiclstm", {}, True),
        ("vanillalstm", {}, True),
        ("zoneoutlstm", {"zoneout_factor_cell": 0.0, "zoneout_factor_output": 0.0}, True),
        ("standardlstm", {"use_peepholes": True}, False),
        ("standardlstm", {"cell_clip": 0.1}, False),
        ("standardlstm", {"activation": "relu"}, False),
        ("layernormvariantslstm", {}, False),
    ],
)
def test_units(tmp_path: Path, unit: str, options: dict[str, Any], fits: bool) -> None:
    """Which units it does for, where it stands in a loop; with it they train as without it."""
    lengths, rng = np.array([7, 2, 0]), np.random.default_rng(0)
    feed = {"data": rng.standard_normal((3, 7, 3)).astype(np.float32), "classes": rng.integers(0, 5, (3, 7))}
    feed |= {f"{name}/size1": lengths for name in ("data", "classes")}
    programs = [
        compiled(tmp_path / "net.py", decoder(unit, options), f"fusion = {{'lstm_cell': {fusion!r}}}")
        for fusion in ("prefer", "never")
    ]
    assert any(node.op.name == "lstm_cell" for node in programs[0].graph.body.walk()) is fits
    if fits:
        initial = programs[0].initial_params()
        params = {name: 0.3 * rng.standard_normal(x.shape).astype(x.dtype) for name, x in initial.items()}
        executables: list[Any] = [program.executable for program in programs]
        kernel, parts = (executable.run_with_gradients(feed, params) for executable in executables)
        np.testing.assert_allclose(kernel.fetches["objective"], parts.fetches["objective"], rtol=1e-5)
        assert set(kernel.gradients) == set(parts.gradients) != set()
        for name, expected in parts.gradients.items():
            np.testing.assert_allclose(kernel.gradients[name], expected, rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_second_derivative(tmp_path: Path) -> None:
    """A config that needs one gets the parts, and is told so."""
    program = compiled(tmp_path / "net.py", decoder("LSTMBlock", {}), "maximize_grad_norm = 0.1")
    note = "maximize_grad_norm: lstm_cell has no kernel here, as its kernel has no second derivative"
    assert note in program.graph.notes
    told = [str(decision) for decision in program.journal if decision.op == "lstm_cell"]
    assert told == ["""layer 'steps/cell': lstm_cell expanded: fusion = {"lstm_cell": "never"}"""]
