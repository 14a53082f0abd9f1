"""Elementwise ops. Their operands are aligned in the TARGET stage, so that ONNX's broadcasting does the rest."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

from compiler.onnx.dtypes import carrier
from compiler.onnx.profile import Format, Provider
from compiler.onnx.registry import Check, Emit, emits
from returnn_ir.ir.graph import Node, Region
from returnn_ir.ir.types import is_float, is_integer

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__ = ["needs"]

_DIRECT = {
    "neg": "Neg",
    "abs": "Abs",
    "sign": "Sign",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "sin": "Sin",
    "cos": "Cos",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "softplus": "Softplus",
    "erf": "Erf",
    "floor": "Floor",
    "ceil": "Ceil",
    "round": "Round",
    "sub": "Sub",
    "pow": "Pow",
}
_COMPARISONS = {
    "less": "Less",
    "less_equal": "LessOrEqual",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "equal": "Equal",
}
#: Arithmetic on bools, where 1 + 1 is 1.
_LOGIC = {"add": "Or", "mul": "And", "maximum": "Or", "minimum": "And"}


def needs(op_type: str) -> Check:
    """A check that onnxruntime has a kernel for the first operand's element type."""

    def check(node: Node, region: Region, format_: Format) -> str | None:
        dtype = node.operands[0].dtype
        return None if carrier(op_type, dtype) else f"onnxruntime has no {op_type} kernel for {dtype}"

    return check


def _direct(op_type: str) -> Emit:
    def emit(e: Emitter, node: Node) -> list[str]:
        return [e.typed(op_type, node.operands[0].dtype, *e.operands(node))]

    return emit


def _logic_or(op_type: str, logic: str) -> Emit:
    def emit(e: Emitter, node: Node) -> list[str]:
        if node.result.dtype == "bool":
            return [e.op(logic, *e.operands(node))]
        return [e.typed(op_type, node.operands[0].dtype, *e.operands(node))]

    return emit


def _comparison(op_type: str) -> Emit:
    def emit(e: Emitter, node: Node) -> list[str]:
        return [e.typed(op_type, node.operands[0].dtype, *e.operands(node), result="bool")]

    return emit


for _name, _type in _DIRECT.items():
    emits(_name, check=needs(_type))(_direct(_type))
for _name, _type in (("add", "Add"), ("mul", "Mul"), ("maximum", "Max"), ("minimum", "Min")):
    emits(_name)(_logic_or(_type, _LOGIC[_name]))
for _name, _type in _COMPARISONS.items():
    emits(_name)(_comparison(_type))


@emits("not_equal")
def _not_equal(e: Emitter, node: Node) -> list[str]:
    return [e.op("Not", e.op("Equal", *e.operands(node)))]


@emits("logical_not")
def _not(e: Emitter, node: Node) -> list[str]:
    return [e.op("Not", *e.operands(node))]


@emits("logical_and")
def _and(e: Emitter, node: Node) -> list[str]:
    return [e.op("And", *e.operands(node))]


@emits("logical_or")
def _or(e: Emitter, node: Node) -> list[str]:
    return [e.op("Or", *e.operands(node))]


@emits("where")
def _where(e: Emitter, node: Node) -> list[str]:
    condition, a, b = e.operands(node)
    return [e.where(condition, a, b, node.result.dtype)]


@emits("stop_gradient", "scale_gradient", "set_sparse", "label_index")
def _same(e: Emitter, node: Node) -> list[str]:
    return e.operands(node)


@emits("adjust_gradient", "filter_gradient")
def _first(e: Emitter, node: Node) -> list[str]:
    return [e[node.operands[0]]]


@emits("cast")
def _cast(e: Emitter, node: Node) -> list[str]:
    return [e.cast(e[node.operands[0]], node.operands[0].dtype, node.attrs["dtype"])]


# -------------------------------------------------------------------- division


def _floats_only(node: Node, region: Region, format_: Format) -> str | None:
    dtype = node.result.dtype
    return None if is_float(dtype) else f"true division of {dtype} has no meaning here; floordiv rounds down"


@emits("div", check=_floats_only)
def _div(e: Emitter, node: Node) -> list[str]:
    return [e.op("Div", *e.operands(node))]


def _no_bools(node: Node, region: Region, format_: Format) -> str | None:
    return "division of bools" if node.result.dtype == "bool" else None


@emits("floordiv", check=_no_bools)
def _floordiv(e: Emitter, node: Node) -> list[str]:
    a, b = e.operands(node)
    if not is_integer(node.result.dtype):
        return [e.op("Floor", e.op("Div", a, b))]
    if all(e.trace.sources(v).made is not None for v in node.operands):  # nothing negative, where Div rounds up
        return [e.op("Div", a, b)]
    return [e.floordiv(a, b)]


