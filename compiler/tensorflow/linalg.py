"""Matrix products."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.broadcasting import product
from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.convolution import CONVOLUTION_ROWS
from compiler.tensorflow.sizes import reshape
from returnn_ir.ir.dims import Dim

__all__ = ["ROWS"]


def _dot(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """A [shared, own, reduced] times b [shared, reduced, own]: one matrix product, batched over the shared axes."""
    a, b = operands
    reduced = tuple(call.attrs["reduce"])
    a_dims, b_dims = call.type(0).dims, call.type(1).dims
    shared = tuple(d for d in a_dims if d in b_dims and d not in reduced)
    only_a = a_dims[len(shared) : len(a_dims) - len(reduced)]
    only_b = b_dims[len(shared) + len(reduced) :]
    shape = call.env.shape
    if not reduced:
        left = reshape(a, [*shape((*shared, *only_a)), *[1] * len(only_b)]) if only_b else a
        right = reshape(b, [*shape(shared), *[1] * len(only_a), *shape(only_b)]) if only_a else b
        return left * right
    x = _as_matrix(call, a, shared, only_a, reduced)
    y = _as_matrix(call, b, shared, reduced, only_b)
    z = product(call, x, y)
    if len(only_a) == 1 and len(only_b) == 1:
        return z
    return reshape(z, shape((*shared, *only_a, *only_b)))


def _as_matrix(
    call: Call, x: tf.Tensor, shared: Sequence[Dim], rows: Sequence[Dim], columns: Sequence[Dim]
) -> tf.Tensor:
    """Flatten to [shared, rows, columns]."""
    if len(rows) == 1 and len(columns) == 1:
        return x
    shape = call.env.shape
    return reshape(x, [*shape(shared), shape(rows), shape(columns)])


ROWS: dict[str, Row] = {"dot": _dot, **CONVOLUTION_ROWS}
