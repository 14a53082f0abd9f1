"""The gradient of loops: against the one that TensorFlow finds for its while loops by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import tensorflow as tf

from compiler.target.protocol import Array
from compiler.tensorflow import control
from compiler.tensorflow.loops.gradient import run_with_gradient
from compiler.tensorflow.loops.loop import Loop
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from tests.tensorflow.graphs import Build, Net, lower

Stepped = tuple[list[Value], list[Value]]

#: Of the sequences: ragged, with an empty one, without any step.
LENGTHS: list[tuple[int, ...]] = [(5, 1, 3), (8, 0), (2, 0), (0, 0)]


def _product(net: Net, x: Value, weights: Value) -> Value:
    """`x` [..., F] times `weights` [F', F]."""
    rows = weights.dims[0]
    return net.b.dot(net.b.rename(x, (net.feature, rows)), weights, rows)


def _weights(net: Net, name: str) -> Value:
    return net.param(name, Dim(f"{name}.rows", 4), net.feature)


def _start(net: Net) -> Value:
    return net.b.expand(net.param("start", net.feature), net.batch)


def _recurrent(net: Net) -> None:
    """Products with matrices, sums with a bias; what each sequence ends with, and every step."""
    b = net.b
    w, u, bias = _weights(net, "W"), _weights(net, "U"), net.param("bias", net.feature)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        h, count = carries
        after = b.unary("tanh", b.add(b.add(_product(net, h, w), _product(net, slices[0], u)), bias))
        return [b.mul(after, b.cast(count, "float32")), b.add(count, 1)], [after, b.unary("sin", h)]

    (h, _), (path, before) = b.loop(net.time, [_start(net), b.const(1)], [net.x], step)
    net.lose(b.add(b.add(b.reduce("sum", path, net.time), b.reduce("sum", before, net.time)), h))


def _tied(net: Net) -> None:
    """One matrix in two products, another one that is also used otherwise, a scale of no consequence."""
    b = net.b
    w, u, unused = _weights(net, "W"), _weights(net, "U"), net.param("unused", net.feature)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        twice = _product(net, b.unary("tanh", _product(net, carries[0], w)), w)
        shift = b.reduce("sum", u, u.dims[0])
        after = b.unary("tanh", b.add(b.add(twice, _product(net, slices[0], u)), shift))
        return [b.add(after, b.op("stop_gradient", unused))], [after]

    (h,), (path,) = b.loop(net.time, [_start(net)], [net.x], step)
    net.lose(b.add(b.reduce("sum", path, net.time), h))


def _attention(net: Net) -> None:
    """Over the frames of another sequence: a matrix for each sequence, and products with a ragged axis."""
    b = net.b
    memory_time = Dim("M")
    b.define(memory_time, b.op("maximum", b.length(net.time), b.const(2)))
    w, v = _weights(net, "W"), net.param("v", net.feature)
    memory = b.unary("tanh", b.op("resize_axis", net.x, dim=net.time, out=memory_time))

    def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        energy = b.dot(b.unary("tanh", b.add(memory, _product(net, carries[0], w))), v, net.feature)
        context = b.dot(b.op("softmax", energy, dims=(memory_time,)), memory, memory_time)
        return [b.add(context, slices[0])], [context]

    (h,), (path,) = b.loop(net.time, [_start(net)], [net.x], step)
    net.lose(b.add(b.reduce("sum", path, net.time), h))


def _nested(net: Net) -> None:
    """A loop in every step of a loop, with the outer step's carry and a matrix of both."""
    b = net.b
    w = _weights(net, "W")

    def outer(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        def inner(j: Value, held: list[Value], parts: list[Value]) -> Stepped:
            after = b.unary("tanh", b.add(_product(net, held[0], w), b.mul(parts[0], carries[0])))
            return [after], [b.mul(after, slices[0])]

        (last,), (path,) = b.loop(net.time, [carries[0]], [net.x], inner)
        after = b.add(_product(net, last, w), b.reduce("sum", path, net.time))
        return [b.unary("tanh", after)], [after]

    (h,), (path,) = b.loop(net.time, [_start(net)], [net.x], outer)
    net.lose(b.add(b.reduce("sum", path, net.time), h))


def _renamed(net: Net) -> None:
    """Other names of a value from outside and of one that is kept, read behind the products of a step."""
    b = net.b
    w, u, memory = _weights(net, "W"), _weights(net, "U"), net.param("memory", net.feature)
    other = Dim("F2", 4)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        name = b.rename(memory, (net.feature, other))
        first = b.add(_product(net, carries[0], w), slices[0])
        again = b.rename(b.unary("tanh", first), (net.feature, other))
        second = b.mul(b.add(again, b.rename(first, (net.feature, other))), name)
        after = b.unary("tanh", _product(net, b.rename(second, (other, net.feature)), u))
        return [after], [b.mul(after, b.rename(name, (other, net.feature)))]

    (h,), (path,) = b.loop(net.time, [_start(net)], [net.x], step)
    net.lose(b.add(b.reduce("sum", path, net.time), h))


NETS: dict[str, Build] = {
    "renamed": _renamed,
    "recurrent": _recurrent,
    "tied": _tied,
    "attention": _attention,
    "nested": _nested,
}


def _gradients(build: Build, lengths: tuple[int, ...], device: str = "cpu") -> dict[str, Array]:
    net = Net(lengths)
    build(net)
    return lower(net, device=device).gradients(net.inputs, net.params)


Gradients = Callable[[Build, tuple[int, ...]], dict[str, Array]]


@pytest.fixture
def by_tensorflow(monkeypatch: pytest.MonkeyPatch) -> Gradients:
    """The gradients without the hand-made backward."""

    def run(build: Build, lengths: tuple[int, ...]) -> dict[str, Array]:
        with monkeypatch.context() as patched:
            patched.setattr(control, "can_compute_again", lambda region: False)
            return _gradients(build, lengths)

    return run


@pytest.mark.parametrize("device", ["cpu", "gpu"])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("name", NETS)
def test_gradients(
    name: str,
    lengths: tuple[int, ...],
    device: str,
    by_tensorflow: Callable[[Build, tuple[int, ...]], dict[str, Array]],
) -> None:
    expected = by_tensorflow(NETS[name], lengths)
    actual = _gradients(NETS[name], lengths, device)
    assert actual.keys() == expected.keys()
    for key, gradient in expected.items():
        np.testing.assert_allclose(actual[key], gradient, rtol=2e-5, atol=2e-5, err_msg=key)


@pytest.mark.parametrize("name", NETS)
def test_steps_are_computed_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the other tests here compare is not twice TensorFlow's own gradient."""
    loops: list[object] = []

    def counted(loop: Loop, operands: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        loops.append(loop)
        return run_with_gradient(loop, operands)

    monkeypatch.setattr(control, "run_with_gradient", counted)
    _gradients(NETS[name], (2, 1))
    assert loops


def test_an_effect_happens_once_in_a_step(capfd: pytest.CaptureFixture[str]) -> None:
    """A loop that prints is not computed again for its gradient."""
    net = Net((3, 2))
    b = net.b

    def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        shown = b.op("print", b.add(carries[0], slices[0]), title="this step")
        return [b.unary("tanh", shown)], []

    (last,), _ = b.loop(net.time, [_start(net)], [net.x], step)
    net.lose(last)
    lower(net).gradients(net.inputs, net.params)
    written = capfd.readouterr()
    assert (written.out + written.err).count("this step") == 3


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_second_derivative(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backward consists of ops that TensorFlow differentiates."""

    def penalty() -> list[Array]:
        net = Net((5, 2))
        _recurrent(net)
        program = lower(net, device=device)
        inputs = {name: tf.constant(value) for name, value in net.inputs.items()}
        variables = {name: tf.Variable(value) for name, value in net.params.items()}

        @tf.function(autograph=False)  # type: ignore[untyped-decorator]
        def compute() -> list[tf.Tensor]:
            _, gradients = program.loss_and_gradients(inputs, variables)
            norm = tf.add_n([tf.reduce_sum(gradient**2) for gradient in gradients.values()])
            found: list[tf.Tensor] = tf.gradients(norm, list(variables.values()))
            return found

        return [gradient.numpy() for gradient in compute()]

    actual = penalty()
    monkeypatch.setattr(control, "can_compute_again", lambda region: False)
    for found, expected in zip(actual, penalty(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
