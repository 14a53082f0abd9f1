"""Axes: derived lengths, joining, reversing, padding, windows."""

from __future__ import annotations

import numpy as np
import pytest

from returnn_ir.errors import DataError
from returnn_ir.ir.dims import Dim
from tests.reference.nets import Net


def test_lengths_and_extents_of_derived_dims() -> None:
    net = Net()
    time, other = net.time("T", [5, 2, 0]), net.time("S", [1, 4, 2])
    for dim, expected in [
        (time.ceildiv(2), [3, 1, 0]),
        ((time + 1) // 2, [3, 1, 0]),
        (time - 1, [4, 1, 0]),
        (time + other, [6, 6, 2]),
        (2 * time, [10, 4, 0]),
        (time * other, [5, 8, 0]),
    ]:
        np.testing.assert_array_equal(net.run(net.b.length(dim), net.batch), expected)
    for dim, extent in [(time.ceildiv(2), 3), (time + other, 6), (time * other, 20), (net.batch * time, 15)]:
        assert net.run(net.b.extent(dim)) == extent


def test_mask_of_a_derived_dim() -> None:
    net = Net()
    half = net.time("T", [5, 2, 0]).ceildiv(2)
    y = net.run(net.b.mask(half), net.batch, half)
    np.testing.assert_array_equal(y, [[1, 1, 1], [1, 0, 0], [0, 0, 0]])


def test_ragged_concat_leaves_no_gap() -> None:
    net = Net()
    a, b = net.time("T", [2, 1, 0]), net.time("S", [1, 3, 2])
    x = net.data("x", np.array([[1, 2], [3, 9], [9, 9]], np.int32), net.batch, a)
    y = net.data("y", np.array([[4, 9, 9], [5, 6, 7], [8, 10, 9]], np.int32), net.batch, b)
    z = net.b.op("concat", x, y, dims=(a, b), out=a + b, ragged=True)
    np.testing.assert_array_equal(net.run(z, net.batch, a + b), [[1, 2, 4, 0], [3, 5, 6, 7], [8, 10, 0, 0]])


def test_concat_broadcasts_the_other_axes() -> None:
    net = Net()
    f, g = Dim("F", 2), Dim("G", 1)
    x = net.data("x", np.ones((3, 2), np.float32), net.batch, f)
    y = net.data("y", np.full(1, 7, np.float32), g)
    z = net.run(net.b.op("concat", x, y, dims=(f, g), out=f + g), net.batch, f + g)
    np.testing.assert_array_equal(z, [[1, 1, 7]] * 3)


def test_reverse_turns_each_sequence() -> None:
    net = Net()
    time = net.time("T", [3, 2, 0])
    x = net.data("x", np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.int32), time, net.batch)
    ragged = net.run(net.b.op("reverse", x, dim=time), net.batch, time)
    np.testing.assert_array_equal(ragged, [[7, 4, 1], [5, 2, 8], [3, 6, 9]])
    whole = net.run(net.b.op("reverse", x, dim=time, ragged=False), net.batch, time)
    np.testing.assert_array_equal(whole[1], [8, 5, 2])


@pytest.mark.parametrize(
    ("mode", "numpy_mode"), [("reflect", "reflect"), ("symmetric", "symmetric"), ("replicate", "edge")]
)
def test_pad_modes_are_numpys(mode: str, numpy_mode: str) -> None:
    net = Net()
    f = Dim("F", 4)
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    value = net.b.op("pad", net.data("x", x, net.batch, f), dim=f, out=2 + f + 1, left=2, right=1, mode=mode)
    expected = np.pad(x, [(0, 0), (2, 1)], mode=numpy_mode)  # type: ignore[call-overload]
    np.testing.assert_array_equal(net.run(value, net.batch, 2 + f + 1), expected)


def test_ragged_pad_follows_each_sequence() -> None:
    net = Net()
    time = net.time("T", [3, 1, 0])
    x = net.data("x", np.array([[1, 2, 3], [4, 9, 9], [9, 9, 9]], np.float32), net.batch, time)
    y = net.b.op("pad", x, dim=time, out=1 + time + 1, left=1, right=1, mode="replicate", ragged=True)
    np.testing.assert_array_equal(net.run(y, net.batch, 1 + time + 1)[:2], [[1, 1, 2, 3, 3], [4, 4, 4, 0, 0]])


def test_window_is_zero_outside() -> None:
    net = Net(batch=1)
    f, w = Dim("F", 3), Dim("W", 3)
    x = net.data("x", np.array([1, 2, 3], np.float32), f)
    y = net.b.op("window", x, dim=f, out=f, window=w, left=1)
    np.testing.assert_array_equal(net.run(y, f, w), [[0, 1, 2], [1, 2, 3], [2, 3, 0]])


def test_merge_split_and_slice() -> None:
    net = Net()
    time, f = net.time("T", [2, 1, 0]), Dim("F", 4)
    x = np.arange(24, dtype=np.float32).reshape(3, 2, 4)
    value = net.data("x", x, net.batch, time, f)
    merged = net.b.op("merge", value, dims=(f, time), out=f * time)
    np.testing.assert_array_equal(net.run(merged, net.batch, f * time), x.transpose(0, 2, 1).reshape(3, 8))
    two, half = Dim("two", 2), Dim("half", 2)
    parts = net.b.op("split", value, dim=f, outs=(two, half))
    np.testing.assert_array_equal(
        net.run(parts, two, net.batch, time, half), x.reshape(3, 2, 2, 2).transpose(2, 0, 1, 3)
    )
    cut = net.b.op("slice", value, dim=f, out=half, start=-1, end=None, step=-2)
    np.testing.assert_array_equal(net.run(cut, net.batch, time, half), x[:, :, -1::-2])


def test_resize_axis_cuts_and_fills_up() -> None:
    net = Net(batch=2)
    time, longer = net.time("T", [2, 1]), net.time("S", [3, 3])
    x = net.data("x", np.array([[1, 2], [3, 4]], np.float32), net.batch, time)
    y = net.run(net.b.op("resize_axis", x, dim=time, out=longer), net.batch, longer)
    np.testing.assert_array_equal(y, [[1, 2, 0], [3, 4, 0]])


def test_two_sizes_of_one_axis_are_reported() -> None:
    net = Net()
    time = net.time("T", [2, 1, 0])
    value = net.data("x", np.zeros((3, 2), np.float32), net.batch, time)
    net.data("y", np.zeros((3, 5), np.float32), net.batch, time)
    with pytest.raises(DataError, match="disagree about axis T"):
        net.run(value, net.batch, time)
