"""Fourier transforms on TensorFlow: kernels against bodies, values and gradients."""

from __future__ import annotations

import numpy as np
import pytest

from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from tests.tensorflow.graphs import Net, agree, lower, no_fusion


def _spectrum(net: Net, frame: int, size: int) -> tuple[Value, Dim]:
    """Of frames that a parameter makes, [B, T, bins]."""
    samples, bins = Dim("samples", frame), Dim("bins", size // 2 + 1)
    x = net.b.dot(net.x, net.param("W", net.feature, samples), net.feature)
    return net.b.op("rfft", x, dim=samples, out=bins, size=size), bins


@pytest.mark.parametrize(("frame", "size"), [(8, 8), (6, 9), (5, 8), (9, 6)])
def test_kernels_are_their_bodies(frame: int, size: int) -> None:
    def gradient(fusion: dict[str, str] | None) -> tuple[object, ...]:
        net = Net()
        z, bins = _spectrum(net, frame, size)
        back = net.b.op("irfft", net.b.mul(z, z), dim=bins, out=Dim("back", size))
        net.give("back", back)
        net.lose(back)
        program = lower(net, fusion)
        assert (fusion is None) == any(program.graph.nodes("rfft"))
        found = program.run(net.inputs, net.params), program.gradients(net.inputs, net.params)
        return found[0]["output/back"], found[1]["grad/W"]

    for fused, plain in zip(gradient(None), gradient(no_fusion), strict=True):
        np.testing.assert_allclose(np.asarray(fused), np.asarray(plain), rtol=1e-3, atol=1e-4)


def test_agrees_with_the_reference() -> None:
    def build(net: Net) -> None:
        z, bins = _spectrum(net, 6, 8)
        for name in ("real", "imag", "abs"):
            net.give(name, net.b.unary(name, z))
        net.give("time_last", net.b.op("rfft", net.x, dim=net.feature, out=Dim("few", 3), size=4))
        net.give("inverse", net.b.op("irfft", z, dim=bins, out=Dim("odd", 9)))

    agree(build)
