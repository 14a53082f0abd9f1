"""Sums and products of what has just entered a loop's body or a branch: TensorFlow's optimizers rewrite them.

Each body is compared with the same steps written out one after the other, gradients included; without the ops of
``compiler.tensorflow.entering`` some of the results are empty.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from compiler.target.protocol import Array
from compiler.tensorflow import control
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from tests.tensorflow.graphs import Net, lower

STEPS = 3

#: One step: the carry, a parameter from outside and the step's number give the next carry.
Body = Callable[[Builder, Value, Value, Value], Value]

BODIES: dict[str, Body] = {
    "twice": lambda b, c, p, i: b.add(b.add(c, p), b.add(c, p)),
    "carry": lambda b, c, p, i: b.mul(b.add(c, c), 0.3),
    "around": lambda b, c, p, i: b.sub(b.add(b.add(c, 1.0), c), p),
    "apart": lambda b, c, p, i: b.mul(b.add(b.add(c, 1.0), b.add(c, 2.0)), p),
    "captured": lambda b, c, p, i: b.add(b.add(b.unary("tanh", c), p), p),
    "captured_apart": lambda b, c, p, i: b.add(b.add(p, c), b.add(p, b.unary("sin", c))),
    "thrice": lambda b, c, p, i: b.mul(b.add(b.add(b.add(c, p), c), b.add(p, c)), 0.2),
    "sum": lambda b, c, p, i: b.add(b.add(c, b.unary("sin", c)), b.add(c, p)),
    "sums": lambda b, c, p, i: b.add(b.add(b.add(c, p), b.unary("sin", c)), b.add(b.add(c, p), p)),
    "difference": lambda b, c, p, i: b.add(b.sub(b.add(c, p), c), b.mul(c, p)),
    "zero": lambda b, c, p, i: b.add(b.sub(c, c), b.mul(p, c)),
    "ratio": lambda b, c, p, i: b.mul(b.div(p, p), b.unary("sin", c)),
    "square": lambda b, c, p, i: b.unary("sin", b.add(b.mul(c, c), b.mul(p, p))),
    "factored": lambda b, c, p, i: b.add(b.mul(c, 2.0), b.mul(c, p)),
    "index": lambda b, c, p, i: b.mul(c, b.unary("sin", b.cast(b.add(b.add(i, 1), i), "float32"))),
    "exponent": lambda b, c, p, i: b.sub(b.unary("exp", b.mul(p, 0.1)), b.add(b.unary("sin", c), 1.0)),
}


def _start(net: Net) -> tuple[Value, Value]:
    """The first carry, which has a gradient too, and the parameter."""
    start = net.b.expand(net.param("start", net.feature), net.batch)
    return start, net.param("p", net.feature)


def _written_out(net: Net, body: Body) -> list[Value]:
    c, p = _start(net)
    path = []
    for i in range(STEPS):
        c = body(net.b, c, p, net.b.const(i))
        path.append(c)
    return path


def _given(net: Net, path: list[Value]) -> None:
    for i, value in enumerate(path):
        net.give(f"y{i}", value)
    total = net.b.expand(net.b.const(0.0), net.batch, net.feature)
    for value in path:
        total = net.b.add(total, value)
    net.lose(total)


def _taken_apart(net: Net, path: Value, dim: Dim) -> list[Value]:
    return [net.b.op("gather", path, net.b.const(i), dim=dim) for i in range(STEPS)]


def _loop(net: Net, body: Body) -> list[Value]:
    c, p = _start(net)
    dim, b = Dim("steps", STEPS), net.b

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        after = body(b, carries[0], p, i)
        return [after], [after]

    _, (path,) = b.loop(dim, [c], [], step)
    return _taken_apart(net, path, dim)


def _loop_until(net: Net, body: Body) -> list[Value]:
    c, p = _start(net)
    dim, b = Dim("steps"), net.b

    def step(i: Value, carries: list[Value]) -> tuple[list[Value], list[Value], Value]:
        after = body(b, carries[0], p, i)
        return [after], [after], b.binary("greater_equal", i, STEPS - 1)

    _, (path,), _ = b.loop_until(dim, [c], b.const(10), step)
    return _taken_apart(net, path, dim)


def _branches(net: Net, body: Body) -> list[Value]:
    """The branch of a predicate that holds in the even steps, and that of one that does not."""
    c, p = _start(net)
    b, path = net.b, []
    below = b.binary("less", b.reduce("sum", net.x, *net.x.dims), 1e6)
    for i in range(STEPS):

        def chosen(c: Value = c, i: int = i) -> list[Value]:
            return [body(b, c, p, b.const(i))]

        def other(c: Value = c) -> list[Value]:
            return [b.mul(c, 0.5)]

        if i % 2 == 0:
            (c,) = b.cond(below, chosen, other)
        else:
            (c,) = b.cond(b.unary("logical_not", below), other, chosen)
        path.append(c)
    return path


def _results(build: Callable[[Net, Body], list[Value]], body: Body) -> dict[str, Array]:
    net = Net((3, 1))
    _given(net, build(net, body))
    return {**(program := lower(net)).run(net.inputs, net.params), **program.gradients(net.inputs, net.params)}


def _agree(build: Callable[[Net, Body], list[Value]], body: Body) -> None:
    expected, found = _results(_written_out, body), _results(build, body)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("build", [_loop, _loop_until, _branches])
@pytest.mark.parametrize("name", BODIES)
def test_as_written_out(name: str, build: Callable[[Net, Body], list[Value]]) -> None:
    _agree(build, BODIES[name])


@pytest.mark.parametrize("name", BODIES)
def test_a_loop_that_tensorflow_differentiates(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "can_compute_again", lambda region: False)
    _agree(_loop, BODIES[name])
