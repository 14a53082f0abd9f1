"""Reductions. Over a dynamic dim they mean the valid frames only, unless ``mask=False``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.op import OpSpec, Scope, Trait, length_dims, register
from returnn_ir.ir.signature import DIM, DIMS, Attr
from returnn_ir.ir.types import TensorType, is_float

__all__ = ["REDUCE_KINDS", "highest", "lowest"]

_Kind = Literal["sum", "mean", "max", "min", "prod", "any", "all", "logsumexp"]
REDUCE_KINDS: tuple[str, ...] = get_args(_Kind)

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _reduced(scope: Scope, type_: TensorType, dims: Sequence[Any], mask: bool) -> TensorType:
    missing = [d for d in dims if d not in type_.dims]
    if missing:
        raise IRError(f"no axis {missing} in {type_}")
    brought = length_dims(scope, dims) if mask else []
    all_dims = (*type_.dims, *(d for d in brought if d not in type_.dims))
    return type_.with_dims(all_dims).without(dims)


def lowest(dtype: str) -> float:
    """The finite neutral element of a maximum: -inf would make an empty softmax NaN, and kernels differ in it."""
    if dtype == "bool":
        return False
    return float(np.finfo(dtype).min) if is_float(dtype) else int(np.iinfo(dtype).min)


def highest(dtype: str) -> float:
    """The finite neutral element of a minimum."""
    if dtype == "bool":
        return True
    return float(np.finfo(dtype).max) if is_float(dtype) else int(np.iinfo(dtype).max)


def _neutral(dtype: str, attrs: Attrs) -> float | bool:
    kind = attrs["kind"]
    if kind in ("any", "all"):
        return bool(kind == "all")
    if kind in ("max", "logsumexp"):
        return -np.inf if kind == "logsumexp" else lowest(dtype)
    if kind == "min":
        return highest(dtype)
    return 1 if kind == "prod" else 0


def _reduce(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """All entries over ``dims`` in one."""
    return [_reduced(scope, types[0], attrs["dims"], attrs["mask"])]


def _arg_reduce(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The position of the extreme entry over ``dim``, as a label of it."""
    reduced = _reduced(scope, types[0], [attrs["dim"]], attrs["mask"])
    return [TensorType("int64", reduced.dims, attrs["dim"])]


def _cumsum(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Sums of all entries so far along ``dim`` (``exclusive``: without the own one; ``reverse``: from the end)."""
    _reduced(scope, types[0], [attrs["dim"]], mask=False)
    return [types[0]]


def _top_k(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The k largest entries over ``dim`` and their positions; of equal ones the lower position first."""
    dims = (*_reduced(scope, types[0], [attrs["dim"]], attrs["mask"]).dims, attrs["k"])
    return [types[0].with_dims(dims), TensorType("int64", dims, attrs["dim"])]


def _argsort(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Positions that sort ``dim`` (stable); ``ragged``: those behind a sequence's end come last, else all are alike."""
    _reduced(scope, types[0], [attrs["dim"]], mask=False)
    return [TensorType("int64", types[0].dims, attrs["dim"])]


def _last(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """top_k: the searched axis last."""
    return [(*(d for d in types[0].dims if d is not attrs["dim"]), attrs["dim"])]


_X = ("x",)
_MASKED = frozenset({Trait.MASKED})
_MASK = Attr(bool, True, "valid frames only")
_OVER = {"dim": DIM, "mask": _MASK}

register(OpSpec("reduce", _X, {"kind": Attr(_Kind), "dims": DIMS, "mask": _MASK}, _reduce, _MASKED, neutral=_neutral))
register(OpSpec("argmax", _X, _OVER, _arg_reduce, _MASKED, neutral=lambda dtype, _: lowest(dtype)))
register(OpSpec("argmin", _X, _OVER, _arg_reduce, _MASKED, neutral=lambda dtype, _: highest(dtype)))
register(OpSpec("cumsum", _X, {"dim": DIM, "reverse": Attr(bool, False), "exclusive": Attr(bool, False)}, _cumsum))
register(
    OpSpec(
        "top_k",
        _X,
        {"dim": DIM, "k": DIM, "mask": _MASK},
        _top_k,
        _MASKED,
        neutral=lambda dtype, _: lowest(dtype),
        order=_last,
    )
)
register(OpSpec("argsort", _X, {"dim": DIM, "descending": Attr(bool, False), "ragged": Attr(bool, True)}, _argsort))
