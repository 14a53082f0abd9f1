"""Composites: normalisation by own or given statistics, and the norm of a parameter that regularisation makes small."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Precision, Scope, Trait, broadcast
from returnn_ir.ir.signature import DIM, Attr
from returnn_ir.ir.types import TensorType, promote, summed_dtype
from returnn_ir.ops.composite.spec import composite

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _layer_norm(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """Ba, Kiros & Hinton (arXiv:1607.06450) over one static axis.

    Operands: x [..., dim], scale [dim], bias [dim]. Of an x of 16 bits it is computed in float32, and rounded.
    """
    given, dim = operands[0].dtype, attrs["dim"]
    x, scale, bias = (b.cast(v, summed_dtype(given)) for v in operands)
    centred = b.sub(x, b.reduce("mean", x, dim, mask=False))
    variance = b.reduce("mean", b.mul(centred, centred), dim, mask=False)
    normed = b.mul(centred, b.unary("rsqrt", b.add(variance, attrs["epsilon"])))
    return [b.cast(b.add(b.mul(normed, scale), bias), given)]


def _infer(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    x, scale, bias = types
    dim = attrs["dim"]
    if dim not in x.dims or scale.dims != (dim,) or bias.dims != (dim,):
        raise IRError(f"layer_norm of {x} over {dim} by {scale} and {bias}")
    return [TensorType(x.dtype, x.dims)]


def _order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """The normalized axis last."""
    dim = attrs["dim"]
    return [(*(d for d in types[0].dims if d is not dim), dim), (dim,), (dim,)]


composite(
    "layer_norm",
    ("x", "scale", "bias"),
    {"dim": DIM, "epsilon": Attr(float, 1e-6)},
    _layer_norm,
    infer=_infer,
    order=_order,
    precision=Precision.FOLLOW,
    apart=("scale", "bias"),
)


def _skip_layer_norm(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """The layer norm of a sum, and the sum: what a residual connection gives to the next part, and what passes by it.

    Operands: x and skip [..., dim], scale and bias [dim].
    """
    x, skip, scale, bias = operands
    total = b.add(x, skip)
    return [b.op("layer_norm", total, scale, bias, **attrs), total]


def _infer_skip(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    x, skip, scale, bias = types
    if set(skip.dims) != set(x.dims):
        raise IRError(f"skip_layer_norm of {x} and {skip}")
    return _infer(scope, (x, scale, bias), attrs) * 2


def _skip_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """The normalized axis last, the others as x has them."""
    x, _, scale, bias = types
    order = _order((x, scale, bias), attrs)
    return [order[0], *order]


composite(
    "skip_layer_norm",
    ("x", "skip", "scale", "bias"),
    {"dim": DIM, "epsilon": Attr(float, 1e-6)},
    _skip_layer_norm,
    infer=_infer_skip,
    order=_skip_order,
)


def _batch_norm(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """Ioffe & Szegedy (arXiv:1502.03167) with statistics that are there already, running ones or a batch's.

    Operands: x [..., F], mean, variance, scale and bias [F], all of them broadcast against each other.
    """
    x, mean, variance, scale, bias = operands
    normed = b.mul(b.sub(x, mean), b.unary("rsqrt", b.add(variance, attrs["epsilon"])))
    return [b.add(b.mul(normed, scale), bias)]


def _together(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    return [TensorType(reduce(promote, (t.dtype for t in types)), broadcast(scope, types))]


composite(
    "batch_norm",
    ("x", "mean", "variance", "scale", "bias"),
    {"epsilon": Attr(float)},
    _batch_norm,
    infer=_together,
    traits=frozenset({Trait.ELEMENTWISE}),
)


def _l2_penalty(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """The sum of the squared entries of x, times ``factor``: a scalar."""
    (x,) = operands
    return [b.mul(b.reduce("sum", b.mul(x, x), *x.dims, mask=False), attrs["factor"])]


def _scalar(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    return [TensorType(types[0].dtype, ())]


composite("l2_penalty", ("x",), {"factor": Attr(float)}, _l2_penalty, infer=_scalar)
