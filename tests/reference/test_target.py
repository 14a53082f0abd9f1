"""What the target takes, what it needs, and its random numbers."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.reference import random
from compiler.reference.registry import RULES
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Reject
from returnn_ir.errors import DataError, TargetError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Value
from returnn_ir.ir.op import all_ops
from tests.reference.nets import Net

REFUSED = {"opaque", "gradient", "external"}


def test_every_op_has_a_meaning() -> None:
    known = [spec for spec in all_ops() if not spec.is_symbolic]
    missing = {spec.name for spec in known if spec.name not in RULES and spec.body is None}
    assert missing == REFUSED
    assert set(RULES) <= {spec.name for spec in all_ops()}


def test_gradient_is_refused_with_a_reason() -> None:
    net = Net()
    x = net.data("x", np.zeros(3, np.float32), net.batch)
    y = net.b.op("gradient", net.b.mul(x, x), x)
    node: Node | None = y.node
    assert node is not None
    assert isinstance(ReferenceTarget().accepts(node, net.b.region), Reject)
    with pytest.raises(TargetError, match="gradient"):
        net.run(y, net.batch)


def test_missing_and_misshapen_inputs() -> None:
    net = Net()
    f = Dim("F", 2)
    x = net.data("data", np.zeros((3, 2), np.float32), net.batch, f)
    with pytest.raises(DataError, match="wrong shape"):
        net.run(x, net.batch, f, more={"data": np.zeros((3, 5), np.float32)})
    del net.inputs["data"]
    with pytest.raises(DataError, match="'data' is missing"):
        net.run(x, net.batch, f)


def test_a_failing_check_is_told() -> None:
    net = Net()
    x = net.data("x", np.array([1, 2, 3], np.float32), net.batch)
    net.graph.checks.append(("x must be small", net.b.reduce("all", net.b.binary("less", x, 3.0), net.batch)))
    with pytest.raises(DataError, match="must be small"):
        net.run(x, net.batch)


def test_philox_known_answers() -> None:
    """From the test vectors of Random123 (kat_vectors, philox4x32 10)."""
    assert [f"{v:08x}" for v in random.philox(0, 0, 1)[0]] == ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]


def test_draws_depend_on_path_seed_step_and_loop_only() -> None:
    base = random.draw("uniform", (4, 5), "layer", seed=1, step=2, loop_index=(3,))
    np.testing.assert_array_equal(base, random.draw("uniform", (4, 5), "layer", seed=1, step=2, loop_index=(3,)))
    np.testing.assert_array_equal(base.ravel()[:7], random.draw("uniform", (7,), "layer", 1, 2, (3,)))
    others = [
        ("other", 1, 2, (3,)),
        ("layer", 2, 2, (3,)),
        ("layer", 1, 3, (3,)),
        ("layer", 1, 2, (4,)),
        ("layer", 1, 2, ()),
    ]
    for path, seed, step, loop in others:
        assert not np.array_equal(base, random.draw("uniform", (4, 5), path, seed, step, loop))
    many = random.draw("uniform", (100_000,), "u")
    assert abs(many.mean() - 0.5) < 0.01 and many.min() >= 0 and many.max() < 1
    normal = random.draw("normal", (100_000,), "n")
    assert abs(normal.mean()) < 0.02 and abs(normal.std() - 1) < 0.02


def test_random_node_in_a_loop_draws_each_step_anew() -> None:
    net = Net(batch=1)
    time, f = net.time("T", [3]), Dim("F", 4)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        return [], [net.b.op("random", kind="uniform", path="drop", dims=(f,))]

    _, (noise,) = net.b.loop(time, [], [], step)
    first = net.run(noise, time, f, more={"random/seed": np.asarray(7), "random/step": np.asarray(2)})
    for i in range(3):
        np.testing.assert_array_equal(first[i], random.draw("uniform", (4,), "drop", 7, 2, (i,)))
    assert not np.array_equal(first, net.run(noise, time, f))
