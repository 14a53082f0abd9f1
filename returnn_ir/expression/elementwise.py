"""Functions of expressions that work entry by entry."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from returnn_ir.errors import UnsupportedError
from returnn_ir.expression.dtypes import dtype_name
from returnn_ir.expression.numbered import (
    Numbered,
    aligned,
    as_numbered,
    binary,
    common_dtype,
    power,
)
from returnn_ir.expression.table import function
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import is_float
from returnn_ir.ops.reduce import highest, lowest

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__ = ["apply_unary", "safe_log_value"]

#: names in expressions to ops or composites of one operand
UNARY = {
    **{n: n for n in ("exp", "log", "log1p", "expm1", "sqrt", "rsqrt", "sin", "cos", "tanh", "sigmoid", "softplus")},
    **{n: n for n in ("erf", "floor", "ceil", "round", "abs", "sign", "is_finite", "is_nan", "logical_not")},
    **{n: n for n in ("relu", "elu", "selu", "softsign", "log_sigmoid", "silu", "gelu", "stop_gradient")},
    "neg": "neg",
    "negative": "neg",
    "swish": "silu",
    "rint": "round",
    "is_inf": "is_inf",
}
_KEEP_INTEGERS = {"neg", "abs", "sign", "stop_gradient", "is_finite", "is_nan", "logical_not", "relu"}
BINARY = {
    "add": "add",
    "add_v2": "add",
    "sub": "sub",
    "subtract": "sub",
    "mul": "mul",
    "multiply": "mul",
    "div": "div",
    "divide": "div",
    "truediv": "div",
    "realdiv": "div",
    "floordiv": "floordiv",
    "floor_div": "floordiv",
    "floor_divide": "floordiv",
    "mod": "mod",
    "floormod": "mod",
    "remainder": "mod",
    "maximum": "maximum",
    "minimum": "minimum",
    "equal": "equal",
    "not_equal": "not_equal",
    "less": "less",
    "less_equal": "less_equal",
    "greater": "greater",
    "greater_equal": "greater_equal",
    "logical_and": "logical_and",
    "logical_or": "logical_or",
    "logical_xor": "not_equal",
    "atan2": "atan2",
}


def apply_unary(b: Tracer, op: str, x: Value) -> Value:
    """An elementwise op of one operand; integers become floats where the op needs floats."""
    if op == "is_inf":
        return b.binary("equal", b.unary("abs", x), b.const(math.inf, x.dtype))
    if not is_float(x.dtype) and op not in _KEEP_INTEGERS:
        if op in ("floor", "ceil", "round"):
            return x
        raise UnsupportedError(f"{op} of {x.dtype}, as in TensorFlow: cast it first")
    return b.unary(op, x)


def _register_simple() -> None:
    for name, op in UNARY.items():

        def unary(b: Tracer, x: object, name: object = None, *, _op: str = op) -> Numbered:
            tensor = as_numbered(b, x)
            return tensor.with_value(apply_unary(b, _op, tensor.value))

        function(name)(unary)
    for name, op in BINARY.items():

        def two(b: Tracer, x: object, y: object, name: object = None, *, _op: str = op) -> Numbered:
            return binary(_op, *_tensors(b, x, y))

        function(name)(two)


def _tensors(b: Tracer, x: object, y: object) -> tuple[object, object]:
    """At least one tensor among both."""
    if isinstance(x, Numbered) or isinstance(y, Numbered):
        return x, y
    return as_numbered(b, x), y


_register_simple()


@function("pow")
def _pow(b: Tracer, x: object, y: object, name: object = None) -> Numbered:
    return power(*_tensors(b, x, y))


@function("square")
def _square(b: Tracer, x: object, name: object = None) -> Numbered:
    tensor = as_numbered(b, x)
    return tensor * tensor


@function("reciprocal")
def _reciprocal(b: Tracer, x: object, name: object = None) -> Numbered:
    return 1.0 / as_numbered(b, x)


@function("identity", "convert_to_tensor", "constant")
def _identity(b: Tracer, x: object, dtype: object = None, name: object = None, **options: Any) -> Numbered:
    if options.get("shape") is not None:
        raise UnsupportedError("a constant with a shape")
    return as_numbered(b, x, dtype_name(dtype) if dtype is not None else None)


@function("cast")
def _cast(b: Tracer, x: object, dtype: object, name: object = None) -> Numbered:
    tensor = as_numbered(b, x)
    return tensor.with_value(b.cast(tensor.value, dtype_name(dtype)))


@function("saturate_cast")
def _saturate_cast(b: Tracer, value: object, dtype: object, name: object = None) -> Numbered:
    """A cast in which numbers that the element type cannot hold become the nearest one that it can."""
    x, wanted = as_numbered(b, value), dtype_name(dtype)
    own = x.value.dtype
    if "bool" in (own, wanted) or "complex64" in (own, wanted):
        raise UnsupportedError(f"tf.saturate_cast of {own} to {wanted}")
    if lowest(wanted) > lowest(own):
        x = x.with_value(b.maximum(x.value, b.const(_inside(lowest(wanted), own), own)))
    if highest(wanted) < highest(own):
        x = x.with_value(b.minimum(x.value, b.const(_inside(highest(wanted), own), own)))
    return x.with_value(b.cast(x.value, wanted))


def _inside(bound: float, dtype: str) -> float:
    """The bound as a number of the element type that is not beyond it, as int32's largest is for float32."""
    if not is_float(dtype):
        return bound
    held = np.asarray(bound, dtype)
    if abs(int(held)) > abs(int(bound)):
        held = np.nextafter(held, np.zeros((), dtype))
    return float(held)


