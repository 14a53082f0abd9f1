"""Functions of expressions that are made of others: trigonometry, cross entropies of logits, norms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from returnn_ir.errors import UnsupportedError
from returnn_ir.expression.elementwise import apply_unary
from returnn_ir.expression.numbered import Numbered, as_numbered, binary
from returnn_ir.expression.reductions import reduced
from returnn_ir.expression.table import find_function, function

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__: list[str] = []


def _apply(x: Numbered, op: str) -> Numbered:
    return x.with_value(apply_unary(x.b, op, x.value))


def _call(b: Tracer, name: str, *args: object) -> Numbered:
    """Another function of the table."""
    found = find_function(b, name)
    if found is None:
        raise UnsupportedError(f"tf.{name}")
    result: Numbered = found(*args)
    return result


@function("tan")
def _tan(b: Tracer, x: object, name: object = None) -> Numbered:
    tensor = as_numbered(b, x)
    return _apply(tensor, "sin") / _apply(tensor, "cos")


@function("atan")
def _atan(b: Tracer, x: object, name: object = None) -> Numbered:
    return binary("atan2", as_numbered(b, x), 1.0)


@function("asin")
def _asin(b: Tracer, x: object, name: object = None) -> Numbered:
    tensor = as_numbered(b, x)
    return binary("atan2", tensor, _apply(1.0 - tensor * tensor, "sqrt"))


@function("acos")
def _acos(b: Tracer, x: object, name: object = None) -> Numbered:
    tensor = as_numbered(b, x)
    return binary("atan2", _apply(1.0 - tensor * tensor, "sqrt"), tensor)


@function("sinh")
def _sinh(b: Tracer, x: object, name: object = None) -> Numbered:
    tensor = as_numbered(b, x)
    # expm1 keeps the digits near zero
    return (_apply(tensor, "expm1") - _apply(-tensor, "expm1")) * 0.5


@function("cosh")
def _cosh(b: Tracer, x: object, name: object = None) -> Numbered:
    tensor = as_numbered(b, x)
    return (_apply(tensor, "exp") + _apply(-tensor, "exp")) * 0.5


@function("asinh")
def _asinh(b: Tracer, x: object, name: object = None) -> Numbered:
    tensor = as_numbered(b, x)
    size = abs(tensor)
    # log(a + sqrt(a a + 1)), written so that small a keep their digits
    beyond = size * size / (_apply(size * size + 1.0, "sqrt") + 1.0)
    return _apply(tensor, "sign") * _apply(size + beyond, "log1p")


@function("atanh")
def _atanh(b: Tracer, x: object, name: object = None) -> Numbered:
    tensor = as_numbered(b, x)
    return (_apply(tensor, "log1p") - _apply(-tensor, "log1p")) * 0.5


@function("erfc")
def _erfc(b: Tracer, x: object, name: object = None) -> Numbered:
    return 1.0 - _apply(as_numbered(b, x), "erf")


@function("xlogy")
def _xlogy(b: Tracer, x: object, y: object, name: object = None) -> Numbered:
    """``x log(y)``, zero where x is."""
    factor = as_numbered(b, x)
    zero = factor == 0.0
    return _call(b, "where", zero, 0.0, factor * _apply(_call(b, "where", zero, 1.0, as_numbered(b, y)), "log"))


@function("multiply_no_nan")
def _multiply_no_nan(b: Tracer, x: object, y: object, name: object = None) -> Numbered:
    """Zero where ``y`` is, whatever ``x`` is."""
    factor = as_numbered(b, y)
    return _call(b, "where", factor == 0.0, 0.0, binary("mul", x, factor))


@function("l2_loss")
def _l2_loss(b: Tracer, t: object, name: object = None) -> Numbered:
    x = as_numbered(b, t)
    return reduced(x * x, "sum", None, False) * 0.5


@function("reduce_euclidean_norm")
def _euclidean_norm(
    b: Tracer, input_tensor: object, axis: object = None, keepdims: object = False, name: object = None
) -> Numbered:
    x = as_numbered(b, input_tensor)
    return _apply(reduced(x * x, "sum", axis, keepdims), "sqrt")


@function("bias_add")
def _bias_add(b: Tracer, value: object, bias: object, data_format: object = None, name: object = None) -> Numbered:
    if data_format is not None and str(data_format).startswith("NC"):
        raise UnsupportedError("bias_add with the features in front")
    return as_numbered(b, value) + as_numbered(b, bias)


@function("check_numerics", "ensure_shape")
def _unchanged(b: Tracer, input: object, *others: object, **options: Any) -> Numbered:
    """What only looks at a tensor."""
    return as_numbered(b, input)


@function("softmax_cross_entropy_with_logits", "softmax_cross_entropy_with_logits_v2")
def _cross_entropy(
    b: Tracer, labels: object = None, logits: object = None, axis: int = -1, name: object = None
) -> Numbered:
    x = as_numbered(b, logits)
    return -reduced(as_numbered(b, labels) * _call(b, "log_softmax", x, axis), "sum", axis, False)


@function("sparse_softmax_cross_entropy_with_logits")
def _sparse_cross_entropy(b: Tracer, labels: object = None, logits: object = None, name: object = None) -> Numbered:
    x = as_numbered(b, logits)
    classes = x.axes[-1]
    if classes is None or classes.size is None:
        raise UnsupportedError("a cross entropy over an axis without a static size")
    target = as_numbered(b, labels)
    chosen = _call(b, "one_hot", target.with_value(b.labels(target.value, classes)), classes.size)
    return -reduced(chosen * _call(b, "log_softmax", x, -1), "sum", -1, False)
