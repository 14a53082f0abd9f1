"""Products and windows of products: dot, convolution, pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.dims import Dim
from returnn_ir.errors import IRError
from returnn_ir.ops.spec import OpSpec, Scope, Trait, length_dims, register
from returnn_ir.types import TensorType

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _dot(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Sum of products over the dims ``reduce``; other dims that both operands have are batch dims.

    The result has the shared dims first, then those of the first operand, then those of the second.
    """
    a, b = types
    for dim in attrs["reduce"]:
        if dim not in a.dims or dim not in b.dims:
            raise IRError(f"dot over {dim}, which is not in both of {a} and {b}")
    if a.dtype != b.dtype:
        raise IRError(f"dot of {a.dtype} and {b.dtype}")
    gone = set(attrs["reduce"])
    shared = [d for d in a.dims if d in b.dims and d not in gone]
    only_a = [d for d in a.dims if d not in b.dims]
    only_b = [d for d in b.dims if d not in a.dims]
    brought = length_dims(scope, attrs["reduce"]) if attrs["mask"] else []
    dims = [*shared, *only_a, *only_b]
    return [TensorType(a.dtype, (*dims, *(d for d in brought if d not in dims and d not in gone)))]


def _conv(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Cross-correlation of ``x`` with a filter over the spatial dims ``dims``, giving ``outs``.

    Operands: x [..., *dims, in_dim], filter [*filter_dims, in_dim / groups, out_dim]. ``padding``: ``valid`` or ``same``
    (geometry from the axis in memory), on which out-of-range frames are zero.
    """
    x = types[0]
    for dim in (*attrs["dims"], attrs["in_dim"]):
        if dim not in x.dims:
            raise IRError(f"conv over {dim}, which is not in {x}")
    rest = x.without([*attrs["dims"], attrs["in_dim"]]).dims
    return [x.with_dims((*rest, *attrs["outs"], attrs["out_dim"]))]


def _pool(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Maximum or mean of windows over ``dims``, giving ``outs``; entries outside of the axis do not count."""
    x = types[0]
    mapping = dict(zip(attrs["dims"], attrs["outs"], strict=True))
    missing = [d for d in mapping if d not in x.dims]
    if missing:
        raise IRError(f"pool over {missing}, not in {x}")
    return [x.with_dims(tuple(mapping.get(d, d) for d in x.dims))]


def _dot_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Matrix products: shared dims, own dims, reduced dims; for the second operand the reduced dims before its own."""
    a, b = (t.dims for t in types)
    reduced = tuple(attrs["reduce"])
    shared = tuple(d for d in a if d in b and d not in reduced)
    only_a = tuple(d for d in a if d not in b)
    only_b = tuple(d for d in b if d not in a)
    return [(*shared, *only_a, *reduced), (*shared, *reduced, *only_b)]


def _conv_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Channels last: x [..., *dims, in_dim], filter [*filter_dims, filter_in, out_dim]."""
    window = (*attrs["dims"], attrs["in_dim"])
    rest = tuple(d for d in types[0].dims if d not in window)
    return [(*rest, *window), (*attrs["filter_dims"], attrs["filter_in"], attrs["out_dim"])]


def _pool_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Channels last as conv, all axes that are not pooled counting as batch: [..., *dims]."""
    rest = tuple(d for d in types[0].dims if d not in attrs["dims"])
    return [(*rest, *attrs["dims"])]


_CONV: dict[str, object] = {
    "dims": ...,
    "outs": ...,
    "in_dim": ...,
    "out_dim": ...,
    "filter_dims": ...,
    "filter_in": ...,
    "strides": ...,
    "dilations": ...,
    "padding": ...,
    "groups": 1,
}
_READS_TAIL = frozenset({Trait.READS_TAIL})

register(
    OpSpec(
        "dot",
        2,
        {"reduce": ..., "mask": True},
        _dot,
        frozenset({Trait.MASKED}),
        neutral=lambda dtype, _: 0.0,
        order=_dot_order,
    )
)
register(OpSpec("conv", 2, _CONV, _conv, _READS_TAIL, order=_conv_order))
# the gradient of conv with respect to its input, cut to the extents of outs after `crop` entries on the left
register(OpSpec("conv_transpose", 2, {**_CONV, "crop": ..., "sizes": ...}, _conv, _READS_TAIL, order=_conv_order))
register(
    OpSpec(
        "pool",
        1,
        {"kind": ..., "dims": ..., "outs": ..., "sizes": ..., "strides": ..., "dilations": ..., "padding": ...},
        _pool,
        _READS_TAIL,
        order=_pool_order,
    )
)
