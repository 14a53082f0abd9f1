"""Reading and writing entries by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.op import OpSpec, Precision, Scope, Trait, register
from returnn_ir.ir.signature import DIM, DIMS, Attr
from returnn_ir.ir.types import TensorType, is_integer

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _gather(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """``values`` at ``indices`` along ``dim``; dims that both have are paired up, not crossed.

    Positions outside of the axis read its nearest entry (what a GPU kernel does silently, a CPU kernel must too).
    """
    values, indices = types
    if attrs["dim"] not in values.dims:
        raise IRError(f"gather along {attrs['dim']}, not in {values}")
    if attrs["dim"] in indices.dims:
        raise IRError(f"gather along {attrs['dim']} by indices that have it: rename it first")
    if not is_integer(indices.dtype):
        raise IRError(f"gather by {indices.dtype}")
    at = values.dims.index(attrs["dim"])
    shared = [d for d in values.dims if d in indices.dims]
    new = [d for d in indices.dims if d not in values.dims]
    rest = [d for d in (*values.dims[:at], *new, *values.dims[at + 1 :]) if d not in shared]
    return [values.with_dims((*shared, *rest))]


def _scatter_add(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Zeros of extent ``out``, plus ``values`` at ``indices``; ``dims`` (in both operands) are summed away.

    Indices below zero or beyond the extent are dropped.
    """
    values, indices = types
    missing = [d for d in attrs["dims"] if d not in indices.dims or d not in values.dims]
    if missing:
        raise IRError(f"scatter_add over {missing}, not in both of {values} and {indices}")
    rest = [d for d in (*indices.dims, *values.dims) if d not in attrs["dims"]]
    return [values.with_dims((*dict.fromkeys(rest), attrs["out"]))]


def _masked_select(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The entries where ``mask`` holds, flattened over ``dims`` (row-major) into ``out``."""
    values, mask = types
    if set(mask.dims) != set(attrs["dims"]) or mask.dtype != "bool":
        raise IRError(f"masked_select of {values} by {mask} over {attrs['dims']}")
    return [values.with_dims((attrs["out"], *(d for d in values.dims if d not in attrs["dims"])))]


def _search_sorted(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The position at which each value would be inserted into ``sorted`` (ascending along ``dim``).

    Dims that both have are paired up, not crossed.
    """
    sorted_type, values = types
    if attrs["dim"] not in sorted_type.dims or attrs["dim"] in values.dims:
        raise IRError(f"search_sorted of {values} along {attrs['dim']} in {sorted_type}")
    rows = sorted_type.without([attrs["dim"]]).dims
    return [TensorType("int64", (*rows, *(d for d in values.dims if d not in rows)))]


def _gather_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Values [shared, dim, rest], indices [shared, new]; the result is [shared, new, rest]."""
    values, indices = (t.dims for t in types)
    shared = tuple(d for d in values if d in indices)
    rest = tuple(d for d in values if d not in shared and d is not attrs["dim"])
    return [(*shared, attrs["dim"], *rest), (*shared, *(d for d in indices if d not in shared))]


def _scatter_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Indices [kept, dims], values [those of kept that it has, other, dims]; the result is [kept, other, out]."""
    values, indices = (t.dims for t in types)
    dims = tuple(attrs["dims"])
    kept = tuple(d for d in indices if d not in dims)
    own = tuple(d for d in kept if d in values)
    other = tuple(d for d in values if d not in dims and d not in kept)
    return [(*own, *other, *dims), (*kept, *dims)]


def _select_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Values [dims, rest], mask [dims]."""
    dims = tuple(attrs["dims"])
    return [(*dims, *(d for d in types[0].dims if d not in dims)), dims]


def _search_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """Sorted [rows, dim], values [rows, rest]."""
    rows = types[0].without([attrs["dim"]]).dims
    return [(*rows, attrs["dim"]), (*rows, *(d for d in types[1].dims if d not in rows))]


_VALUES = ("values", "indices")
_READS_TAIL = frozenset({Trait.READS_TAIL})
_MOVES = frozenset({Trait.MOVES})
_FOLLOW = Precision.FOLLOW
register(OpSpec("gather", _VALUES, {"dim": DIM}, _gather, _READS_TAIL | _MOVES, order=_gather_order, precision=_FOLLOW))
register(OpSpec("scatter_add", _VALUES, {"dims": DIMS, "out": DIM}, _scatter_add, order=_scatter_order))
register(
    OpSpec(
        "masked_select",
        ("values", "mask"),
        {"dims": DIMS, "out": DIM},
        _masked_select,
        _MOVES,
        order=_select_order,
        precision=_FOLLOW,
    )
)
_SIDE = Attr(Literal["left", "right"], "left")
register(
    OpSpec("search_sorted", ("sorted", "values"), {"dim": DIM, "side": _SIDE}, _search_sorted, order=_search_order)
)