@function("to_float")
def _to_float(b: Tracer, x: object, name: object = None) -> Numbered:
    return _cast(b, x, "float32")


@function("to_int32")
def _to_int32(b: Tracer, x: object, name: object = None) -> Numbered:
    return _cast(b, x, "int32")


@function("to_int64")
def _to_int64(b: Tracer, x: object, name: object = None) -> Numbered:
    return _cast(b, x, "int64")


@function("squared_difference")
def _squared_difference(b: Tracer, x: object, y: object, name: object = None) -> Numbered:
    difference = binary("sub", *_tensors(b, x, y))
    return difference * difference


@function("divide_no_nan", "div_no_nan")
def _divide_no_nan(b: Tracer, x: object, y: object, name: object = None) -> Numbered:
    """Zero where the divisor is."""
    divisor = as_numbered(b, y)
    zero = divisor == 0
    return _where(b, zero, 0.0, binary("div", x, _where(b, zero, 1.0, divisor)))


@function("logaddexp")
def _logaddexp(b: Tracer, x1: object, x2: object, name: object = None) -> Numbered:
    """``log(exp(x1) + exp(x2))``; both minus infinity gives that."""
    x, y = _tensors(b, x1, x2)
    larger, smaller = binary("maximum", x, y), binary("minimum", x, y)
    gap = smaller - larger
    # the difference of two equal infinities is not a number
    gap = _where(b, smaller == larger, 0.0, gap)
    return larger + gap.with_value(b.unary("log1p", b.unary("exp", gap.value)))


@function("clip_by_value", "clip")
def _clip_by_value(
    b: Tracer, t: object, clip_value_min: object, clip_value_max: object, name: object = None
) -> Numbered:
    return binary("maximum", binary("minimum", as_numbered(b, t), clip_value_max), clip_value_min)


@function("where", "where_v2")
def _where(b: Tracer, condition: object, x: object = None, y: object = None, name: object = None) -> Numbered:
    if x is None or y is None:
        raise UnsupportedError("tf.where with a condition only, which gives positions")
    if not isinstance(x, Numbered) and not isinstance(y, Numbered):
        x, y = as_numbered(b, x), as_numbered(b, y)
    chosen, axes = aligned(as_numbered(b, condition), x, y)
    test, *branches = common_dtype(chosen)
    if not isinstance(test, Value):
        raise UnsupportedError("tf.where with a constant condition")
    left, right = b.operands(*branches)
    return Numbered(b, b.op("where", test, left, right), axes)


@function("where_bc")
def _where_bc(
    b: Tracer,
    condition: object,
    x: object,
    y: object,
    allow_broadcast_all_sources: object = None,
    name: object = None,
) -> Numbered:
    """Missing axes are behind, not in front."""
    parts = [condition, x, y]
    rank = max(p.rank for p in parts if isinstance(p, Numbered))
    filled = [
        Numbered(p.b, p.value, (*p.axes, *[None] * (rank - p.rank)))
        if isinstance(p, Numbered) and 0 < p.rank < rank
        else p
        for p in parts
    ]
    return _where(b, *filled)


@function("relu6")
def _relu6(b: Tracer, features: object, name: object = None) -> Numbered:
    return _clip_by_value(b, features, 0.0, 6.0)


@function("leaky_relu")
def _leaky_relu(b: Tracer, features: object, alpha: float = 0.2, name: object = None) -> Numbered:
    x = as_numbered(b, features)
    return _where(b, x > 0, x, x * alpha)


@function("squared_relu")
def _squared_relu(b: Tracer, x: object) -> Numbered:
    positive = binary("maximum", as_numbered(b, x), 0.0)
    return positive * positive


@function("gelu2")
def _gelu2(b: Tracer, x: object) -> Numbered:
    """``x * sigmoid(1.702 x)`` (https://github.com/hendrycks/GELUs)."""
    tensor = as_numbered(b, x)
    return tensor * tensor.with_value(b.unary("sigmoid", (tensor * 1.702).value))


