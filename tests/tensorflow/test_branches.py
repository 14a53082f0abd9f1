"""Branches as ``tf.cond``: against the reference, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest

from returnn_ir.ir.graph import Value
from tests.branches import BRANCHES, PREDICATES
from tests.tensorflow.graphs import Net, agree, lower


@pytest.mark.parametrize("limit", PREDICATES)
@pytest.mark.parametrize("name", BRANCHES)
def test_agrees_with_the_reference(name: str, limit: float) -> None:
    agree(lambda net: BRANCHES[name](net, limit))


@pytest.mark.parametrize("limit", PREDICATES)
def test_gradient_of_the_chosen_branch(limit: float) -> None:
    """The same as if the branch stood there alone."""

    def gradient(*, branch: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        net = Net()
        b, w = net.b, net.param("w", net.feature)

        def true() -> list[Value]:
            return [b.unary("tanh", b.mul(net.x, w))]

        def false() -> list[Value]:
            return [b.mul(b.unary("exp", w), net.x)]

        below = b.binary("less", b.reduce("sum", net.x, *net.x.dims), limit)
        alone = true if limit > 0 else false
        (y,) = b.cond(below, true, false) if branch else alone()
        net.lose(y)
        return lower(net).gradients(net.inputs, net.params)["grad/w"]

    np.testing.assert_allclose(gradient(branch=True), gradient(branch=False), rtol=1e-5)
