"""Convolution and pooling against sums over entries, in TensorFlow's geometry."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from returnn_ir.ir.dims import Dim
from tests.reference.nets import Net

Floats = NDArray[np.float32]
GEOMETRIES = [
    (p, n, f, s, d)
    for p in ("same", "valid")
    for n in (1, 5, 6)
    for f, s, d in [(3, 1, 1), (2, 2, 1), (3, 1, 2), (3, 3, 1)]
]


def _geometry(padding: str, n: int, f: int, s: int, d: int) -> tuple[int, int]:
    """Extent of the result and frames added on the left."""
    if padding == "valid":
        return max(0, -(-(n - (f - 1) * d) // s)), 0
    out = -(-n // s)
    return out, max((out - 1) * s + (f - 1) * d + 1 - n, 0) // 2


@pytest.mark.parametrize(("padding", "n", "f", "s", "d"), GEOMETRIES)
def test_conv(padding: str, n: int, f: int, s: int, d: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(3, n, 4)).astype(np.float32), rng.normal(size=(f, 2, 6)).astype(np.float32)
    out, left = _geometry(padding, n, f, s, d)
    net = Net()
    time, fi, fo, k, half, after = Dim("T", n), Dim("I", 4), Dim("O", 6), Dim("K", f), Dim("I/2", 2), Dim("after", out)
    y = net.b.op(
        "conv",
        net.data("x", x, net.batch, time, fi),
        net.data("w", w, k, half, fo),
        dims=(time,),
        outs=(after,),
        in_dim=fi,
        out_dim=fo,
        filter_dims=(k,),
        filter_in=half,
        strides=(s,),
        dilations=(d,),
        padding=padding,
        groups=2,
    )
    expected = np.zeros((3, out, 6), np.float32)
    for t in range(out):
        for j in range(f):
            at = t * s + j * d - left
            if 0 <= at < n:
                expected[:, t, :3] += x[:, at, :2] @ w[j, :, :3]
                expected[:, t, 3:] += x[:, at, 2:] @ w[j, :, 3:]
    np.testing.assert_allclose(net.run(y, net.batch, after, fo), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize(("padding", "n", "f", "s", "d"), GEOMETRIES)
def test_pool(kind: str, padding: str, n: int, f: int, s: int, d: int) -> None:
    x = np.random.default_rng(0).normal(size=(3, n, 2)).astype(np.float32) - 3
    out, left = _geometry(padding, n, f, s, d)
    net = Net()
    time, fi, after = Dim("T", n), Dim("I", 2), Dim("after", out)
    y = net.b.op(
        "pool",
        net.data("x", x, net.batch, time, fi),
        kind=kind,
        dims=(time,),
        outs=(after,),
        sizes=(f,),
        strides=(s,),
        dilations=(d,),
        padding=padding,
    )
    result = net.run(y, net.batch, after, fi)
    assert result.shape[1] == out
    for t in range(out):
        inside = [t * s + j * d - left for j in range(f) if 0 <= t * s + j * d - left < n]
        expected = x[:, inside].max(1) if kind == "max" else x[:, inside].mean(1)
        np.testing.assert_allclose(result[:, t], expected, rtol=1e-5)


def test_conv_over_two_dims_is_separable_for_an_outer_product() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 5, 6, 1)).astype(np.float32)
    rows, columns = rng.normal(size=3), rng.normal(size=2)
    w = np.einsum("i,j->ij", rows, columns)[:, :, None, None].astype(np.float32)
    net = Net(batch=2)
    a, c, one, o, k, m = Dim("A", 5), Dim("C", 6), Dim("I", 1), Dim("O", 1), Dim("K", 3), Dim("M", 2)
    outs = (Dim("A'", 3), Dim("C'", 5))
    y = net.b.op(
        "conv",
        net.data("x", x, net.batch, a, c, one),
        net.data("w", w, k, m, one, o),
        dims=(a, c),
        outs=outs,
        in_dim=one,
        out_dim=o,
        filter_dims=(k, m),
        filter_in=one,
        strides=(1, 1),
        dilations=(1, 1),
        padding="valid",
    )
    middle = sum(rows[i] * x[:, i : i + 3, :, 0] for i in range(3))
    expected = sum(columns[j] * middle[:, :, j : j + 5] for j in range(2))
    np.testing.assert_allclose(net.run(y, net.batch, *outs, o)[..., 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("crop", "extra"), [(0, 1), (0, 0), (1, 0), (1, -2), (0, 4)])
def test_conv_transpose(crop: int, extra: int) -> None:
    rng = np.random.default_rng(0)
    n, f, s = 4, 3, 2
    x, w = rng.normal(size=(3, n, 2)).astype(np.float32), rng.normal(size=(f, 5, 2)).astype(np.float32)
    full = np.zeros((3, 40, 5), np.float32)
    for t in range(n):
        for j in range(f):
            full[:, t * s + j] += x[:, t] @ w[j].T
    net = Net()
    time, fi, fo, k = net.time("T", [4, 2, 1]), Dim("I", 2), Dim("O", 5), Dim("K", f)
    after = time * s + extra
    y = net.b.op(
        "conv_transpose",
        net.data("x", x, net.batch, time, fi),
        net.data("w", w, k, fo, fi),
        dims=(time,),
        outs=(after,),
        in_dim=fi,
        out_dim=fo,
        filter_dims=(k,),
        filter_in=fi,
        strides=(s,),
        dilations=(1,),
        crop=(crop,),
        extra=(extra,),
    )
    expected = full[:, crop : crop + n * s + extra]
    np.testing.assert_allclose(net.run(y, net.batch, after, fo), expected, rtol=1e-4, atol=1e-5)
