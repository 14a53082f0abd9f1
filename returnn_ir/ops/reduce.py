"""Reductions. Over a dynamic dim they mean the valid frames only, unless ``mask=False``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.op import OpSpec, Scope, Trait, length_dims, register
from returnn_ir.ir.types import TensorType, is_float

__all__ = ["REDUCE_KINDS", "highest", "lowest"]

REDUCE_KINDS = ("sum", "mean", "max", "min", "prod", "any", "all", "logsumexp")

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
    return float(np.finfo(dtype).min) if is_float(dtype) else int(np.iinfo(dtype).min)


def highest(dtype: str) -> float:
    """The finite neutral element of a minimum."""
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
    if attrs["kind"] not in REDUCE_KINDS:
        raise IRError(f"no reduction {attrs['kind']!r}")
    return [_reduced(scope, types[0], attrs["dims"], attrs["mask"])]


def _arg_reduce(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    reduced = _reduced(scope, types[0], [attrs["dim"]], attrs["mask"])
    return [TensorType("int64", reduced.dims, attrs["dim"])]


def _cumsum(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
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


_MASKED = frozenset({Trait.MASKED})

register(OpSpec("reduce", 1, {"kind": ..., "dims": ..., "mask": True}, _reduce, _MASKED, neutral=_neutral))
register(OpSpec("argmax", 1, {"dim": ..., "mask": True}, _arg_reduce, _MASKED, neutral=lambda dtype, _: lowest(dtype)))
register(OpSpec("argmin", 1, {"dim": ..., "mask": True}, _arg_reduce, _MASKED, neutral=lambda dtype, _: highest(dtype)))
register(OpSpec("cumsum", 1, {"dim": ..., "reverse": False, "exclusive": False}, _cumsum))
register(
    OpSpec(
        "top_k",
        1,
        {"dim": ..., "k": ..., "mask": True},
        _top_k,
        _MASKED,
        neutral=lambda dtype, _: lowest(dtype),
        order=_last,
    )
)
register(OpSpec("argsort", 1, {"dim": ..., "descending": False, "ragged": True}, _argsort))