@emits("mod", check=_no_bools)
def _mod(e: Emitter, node: Node) -> list[str]:
    a, b = e.operands(node)
    if is_integer(node.result.dtype):
        return [e.op("Mod", a, b)]
    # fmod has the dividend's sign; where it differs from the divisor's, one divisor more has Python's
    dtype = node.result.dtype
    zero = e.constant(0, dtype)
    remainder = e.op("Mod", a, b, fmod=1)
    differs = e.op("Xor", e.op("Less", remainder, zero), e.op("Less", b, zero))
    wrong = e.op("And", e.op("Not", e.op("Equal", remainder, zero)), differs)
    return [e.op("Where", wrong, e.op("Add", remainder, b), remainder)]


# -------------------------------------------------------------------- functions that ONNX has no operator for


@emits("rsqrt")
def _rsqrt(e: Emitter, node: Node) -> list[str]:
    return [e.op("Reciprocal", e.op("Sqrt", *e.operands(node)))]


@emits("log1p")
def _log1p(e: Emitter, node: Node) -> list[str]:
    """log(u) * x / (u - 1) with u = 1 + x rounded: the roundings cancel (Kahan)."""
    (x,), dtype = e.operands(node), node.result.dtype
    one = e.constant(1, dtype)
    u = e.op("Add", x, one)
    log = e.op("Log", u)
    corrected = e.op("Mul", log, e.op("Div", x, e.op("Sub", u, one)))
    large = e.op("Where", e.op("IsInf", u), log, corrected)
    return [e.op("Where", e.op("Equal", u, one), x, large)]


@emits("expm1")
def _expm1(e: Emitter, node: Node) -> list[str]:
    return [expm1(e, e[node.operands[0]], node.result.dtype)]


def expm1(e: Emitter, x: str, dtype: str) -> str:
    """exp(x) - 1, near zero as 2 tanh(x/2) / (1 - tanh(x/2)), where nothing cancels."""
    one, half = e.constant(1, dtype), e.constant(0.5, dtype)
    tanh = e.op("Tanh", e.op("Mul", x, half))
    near = e.op("Div", e.op("Add", tanh, tanh), e.op("Sub", one, tanh))
    far = e.op("Sub", e.op("Exp", x), one)
    return e.op("Where", e.op("Less", e.op("Abs", x), half), near, far)


@emits("is_nan")
def _is_nan(e: Emitter, node: Node) -> list[str]:
    x = node.operands[0]
    return [e.op("IsNaN", e[x]) if is_float(x.dtype) else _everywhere(e, node, False)]


@emits("is_finite")
def _is_finite(e: Emitter, node: Node) -> list[str]:
    x = node.operands[0]
    if not is_float(x.dtype):
        return [_everywhere(e, node, True)]
    return [e.op("Not", e.op("Or", e.op("IsInf", e[x]), e.op("IsNaN", e[x])))]


def _everywhere(e: Emitter, node: Node, value: bool) -> str:
    return e.op("Expand", e.constant(value, "bool"), e.op("Shape", e[node.operands[0]]))


#: (atan(u) / u - 1) / u² by powers of u², for |u| up to tan(pi / 8): within 2e-8 of the angle, fitted by weighted least
#: squares with the largest errors weighing most.
_ATAN = (-0.3333294913815755, 0.19977710010268604, -0.13877678587053505, 0.08053722257950158)


def _atan(e: Emitter, x: str, dtype: str) -> str:
    """The angle of a slope; CUDA has no kernel for it.

    There it is computed from half the angle a of |x| or its inverse, whichever is below one:
    tan(a / 2) = s / (1 + sqrt(1 + s²)).
    In float32 this is as exact as the operator, to four units in the last place.
    """
    if e.format.provider is not Provider.CUDA:
        return e.op("Atan", x)
    one = e.constant(1, dtype)
    size = e.op("Abs", x)
    steep = e.op("Greater", size, one)
    slope = e.op("Where", steep, e.op("Reciprocal", size), size)
    half = e.op("Div", slope, e.op("Add", e.op("Sqrt", e.op("Add", e.op("Mul", slope, slope), one)), one))
    square = e.op("Mul", half, half)
    *rest, series = [e.constant(2 * factor, dtype) for factor in _ATAN]
    for factor in reversed(rest):
        series = e.op("Add", e.op("Mul", series, square), factor)
    angle = e.op("Add", e.op("Mul", e.op("Mul", series, square), half), e.op("Add", half, half))
    angle = e.op("Where", steep, e.op("Sub", e.constant(pi / 2, dtype), angle), angle)
    return e.op("Mul", angle, e.op("Sign", x))


@emits("atan2", check=needs("Atan"))
def _atan2(e: Emitter, node: Node) -> list[str]:
    """The angle of (x, y): atan(y / x), turned by pi on the left, a quarter turn on the axis, zero at the origin."""
    y, x = e.operands(node)
    dtype = node.result.dtype
    zero = e.constant(0, dtype)
    below = e.op("Less", y, zero)
    turn = e.op("Where", below, e.constant(-pi, dtype), e.constant(pi, dtype))
    angle = _atan(e, e.op("Div", y, x), dtype)
    angle = e.op("Where", e.op("Less", x, zero), e.op("Add", angle, turn), angle)
    at_origin = e.op("And", e.op("Equal", x, zero), e.op("Equal", y, zero))
    return [e.op("Where", at_origin, zero, angle)]
