"""Products and windows of products: dot, convolution, pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.op import OpSpec, Precision, Scope, Trait, length_dims, register
from returnn_ir.ir.signature import DIM, DIMS, AtLeast0, AtLeast1, Attr
from returnn_ir.ir.types import TensorType

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

    Operands: x [..., *dims, in_dim], filter [*filter_dims, in_dim / groups, out_dim]. ``padding``: ``valid`` or
    ``same`` (geometry from the axis in memory), on which out-of-range frames are zero. TensorFlow's geometry of an axis
    of extent n, filter f, stride s, dilation d: ``valid`` gives ceil((n - (f-1)*d) / s) frames; ``same`` gives
    ceil(n / s) after padding by max((ceil(n/s)-1)*s + (f-1)*d + 1 - n, 0), the smaller half on the left.

    ``channels_first`` is an order in memory that a target asks for: x [..., in_dim, *dims].
    """
    return _channels(types, attrs)


def _conv_transpose(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Each frame of ``x``, times the filter, is added to the output at its own place (the gradient of a convolution).

    Operands: x [..., *dims, in_dim], filter [*filter_dims, out_dim, filter_in] (TensorFlow's and RETURNN's layout; the
    filter is not flipped). Per dim, with extent n, filter f, stride s, dilation d::

        full[t * s + w * d, o] += sum_i x[t, i] * filter[w, o, i]          (extent (n-1)*s + (f-1)*d + 1, 0 for n = 0)
        out = full[crop : crop + max(n * s + extra, 0)], zeros behind the end of full

    ``crop`` and ``extra`` are integers per dim, which covers RETURNN's options: with k = (f-1)*d + 1, padding ``same``
    is extra 0, crop max(k-s, 0)//2 (as ``tf.nn.conv_transpose`` with output extent n*s); ``valid`` extra max(k-s, 0),
    crop 0; ``output_padding`` p is extra k - s - 2*pad + p with pad = f//2 for same, 0 for valid, and for same crop
    max(2*pad - p, 0)//2; ``remove_padding`` r adds r to crop and
    takes 2*r from extra. In ONNX: ConvTranspose with pads 0, then Slice (and Pad where out is longer than full).
    """
    return _channels(types, attrs)


def _channels(types: Types, attrs: Attrs) -> list[TensorType]:
    x = types[0]
    for dim in (*attrs["dims"], attrs["in_dim"]):
        if dim not in x.dims:
            raise IRError(f"conv over {dim}, which is not in {x}")
    rest = x.without([*attrs["dims"], attrs["in_dim"]]).dims
    window = (attrs["out_dim"], *attrs["outs"]) if attrs["channels_first"] else (*attrs["outs"], attrs["out_dim"])
    return [x.with_dims((*rest, *window))]


def _pool(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Maximum (``kind`` max) or mean (``kind`` avg) of windows over ``dims``, giving ``outs``.

    Geometry as conv's; entries outside of the axis do not count (the mean divides by the number of those inside).
    """
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
    """Channels behind the dims or in front of them; the filter as TensorFlow has it in both cases."""
    window = (*attrs["dims"], attrs["in_dim"])
    if attrs["channels_first"]:
        window = (attrs["in_dim"], *attrs["dims"])
    rest = tuple(d for d in types[0].dims if d not in window)
    return [(*rest, *window), (*attrs["filter_dims"], attrs["filter_in"], attrs["out_dim"])]


def _conv_transpose_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Channels last; the filter as TensorFlow has it: [*filter_dims, out_dim, filter_in]."""
    return [_conv_order(types, attrs)[0], (*attrs["filter_dims"], attrs["out_dim"], attrs["filter_in"])]


def _pool_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Channels last as conv, all axes that are not pooled counting as batch: [..., *dims]."""
    rest = tuple(d for d in types[0].dims if d not in attrs["dims"])
    return [(*rest, *attrs["dims"])]


_SIZES = Attr(tuple[AtLeast1, ...])
_PADDING = Attr(Literal["valid", "same"])
_GEOMETRY = {
    "dims": DIMS,
    "outs": DIMS,
    "in_dim": DIM,
    "out_dim": DIM,
    "filter_dims": DIMS,
    "filter_in": DIM,
    "strides": _SIZES,
    "dilations": _SIZES,
    "channels_first": Attr(bool, False, "the order of the axes in memory: x [..., in_dim, *dims]"),
}
_POOL = {
    "kind": Attr(Literal["max", "avg"]),
    "dims": DIMS,
    "outs": DIMS,
    "sizes": _SIZES,
    "strides": _SIZES,
    "dilations": _SIZES,
    "padding": _PADDING,
}
_FILTERED = ("x", "filter")
_READS_TAIL = frozenset({Trait.READS_TAIL})

register(
    OpSpec(
        "dot",
        ("a", "b"),
        {"reduce": DIMS, "mask": Attr(bool, True)},
        _dot,
        frozenset({Trait.MASKED}),
        neutral=lambda dtype, _: 0.0,
        order=_dot_order,
        precision=Precision.ANY,
    )
)
register(
    OpSpec(
        "conv",
        _FILTERED,
        {**_GEOMETRY, "padding": _PADDING, "groups": Attr(AtLeast1, 1)},
        _conv,
        _READS_TAIL,
        order=_conv_order,
        precision=Precision.ANY,
    )
)
register(
    OpSpec(
        "conv_transpose",
        _FILTERED,
        {**_GEOMETRY, "crop": Attr(tuple[AtLeast0, ...]), "extra": Attr(tuple[int, ...])},
        _conv_transpose,
        _READS_TAIL,
        order=_conv_transpose_order,
        precision=Precision.ANY,
    )
)
register(OpSpec("pool", ("x",), _POOL, _pool, _READS_TAIL, order=_pool_order, precision=Precision.FOLLOW))
