"""Elementwise ops: the result has the union of the operands' dims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.op import OpSpec, Precision, Scope, Trait, broadcast, register
from returnn_ir.ir.signature import DIMS, AtLeast1, Attr, ElementType
from returnn_ir.ir.types import TensorType, is_float, is_integer, promote

__all__: list[str] = []

Dtype = Callable[[Sequence[str]], str]


def _same(dtypes: Sequence[str]) -> str:
    return dtypes[0]


def _float(dtypes: Sequence[str]) -> str:
    if not is_float(dtypes[0]):
        raise IRError(f"needs a float operand, received {dtypes[0]}")
    return dtypes[0]


def _bool(dtypes: Sequence[str]) -> str:
    return "bool"


def _logical(dtypes: Sequence[str]) -> str:
    if any(d != "bool" for d in dtypes):
        raise IRError(f"needs bool operands, received {', '.join(dtypes)}")
    return "bool"


def _promoted(dtypes: Sequence[str]) -> str:
    result = dtypes[0]
    for dtype in dtypes[1:]:
        result = promote(result, dtype)
    if any(d != result for d in dtypes):
        raise IRError(f"operands of different element types {', '.join(dtypes)}; the builder casts them")
    return result


def _magnitude(dtypes: Sequence[str]) -> str:
    return "float32" if dtypes[0] == "complex64" else dtypes[0]


def _parts(dtypes: Sequence[str]) -> str:
    if any(d != "float32" for d in dtypes):
        raise IRError(f"needs float32 operands, received {', '.join(dtypes)}")
    return "complex64"


def _part(dtypes: Sequence[str]) -> str:
    if dtypes[0] != "complex64":
        raise IRError(f"needs a complex64 operand, received {dtypes[0]}")
    return "float32"


def _second(dtypes: Sequence[str]) -> str:
    if dtypes[0] != "bool" or dtypes[1] != dtypes[2]:
        raise IRError(f"where needs (bool, t, t), received {', '.join(dtypes)}")
    return dtypes[1]


def _elementwise(
    name: str,
    operands: tuple[str, ...],
    dtype: Dtype,
    *further: Trait,
    keeps_labels: bool = False,
    commutative: bool = False,
    island: bool = False,
) -> OpSpec:
    def infer(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
        result = dtype([t.dtype for t in types])
        labels = (
            [t.sparse_dim for t in types if t.sparse_dim is not None] if keeps_labels and is_integer(result) else []
        )
        return [TensorType(result, broadcast(scope, types), labels[0] if labels else None)]

    traits = {Trait.ELEMENTWISE, *further} | ({Trait.COMMUTATIVE} if commutative else set())
    precision = Precision.ISLAND if island else Precision.FOLLOW
    return register(OpSpec(name, operands, {}, infer, frozenset(traits), precision=precision))


_X = ("x",)
_XY = ("x", "y")
for _name in ("neg", "sign"):
    _elementwise(_name, _X, _same, keeps_labels=True)
_elementwise("abs", _X, _magnitude, keeps_labels=True)
_elementwise("complex", ("real", "imag"), _parts, island=True)
for _name in ("real", "imag"):
    _elementwise(_name, _X, _part, island=True)
for _name in ("sqrt", "tanh", "sigmoid", "erf"):
    _elementwise(_name, _X, _float)
# the results of large operands are too large, and the operands are sums or positions
for _name in ("exp", "log", "log1p", "expm1", "rsqrt", "sin", "cos", "softplus"):
    _elementwise(_name, _X, _float, island=True)
for _name in ("floor", "ceil", "round"):
    _elementwise(_name, _X, _float)
_elementwise("is_finite", _X, _bool)
_elementwise("is_nan", _X, _bool)
_elementwise("logical_not", _X, _logical)
for _name in ("add", "mul", "maximum", "minimum"):
    _elementwise(_name, _XY, _promoted, keeps_labels=True, commutative=True)
_elementwise("sub", _XY, _promoted, keeps_labels=True)
for _name in ("floordiv", "mod"):
    # they round towards minus infinity, as in Python
    _elementwise(_name, _XY, _promoted, keeps_labels=True, island=True)
# of integers, div cuts the quotient off towards zero and gives 0 for a division by 0
_elementwise("div", _XY, _promoted)
_elementwise("pow", ("base", "exponent"), _promoted, island=True)
_elementwise("atan2", ("y", "x"), _promoted, island=True)
for _name in ("equal", "not_equal"):
    _elementwise(_name, _XY, _bool, commutative=True, island=True)
for _name in ("less", "less_equal", "greater", "greater_equal"):
    _elementwise(_name, _XY, _bool, island=True)
for _name in ("logical_and", "logical_or"):
    _elementwise(_name, _XY, _logical, commutative=True)
_elementwise("where", ("condition", "x", "y"), _second, Trait.JOINS, keeps_labels=True)
_elementwise("stop_gradient", _X, _same, Trait.MOVES, keeps_labels=True)


def _infer_cast(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """The same numbers with another element type."""
    labels = types[0].sparse_dim if is_integer(attrs["dtype"]) else None
    return [TensorType(attrs["dtype"], types[0].dims, labels)]


def _infer_set_sparse(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """The same numbers read as labels of another dim, or as plain numbers (``sparse_dim`` none)."""
    return [TensorType(types[0].dtype, types[0].dims, attrs["sparse_dim"])]


_ENTRY_BY_ENTRY = frozenset({Trait.ELEMENTWISE, Trait.MOVES})
_CAST = {"dtype": Attr(ElementType)}
_FOLLOW = Precision.FOLLOW
register(OpSpec("cast", _X, _CAST, _infer_cast, frozenset({Trait.ELEMENTWISE}), precision=_FOLLOW))
register(
    OpSpec("set_sparse", _X, {"sparse_dim": Attr(Dim | None)}, _infer_set_sparse, _ENTRY_BY_ENTRY, precision=_FOLLOW)
)


def _infer_label_index(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """The same numbers, about to index ``labels`` entries: one outside of 0 to labels - 1 in a valid frame is an error.

    Positions on an axis are no labels: ``gather`` reads the nearest entry for one outside.
    """
    if not is_integer(types[0].dtype):
        raise IRError(f"{types[0]} as one of {attrs['labels']} labels")
    return [TensorType(types[0].dtype, types[0].dims)]


_LABELS = {"labels": Attr(AtLeast1)}
register(OpSpec("label_index", _X, _LABELS, _infer_label_index, _ENTRY_BY_ENTRY, precision=_FOLLOW))


def _infer_scale_gradient(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """Identity; the gradient is multiplied by ``scale``, plus ``shift``."""
    return [types[0]]


_SCALE = {"scale": Attr(float, 1.0), "shift": Attr(float, 0.0)}
register(OpSpec("scale_gradient", _X, _SCALE, _infer_scale_gradient, _ENTRY_BY_ENTRY, precision=_FOLLOW))


def _infer_adjust_gradient(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """Identity; the gradient ``g`` becomes ``g * scale + shift``.

    With ``sum_over`` the shift is multiplied by the sum of ``|g|`` over that dim; with ``clip_over`` the result is
    clipped to the largest ``|g|`` over that one.
    """
    over = [attrs[key] for key in ("sum_over", "clip_over") if attrs[key] is not None]
    missing = [dim for dim in (*types[1].dims, *types[2].dims, *over) if dim not in types[0].dims]
    if missing:
        raise IRError(f"the gradient of {types[0]} has no axis {missing[0]}")
    return [types[0]]


_OVER = {"sum_over": Attr(Dim | None, None), "clip_over": Attr(Dim | None, None)}
register(OpSpec("adjust_gradient", ("x", "scale", "shift"), _OVER, _infer_adjust_gradient))


def _infer_filter_gradient(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """Identity; the gradient ``g`` is zero where the largest ``g * g`` over ``dims`` is not below ``threshold``."""
    missing = [dim for dim in attrs["dims"] if dim not in types[0].dims]
    if missing:
        raise IRError(f"the gradient of {types[0]} has no axis {missing[0]}")
    return [types[0]]


register(OpSpec("filter_gradient", _X, {"dims": DIMS, "threshold": Attr(float)}, _infer_filter_gradient))
