"""Functions of expressions over axes: reductions, normalisations, sorting.

They see the padded tensor, as TensorFlow does: frames behind a sequence's end count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from returnn_ir.errors import UnsupportedError
from returnn_ir.expression.dtypes import dtype_name
from returnn_ir.expression.numbered import Numbered, as_numbered
from returnn_ir.expression.table import function
from returnn_ir.ir.types import is_float

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__ = ["reduced"]

_KINDS = ("sum", "mean", "max", "min", "prod", "any", "all", "logsumexp")


def _axes(x: Numbered, axis: object) -> list[int]:
    if axis is None:
        return list(range(x.rank))
    numbers = axis if isinstance(axis, (list, tuple)) else [axis]
    return sorted({x.axis_number(a) for a in numbers})


def reduced(x: Numbered, kind: str, axis: object, keepdims: object) -> Numbered:
    """A reduction over numbered axes."""
    numbers = _axes(x, axis)
    dims = [d for i in numbers if (d := x.axes[i]) is not None]
    value = x.value
    if kind == "mean" and not is_float(value.dtype):
        raise UnsupportedError("a mean of integers, which TensorFlow cuts off")
    if dims:
        value = x.b.reduce(kind, value, *dims, mask=False)
    if keepdims:
        return Numbered(x.b, value, [None if i in numbers else d for i, d in enumerate(x.axes)])
    return Numbered(x.b, value, [d for i, d in enumerate(x.axes) if i not in numbers])


def _register_reductions() -> None:
    for kind in _KINDS:

        def reduce(
            b: Tracer,
            input_tensor: object,
            axis: object = None,
            keepdims: object = False,
            name: object = None,
            keep_dims: object = None,
            reduction_indices: object = None,
            *,
            _kind: str = kind,
        ) -> Numbered:
            over = axis if axis is not None else reduction_indices
            return reduced(as_numbered(b, input_tensor), _kind, over, keepdims or keep_dims)

        function(f"reduce_{kind}")(reduce)


_register_reductions()


@function("reduce_variance")
def _variance(
    b: Tracer, input_tensor: object, axis: object = None, keepdims: object = False, name: object = None
) -> Numbered:
    x = as_numbered(b, input_tensor)
    deviation = x - reduced(x, "mean", axis, True)
    return reduced(deviation * deviation, "mean", axis, keepdims)


@function("reduce_std")
def _std(
    b: Tracer, input_tensor: object, axis: object = None, keepdims: object = False, name: object = None
) -> Numbered:
    variance = _variance(b, input_tensor, axis, keepdims)
    return variance.with_value(b.unary("sqrt", variance.value))


@function("norm")
def _norm(
    b: Tracer,
    tensor: object,
    ord: object = "euclidean",
    axis: object = None,
    keepdims: object = False,
    name: object = None,
) -> Numbered:
    x = as_numbered(b, tensor)
    if ord in (1, 1.0):
        return reduced(abs(x), "sum", axis, keepdims)
    if ord not in ("euclidean", "fro", 2, 2.0):
        raise UnsupportedError(f"the norm of order {ord!r}")
    total = reduced(x * x, "sum", axis, keepdims)
    return total.with_value(b.unary("sqrt", total.value))


@function("l2_normalize")
def _l2_normalize(
    b: Tracer,
    x: object,
    axis: object = None,
    epsilon: float = 1e-12,
    name: object = None,
    dim: object = None,
) -> Numbered:
    tensor = as_numbered(b, x)
    total = reduced(tensor * tensor, "sum", axis if axis is not None else dim, True)
    scale = b.unary("rsqrt", b.maximum(total.value, epsilon))
    return tensor * total.with_value(scale)


def _softmax_like(kind: str) -> None:
    def compute(b: Tracer, logits: object, axis: object = -1, name: object = None, dim: object = None) -> Numbered:
        x = as_numbered(b, logits)
        number = x.axis_number(-1 if axis is None else axis if dim is None else dim)
        along = x.axes[number]
        if along is None:  # one entry: its own sum
            nothing = x - x
            return nothing if kind == "log_softmax" else nothing + 1.0
        return x.with_value(b.op(kind, x.value, dims=(along,), mask=False))

    function(kind)(compute)


_softmax_like("softmax")
_softmax_like("log_softmax")


def _arg(kind: str) -> None:
    def compute(
        b: Tracer,
        input: object,
        axis: object = None,
        output_type: object = "int64",
        name: object = None,
        dimension: object = None,
    ) -> Numbered:
        x = as_numbered(b, input)
        along = x.axis_number(axis if axis is not None else dimension if dimension is not None else 0)
        dim = x.axes[along]
        if dim is None:
            first = b.expand(b.const(0, dtype_name(output_type)), *x.value.dims)
            return Numbered(b, first, [d for i, d in enumerate(x.axes) if i != along])
        best = b.op("set_sparse", b.op(kind, x.value, dim=dim, mask=False), sparse_dim=None)
        return Numbered(b, b.cast(best, dtype_name(output_type)), [d for d in x.axes if d is not dim])

    function(kind)(compute)


_arg("argmax")
_arg("argmin")


@function("argsort")
def _argsort(
    b: Tracer,
    values: object,
    axis: object = -1,
    direction: str = "ASCENDING",
    stable: bool = False,
    name: object = None,
) -> Numbered:
    x = as_numbered(b, values)
    descending = direction.upper() == "DESCENDING"
    dim = x.axes[x.axis_number(axis)]
    if dim is None:
        return x.with_value(b.expand(b.const(0, "int32"), *x.value.dims))
    order = b.op("argsort", x.value, dim=dim, descending=descending, ragged=False)
    return x.with_value(b.cast(b.op("set_sparse", order, sparse_dim=None), "int32"))


@function("cumsum")
def _cumsum(
    b: Tracer, x: object, axis: object = 0, exclusive: bool = False, reverse: bool = False, name: object = None
) -> Numbered:
    tensor = as_numbered(b, x)
    dim = tensor.axes[tensor.axis_number(axis)]
    if dim is None:
        return tensor - tensor if exclusive else tensor
    return tensor.with_value(b.op("cumsum", tensor.value, dim=dim, exclusive=bool(exclusive), reverse=bool(reverse)))


@function("moments")
def _moments(
    b: Tracer, x: object, axes: Sequence[int], keepdims: object = False, name: object = None
) -> tuple[Numbered, Numbered]:
    tensor = as_numbered(b, x)
    return reduced(tensor, "mean", list(axes), keepdims), _variance(b, tensor, list(axes), keepdims)
