"""Which axes of two sources are one: by size, by broadcasting before version 11, and never two that are known."""

from __future__ import annotations

import numpy as np
import pytest

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.unify import Unified, unify
from returnn_ir.behavior import Behavior
from returnn_ir.errors import DimError
from returnn_ir.ir.dims import Dim
from tests.reference.nets import Array, Net


def unified(version: int, *sizes: tuple[int, int], ignore: bool = False) -> tuple[Unified, Net]:
    """Two sources [B, S, F] with these sizes of S and F."""
    net = Net(batch=2)
    sources = []
    for number, (space, features) in enumerate(sizes):
        dims = (net.batch, Dim(f"S{number}", space), Dim(f"F{number}", features, feature=True))
        array = np.arange(2 * space * features, dtype=np.float32).reshape(2, space, features) + 100 * number
        value = net.data(f"x{number}", array, *dims)
        sources.append(LayerOutput(value, dims, None, dims[-1]))
    return unify(net.b, sources, Behavior.of(version), ignore_features=ignore), net


def total(found: Unified, net: Net) -> Array:
    return net.run(net.b.add(*found.values), *found.axes)


def expected(*sizes: tuple[int, int]) -> Array:
    x, y = (np.arange(2 * s * f, dtype=np.float32).reshape(2, s, f) + 100 * i for i, (s, f) in enumerate(sizes))
    return np.asarray(x + y)


@pytest.mark.parametrize("version", [0, 10, 11, 16])
def test_equal_sizes_are_one_axis(version: int) -> None:
    found, net = unified(version, (2, 3), (2, 3))
    assert [d.name for d in found.axes] == ["B", "S0", "F0"]
    np.testing.assert_array_equal(total(found, net), expected((2, 3), (2, 3)))


@pytest.mark.parametrize(
    "sizes",
    [((2, 3), (2, 1)), ((2, 1), (2, 3)), ((2, 3), (1, 3)), ((1, 3), (2, 3)), ((2, 3), (1, 1)), ((2, 1), (1, 3))],
)
def test_one_goes_with_anything_before_version_11(sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    found, net = unified(10, *sizes)
    assert [d.size for d in found.axes[1:]] == [2, 3]
    assert found.feature_dim is found.axes[-1]
    np.testing.assert_array_equal(total(found, net), expected(*sizes))


@pytest.mark.parametrize("version", [0, 10, 11, 16])
@pytest.mark.parametrize("sizes", [((2, 3), (2, 2)), ((2, 2), (2, 4))])
def test_two_goes_with_nothing_else(version: int, sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    with pytest.raises(DimError) as caught:
        unified(version, *sizes)
    (_, first), (_, second) = sizes
    assert str(caught.value) == f"feature axes of different size\n  expected: F0({first})\n  received: F1({second})"


def test_one_is_a_size_like_others_from_version_11_on() -> None:
    with pytest.raises(DimError, match="feature axes of different size"):
        unified(11, (2, 3), (2, 1))
    found, _ = unified(11, (2, 3), (1, 3))
    assert [d.name for d in found.axes] == ["B", "S0", "S1", "F0"]


def test_spatial_axes_of_other_sizes_are_both_there() -> None:
    found, net = unified(10, (2, 3), (4, 3))
    assert [d.name for d in found.axes] == ["B", "S0", "S1", "F0"]
    x, y = net.inputs["x0"], net.inputs["x1"]
    np.testing.assert_array_equal(total(found, net), x[:, :, None] + y[:, None])


def test_features_that_are_ignored_are_both_there() -> None:
    found, _ = unified(10, (2, 3), (2, 4), ignore=True)
    assert [d.name for d in found.axes] == ["B", "S0", "F0", "F1"]


def test_time_is_that_of_the_first_source_that_keeps_it() -> None:
    """A time axis that became another source's axis, which is no time there, is nobody's time any more."""
    net = Net(batch=2)
    spatial, other = Dim("S", 3), Dim("T", 3)
    features = Dim("F", 4, feature=True)
    x = net.data("x", np.zeros((2, 3, 4), np.float32), net.batch, spatial, features)
    y = net.data("y", np.zeros((2, 3), np.float32), net.batch, other)
    z = net.data("z", np.zeros((3,), np.float32), spatial)
    plain = LayerOutput(x, (net.batch, spatial, features), None, features)
    renamed, kept = LayerOutput(y, (net.batch, other), other, None), LayerOutput(z, (spatial,), spatial, None)
    behavior = Behavior.of(0)
    assert unify(net.b, [plain, renamed], behavior).time_dim is None
    assert unify(net.b, [plain, renamed, kept], behavior).time_dim is spatial
