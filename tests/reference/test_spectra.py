"""Complex numbers and Fourier transforms against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from tests.reference.nets import Net

SAMPLES = np.random.default_rng(3).normal(size=(3, 7)).astype(np.float32)


@pytest.mark.parametrize("size", [4, 5, 7, 8, 12])
def test_forward_is_numpys(size: int) -> None:
    net, frame, bins = Net(), Dim("frame", 7), Dim("bins", size // 2 + 1)
    y = net.run(
        net.b.op("rfft", net.data("x", SAMPLES, net.batch, frame), dim=frame, out=bins, size=size), net.batch, bins
    )
    assert y.dtype == np.complex64
    np.testing.assert_allclose(y, np.fft.rfft(SAMPLES, size), atol=1e-5)


@pytest.mark.parametrize("size", [6, 7])
def test_inverse_ignores_what_a_real_signal_has_not(size: int) -> None:
    net, bins, frame = Net(), Dim("bins", 4), Dim("frame", size)
    re, im = SAMPLES[:, :4], SAMPLES[:, 3:]
    spectrum = net.b.op("complex", net.data("re", re, net.batch, bins), net.data("im", im, net.batch, bins))
    y = net.run(net.b.op("irfft", spectrum, dim=bins, out=frame), net.batch, frame)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, np.fft.irfft(re + 1j * im, size), atol=1e-5)


def test_parts_and_magnitude() -> None:
    net, f = Net(), Dim("F", 7)
    re, im = net.data("re", SAMPLES, net.batch, f), net.data("im", SAMPLES[0], f)
    z = net.b.op("complex", re, im)
    np.testing.assert_array_equal(net.run(net.b.unary("real", z), net.batch, f), SAMPLES)
    np.testing.assert_array_equal(net.run(net.b.unary("imag", z), net.batch, f)[1], SAMPLES[0])
    size = net.run(net.b.unary("abs", z), net.batch, f)
    assert size.dtype == np.float32
    np.testing.assert_allclose(size, np.hypot(SAMPLES, SAMPLES[0]), rtol=1e-6)


def test_what_is_no_transform() -> None:
    net, frame = Net(), Dim("frame", 7)
    x = net.data("x", SAMPLES, net.batch, frame)
    with pytest.raises(IRError, match="bins"):
        net.b.op("rfft", x, dim=frame, out=Dim("bins", 3), size=7)
    with pytest.raises(IRError, match="complex64"):
        net.b.op("irfft", x, dim=frame, out=Dim("samples", 12))
    with pytest.raises(IRError, match="complex64"):
        net.b.unary("real", x)
