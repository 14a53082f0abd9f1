"""gather, scatter_add, masked_select, search_sorted against loops over entries."""

from __future__ import annotations

import numpy as np

from returnn_ir.ir.dims import Dim
from tests.reference.nets import Net


def test_gather_pairs_shared_dims() -> None:
    net = Net()
    time, new, f = net.time("T", [4, 4, 4]), Dim("N", 2), Dim("F", 2)
    x = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    i = np.array([[0, 3], [1, 1], [-5, 99]], np.int32)  # outside of the axis: the nearest entry
    y = net.b.op("gather", net.data("x", x, net.batch, time, f), net.data("i", i, net.batch, new), dim=time)
    expected = [[x[b, min(max(i[b, n], 0), 3)] for n in range(2)] for b in range(3)]
    np.testing.assert_array_equal(net.run(y, net.batch, new, f), expected)


def test_gather_crosses_dims_that_only_one_has() -> None:
    net = Net()
    labels, f, new = Dim("V", 5), Dim("F", 2), Dim("N", 4)
    table = np.arange(10, dtype=np.float32).reshape(5, 2)
    i = np.random.default_rng(0).integers(0, 5, (3, 4)).astype(np.int32)
    y = net.b.op("gather", net.data("w", table, labels, f), net.data("i", i, net.batch, new), dim=labels)
    np.testing.assert_array_equal(net.run(y, net.batch, new, f), table[i])


def test_scatter_add_drops_what_is_outside() -> None:
    net = Net()
    n, out, f = Dim("N", 3), Dim("O", 2), Dim("F", 2)
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    i = np.array([[0, 0, 1], [1, -1, 1], [2, 0, 7]], np.int32)
    values = net.data("x", x, n, f)
    y = net.run(net.b.op("scatter_add", values, net.data("i", i, net.batch, n), dims=(n,), out=out), net.batch, out, f)
    expected = np.zeros((3, 2, 2), np.float32)
    for b in range(3):
        for k in range(3):
            if 0 <= i[b, k] < 2:
                expected[b, i[b, k]] += x[k]
    np.testing.assert_array_equal(y, expected)


def test_masked_select_is_row_major() -> None:
    net = Net()
    time, packed = net.time("T", [2, 0, 1]), Dim("P")
    mask = net.b.mask(time)
    net.b.define(packed, net.b.reduce("sum", net.b.cast(mask, "int64"), net.batch, time, mask=False))
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    y = net.b.op("masked_select", net.data("x", x, net.batch, time), mask, dims=(net.batch, time), out=packed)
    np.testing.assert_array_equal(net.run(y, packed), [0, 1, 4])


def test_search_sorted() -> None:
    net = Net()
    n, m = Dim("N", 4), Dim("M", 3)
    x = np.sort(np.random.default_rng(3).integers(0, 5, (3, 4)), axis=1).astype(np.float32)
    v = np.array([0, 2, 5], np.float32)
    values = net.b.expand(net.data("v", v, m), net.batch)
    for side in ("left", "right"):
        y = net.b.op("search_sorted", net.data("x", x, net.batch, n), values, dim=n, side=side)
        expected = [np.searchsorted(row, v, side=side) for row in x]
        np.testing.assert_array_equal(net.run(y, net.batch, m), expected)
