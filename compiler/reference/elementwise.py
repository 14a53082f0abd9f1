"""Entry by entry. Operands are matched by dims, see :func:`compiler.reference.named.align`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from compiler.reference.named import Named, align
from compiler.reference.registry import RULES, Context, Rule, rule
from compiler.target.protocol import Array
from returnn_ir.errors import DataError
from returnn_ir.ir.graph import Node
from returnn_ir.ir.types import in_dtype

__all__: list[str] = []

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x: Array) -> Array:
    # exp of a negative number only: no overflow, full precision on both sides
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _divide(a: Array, b: Array) -> Array:
    """Of integers too the result has the operands' element type: truncated towards zero, as Python's ``int(a / b)``."""
    if a.dtype.kind in "iu":
        safe = np.where(b == 0, 1, b)
        return np.where(b == 0, 0, np.sign(a) * np.sign(safe) * (np.abs(a) // np.abs(safe)))
    return np.divide(a, b)


def _power(a: Array, b: Array) -> Array:
    # a negative exponent of integers has no integer result, and NumPy raises there
    return np.power(a, np.maximum(b, 0)) if a.dtype.kind in "iu" else np.power(a, b)


def _complex(real: Array, imag: Array) -> Array:
    result = np.empty(np.broadcast_shapes(real.shape, imag.shape), np.complex64)
    result.real, result.imag = real, imag
    return result


_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "neg": np.negative,
    "abs": np.abs,
    "sign": np.sign,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "erf": _erf,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,  # halves to even
    "is_finite": np.isfinite,
    "is_nan": np.isnan,
    "logical_not": np.logical_not,
    "add": np.add,
    "mul": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "sub": np.subtract,
    "floordiv": np.floor_divide,
    "mod": np.mod,  # the sign of the divisor
    "div": _divide,
    "pow": _power,
    "atan2": np.arctan2,
    "complex": _complex,
    "real": np.real,
    "imag": np.imag,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "where": np.where,
    # only derivatives tell these from nothing at all
    "stop_gradient": lambda x: x,
    "scale_gradient": lambda x: x,
    "set_sparse": lambda x: x,
}


def _elementwise(function: Callable[..., Array]) -> Rule:
    def compute(context: Context, node: Node, operands: Sequence[Named]) -> Named:
        arrays, dims = align(*operands)
        return Named(np.asarray(function(*arrays)), dims)

    return compute


RULES.update({name: _elementwise(function) for name, function in _FUNCTIONS.items()})


@rule("cast")
def _cast(context: Context, node: Node, operands: Sequence[Named]) -> Named:
    """Fractions are cut off towards zero; to bool, all but zero is true."""
    return Named(in_dtype(operands[0].array, node.attrs["dtype"]), operands[0].dims)


@rule("adjust_gradient", "filter_gradient")
def _with_other_gradient(context: Context, node: Node, operands: Sequence[Named]) -> Named:
    """The value itself."""
    return operands[0]


@rule("label_index")
def _label_index(context: Context, node: Node, operands: Sequence[Named]) -> Named:
    """The numbers themselves; what stands behind a sequence's end is nobody's label."""
    x, labels = operands[0], node.attrs["labels"]
    counts = Named(np.asarray(True))
    for dim in x.dims:
        if dim.is_dynamic and context.ragged(dim):
            (so_far, valid), dims = align(counts, context.mask(dim))
            counts = Named(so_far & valid, dims)
    (value, counted), _ = align(x, counts)
    wrong = counted & ((value < 0) | (value >= labels))
    if wrong.any():
        received = np.broadcast_to(value, wrong.shape)[wrong][0]
        raise DataError("a label is out of range", where=node.origin, expected=f"0 to {labels - 1}", received=received)
    return x