@function("gelu3")
def _gelu3(b: Tracer, x: object) -> Numbered:
    """The exact one, as ``gelu``."""
    tensor = as_numbered(b, x)
    return tensor.with_value(b.unary("gelu", tensor.value))


@function("hard_sigmoid")
def _hard_sigmoid(b: Tracer, x: object) -> Numbered:
    return _clip_by_value(b, as_numbered(b, x) * 0.2 + 0.5, 0.0, 1.0)


@function("sigmoid_cross_entropy_with_logits")
def _sigmoid_cross_entropy(b: Tracer, labels: object = None, logits: object = None, name: object = None) -> Numbered:
    """``max(x, 0) - x z + log(1 + exp(-|x|))`` of logits x and labels z."""
    x, z = as_numbered(b, logits), as_numbered(b, labels)
    soft = b.unary("softplus", b.unary("neg", b.unary("abs", x.value)))
    return binary("maximum", x, 0.0) - x * z + x.with_value(soft)


@function("safe_log")
def _safe_log(b: Tracer, x: object, eps: float = 1e-20, use_fake_grad: bool = True) -> Numbered:
    tensor = as_numbered(b, x)
    return tensor.with_value(safe_log_value(b, tensor.value, eps, use_fake_grad))


_LOG_OF = {"softmax": "log_softmax", "sigmoid": "log_sigmoid"}
_EXP_OF = {"log_softmax": "softmax", "log_sigmoid": "sigmoid"}


def safe_log_value(b: Tracer, x: Value, eps: float = 1e-20, use_fake_grad: bool = True) -> Value:
    """RETURNN's ``safe_log``: log of at least ``eps``, a gradient everywhere; exact on softmax, sigmoid and exp."""
    undone = _undone(b, x, _LOG_OF, "exp")
    if undone is not None:
        return _finite_log(b, undone, eps)
    clipped = b.maximum(x, eps)
    return b.unary("log", b.with_gradient_of(x, clipped) if use_fake_grad else clipped)


def _finite_log(b: Tracer, log: Value, eps: float) -> Value:
    """Behind a sequence's end and outside of a window the weight 0 has the log of ``eps``, as without the exact one.

    RETURNN has -inf where it sees the softmax, and then the entropy ``w * safe_log(w)`` of attention weights is NaN.
    """
    node = log.node
    while node is not None and node.op.name == "rename":
        node = node.operands[0].node
    if node is None or node.op.name != "log_softmax" or not any(d.is_dynamic for d in node.attrs["dims"]):
        return log
    return b.where(b.binary("equal", log, -math.inf), math.log(eps), log)


@function("safe_exp")
def _safe_exp(b: Tracer, x: object, eps: float = 1e-20) -> Numbered:
    tensor = as_numbered(b, x)
    value = tensor.value
    undone = _undone(b, value, _EXP_OF, "log")
    if undone is not None:
        return tensor.with_value(undone)
    clipped = b.minimum(b.maximum(value, math.log(eps)), math.log(1.0 / eps))
    return tensor.with_value(b.unary("exp", b.with_gradient_of(value, clipped)))


def _undone(b: Tracer, x: Value, partners: dict[str, str], inverse: str) -> Value | None:
    """The function's effect on a value that is another function's direct result, or None."""
    path = []
    while x.node is not None and x.node.op.name == "rename":
        path.append(x.node)
        x = x.node.operands[0]
    node = x.node
    if node is None:
        return None
    if node.op.name == inverse:
        result = node.operands[0]
    elif node.op.name in partners:
        result = b.op(partners[node.op.name], *node.operands, **node.attrs)
    else:
        return None
    for rename in reversed(path):
        result = b.op("rename", result, **rename.attrs)
    return result


@function("maximum_with_identity_grad")
def _maximum_with_identity_grad(b: Tracer, x: object, y: object) -> Numbered:
    tensor = as_numbered(b, x)
    larger = binary("maximum", tensor, y)
    if larger.axes != tensor.axes:
        raise UnsupportedError("maximum_with_identity_grad with a larger second tensor")
    return tensor.with_value(b.with_gradient_of(tensor.value, larger.value))


@function("scaled_gradient")
def _scaled_gradient(b: Tracer, x: object, scale: float, shift: float = 0.0) -> Numbered:
    tensor = as_numbered(b, x)
    if not isinstance(scale, (int, float)):
        raise UnsupportedError("a gradient scaled by a tensor")
    return tensor.with_value(b.op("scale_gradient", tensor.value, scale=float(scale), shift=float(shift or 0.0)))


@function("add_n")
def _add_n(b: Tracer, inputs: list[object], name: object = None) -> Numbered:
    if not inputs:
        raise UnsupportedError("a sum of no tensors")
    total = as_numbered(b, inputs[0])
    for further in inputs[1:]:
        total = total + further
    return total
