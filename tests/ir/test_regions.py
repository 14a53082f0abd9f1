"""What a region says of its dims, and a node of those that it works over."""

from __future__ import annotations

import pytest

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, Kind
from returnn_ir.ir.graph import Region, Value
from returnn_ir.ir.types import TensorType
from tests.reference.nets import Net

B, T, U, S, F = Dim("B", kind=Kind.BATCH), Dim("T"), Dim("U"), Dim("S"), Dim("F", 3)


def _lengths(*dims: Dim) -> Value:
    return Value(TensorType("int64", dims))


def _regions() -> tuple[Region, Region]:
    """A region where T varies over the batch and U does not vary; one in it, where S varies over the steps of T."""
    outer = Region(dim_defs={B: _lengths(), T: _lengths(B), U: _lengths()})
    return outer, Region(dim_defs={S: _lengths(T)}, parent=outer)


@pytest.mark.parametrize(
    ("dim", "outside", "inside"),
    [
        (F, False, False),
        (B, False, False),
        (U, False, False),
        (T, True, True),
        (T.ceildiv(2), True, True),
        (U - 1, False, False),
        (U + T, True, True),
        (S, False, True),
        (S * F, False, True),
    ],
    ids=str,
)
def test_is_ragged(dim: Dim, outside: bool, inside: bool) -> None:
    """As seen from each of two regions; a builder asks the one that it emits into."""
    outer, inner = _regions()
    assert (outer.is_ragged(dim), inner.is_ragged(dim)) == (outside, inside)
    assert (Builder(outer).needs_mask(dim), Builder(inner).needs_mask(dim)) == (outside, inside)


def test_a_region_may_see_other_lengths() -> None:
    """The innermost definition holds."""
    outer, _ = _regions()
    assert not Region(dim_defs={T: _lengths()}, parent=outer).is_ragged(T)


def test_addressed_dims() -> None:
    """The attributes name what comes out, too; what no operand has is not worked over."""
    net = Net()
    time, out, feature = net.time("T", [1, 2, 3]), Dim("O", 6), Dim("F", 2)
    x = net.b.expand(net.b.const(0.0), net.batch, time, feature, Dim("G", 3))
    merged = net.b.op("merge", x, dims=(feature, x.dims[3]), out=out)
    total = net.b.reduce("sum", merged, out, time)
    assert merged.node is not None and total.node is not None
    assert merged.node.named_dims() == [feature, x.dims[3], out]
    assert merged.node.addressed_dims() == [feature, x.dims[3]]
    assert total.node.addressed_dims() == [out, time]
