"""Ops that rename, move, join, cut and count axes. All address axes by tag.

Windows of positions (slice, pad, window, shift) work on the padded axis as it lies in memory, tails included: that is
what RETURNN computes. ``reverse`` and ragged ``concat`` respect each sequence's own length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import UNIT, Dim
from returnn_ir.ir.op import OpSpec, Precision, Scope, Tail, Trait, broadcast, length_dims, register
from returnn_ir.ir.signature import DIM, DIMS, AtLeast1, Attr
from returnn_ir.ir.types import TensorType
from returnn_ir.options import DType

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]
_READS_TAIL = frozenset({Trait.READS_TAIL})
_FOLLOW = Precision.FOLLOW


def _has(type_: TensorType, *dims: Dim) -> None:
    for dim in dims:
        if dim not in type_.dims:
            raise IRError(f"no axis {dim} in {type_}")


def _lacks(type_: TensorType, *dims: Dim) -> None:
    for dim in dims:
        if dim in type_.dims:
            raise IRError(f"{type_} has the axis {dim} already")


def _replace(type_: TensorType, old: Dim, new: Sequence[Dim]) -> TensorType:
    _has(type_, old)
    rest = type_.without([old])
    _lacks(rest, *new)
    at = type_.dims.index(old)
    return type_.with_dims((*type_.dims[:at], *new, *type_.dims[at + 1 :]))


def _rename(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Other tags for the same axes: ``dims`` is a tuple of (old, new)."""
    mapping = dict(attrs["dims"])
    _has(types[0], *mapping)
    dims = tuple(mapping.get(d, d) for d in types[0].dims)
    if len(set(dims)) != len(dims):
        raise IRError(f"rename would double an axis: {types[0]} by {attrs['dims']}")
    return [types[0].with_dims(dims)]


def _expand(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Repeat along new axes, which come in front."""
    _lacks(types[0], *attrs["dims"])
    return [types[0].with_dims((*attrs["dims"], *types[0].dims))]


def _squeeze(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Drop an axis of size one (its first entry is taken)."""
    _has(types[0], attrs["dim"])
    return [types[0].without([attrs["dim"]])]


def _merge(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Flatten the axes ``dims``, in this order (last fastest), into ``out``."""
    _has(types[0], *attrs["dims"])
    rest = types[0].without(attrs["dims"])
    _lacks(rest, attrs["out"])
    if not scope.positional:
        first = min(types[0].dims.index(d) for d in attrs["dims"])
        kept = [d for d in types[0].dims[:first] if d not in attrs["dims"]]
    else:
        kept = list(types[0].dims[: types[0].dims.index(attrs["dims"][0])])
    return [types[0].with_dims((*kept, attrs["out"], *(d for d in rest.dims if d not in kept)))]


def _split(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The inverse of merge; where ``dim`` is dynamic, the first part is, and the axis is a multiple already."""
    return [_replace(types[0], attrs["dim"], attrs["outs"])]


def _concat(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Join along ``dims[i]`` of operand i; other axes broadcast. Ragged axes: each sequence follows directly."""
    for type_, dim in zip(types, attrs["dims"], strict=True):
        _has(type_, dim)
        if type_.dtype != types[0].dtype:
            raise IRError(f"concat of {type_.dtype} and {types[0].dtype}")
    rest = broadcast(scope, [t.without([d]) for t, d in zip(types, attrs["dims"], strict=True)])
    ragged = length_dims(scope, attrs["dims"]) if attrs["ragged"] else []
    rest = (*rest, *(d for d in ragged if d not in rest))
    if attrs["out"] in rest:
        raise IRError(f"concat gives the axis {attrs['out']}, which an operand has already")
    longest = max(range(len(types)), key=lambda i: len(types[i].dims))
    at = types[longest].dims.index(attrs["dims"][longest])
    sparse = types[0].sparse_dim
    return [TensorType(types[0].dtype, (*rest[:at], attrs["out"], *rest[at:]), sparse)]


def _pad(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Add ``left`` and ``right`` entries (mode constant, reflect, symmetric, replicate).

    ``ragged``: the right ones come directly behind each sequence instead of behind the padded axis; mirrored frames are
    those of the sequence, and behind the padding come zeros (mode constant: the value).
    """
    return [_replace(types[0], attrs["dim"], (attrs["out"],))]


def _slice(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Entries ``start, start+step, ...`` up to ``end`` (None: the end) of the padded axis; negatives as in Python."""
    return [_replace(types[0], attrs["dim"], (attrs["out"],))]


def _sections(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The inverse of concat: a static axis cut into parts, one result each. As slices, n gradients of its full size."""
    dim, outs = attrs["dim"], attrs["outs"]
    known = [out.size for out in outs if out.size is not None]
    if len(known) < len(outs) or sum(known) != dim.size:
        raise IRError(f"sections {', '.join(map(str, outs))} do not make up the axis {dim}")
    return [_replace(types[0], dim, (out,)) for out in outs]


def _resize_axis(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The same frames on an axis with other lengths: cut, or filled up with zeros, to the extent of ``out``."""
    return [_replace(types[0], attrs["dim"], (attrs["out"],))]


def _reverse(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Each sequence backwards (``ragged``; frames behind the end stay), or the whole axis."""
    _has(types[0], attrs["dim"])
    extra = length_dims(scope, [attrs["dim"]]) if attrs["ragged"] else []
    dims = types[0].dims
    return [types[0].with_dims((*dims, *(d for d in extra if d not in dims)))]


def _window(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """``out[t, w] = x[t * stride + w * dilation - left]``, zero outside of the padded axis.

    The dim ``window`` (w) stands behind ``out`` (t).
    """
    return [_replace(types[0], attrs["dim"], (attrs["out"], attrs["window"]))]


def _iota(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The positions on an axis, from 0; with ``sparse`` as labels of it."""
    return [TensorType(attrs["dtype"], (attrs["dim"],), attrs["dim"] if attrs["sparse"] else None)]


def _length(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The lengths of a dim, one per sequence where they differ."""
    return [TensorType("int64", tuple(length_dims(scope, [attrs["dim"]])))]


def _extent(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The extent of an axis in memory, a scalar."""
    return [TensorType("int64")]


def _mask(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Which frames along a dim are valid."""
    dims = length_dims(scope, [attrs["dim"]])
    return [TensorType("bool", (*dims, attrs["dim"]))]


def _size_of(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The extent in memory of an axis of the operand: how the batch extent enters the graph."""
    _has(types[0], attrs["dim"])
    return [TensorType("int64")]


def _transpose(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The axes in the order ``dims``; ``UNIT`` inserts an axis of size one."""
    if {d for d in attrs["dims"] if d is not UNIT} != {d for d in types[0].dims if d is not UNIT}:
        raise IRError(f"transpose of {types[0]} to other axes {attrs['dims']}")
    return [types[0].with_dims(attrs["dims"])]


def _adjacent(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """merge: the axes side by side, behind all others if one of them is there, else where the first of them is."""
    dims = types[0].dims
    if dims[-1] in attrs["dims"]:
        return [(*(d for d in dims if d not in attrs["dims"]), *attrs["dims"])]
    at = min(dims.index(d) for d in attrs["dims"])
    before = [d for d in dims[:at] if d not in attrs["dims"]]
    after = [d for d in dims[at:] if d not in attrs["dims"]]
    return [(*before, *attrs["dims"], *after)]


def _alike(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """concat: every operand in the order of the one with the most axes, missing axes to be expanded."""
    longest = max(range(len(types)), key=lambda i: len(types[i].dims))
    model = list(types[longest].dims)
    own = attrs["dims"][longest]
    for type_, dim in zip(types, attrs["dims"], strict=True):
        model[:0] = [d for d in type_.dims if d not in model and d is not dim]
    return [tuple(dim if d is own else d for d in model) for dim in attrs["dims"]]


_X = ("x",)
_TO = {"dim": DIM, "out": DIM}
_MOVES = frozenset({Trait.MOVES})
_MOVES_TAILS = _MOVES | _READS_TAIL
register(OpSpec("rename", _X, {"dims": Attr(tuple[tuple[Dim, Dim], ...])}, _rename, _MOVES, precision=_FOLLOW))
register(OpSpec("expand", _X, {"dims": DIMS}, _expand, _MOVES, precision=_FOLLOW))
register(OpSpec("squeeze", _X, {"dim": DIM}, _squeeze, _MOVES, precision=_FOLLOW))
register(OpSpec("merge", _X, {"dims": DIMS, "out": DIM}, _merge, _MOVES, order=_adjacent, precision=_FOLLOW))
register(OpSpec("split", _X, {"dim": DIM, "outs": DIMS}, _split, _MOVES_TAILS, precision=_FOLLOW))
register(
    OpSpec(
        "concat",
        ("values+",),
        {"dims": DIMS, "out": DIM, "ragged": Attr(bool, False)},
        _concat,
        frozenset({Trait.JOINS}),
        Tail.ZERO,
        order=_alike,
        precision=_FOLLOW,
    )
)
_PAD = {
    **_TO,
    "left": Attr(int, 0),
    "right": Attr(int, 0),
    "mode": Attr(Literal["constant", "reflect", "symmetric", "replicate"], "constant"),
    "value": Attr(bool | float, 0.0),
    "ragged": Attr(bool, False),
}
_SLICE = {**_TO, "start": Attr(int | None, 0), "end": Attr(int | None, None), "step": Attr(int, 1)}
_WINDOW = {**_TO, "window": DIM, "left": Attr(int, 0), "stride": Attr(AtLeast1, 1), "dilation": Attr(AtLeast1, 1)}
_IOTA = {"dim": DIM, "dtype": Attr(DType, "int64"), "sparse": Attr(bool, False)}
register(OpSpec("pad", _X, _PAD, _pad, _READS_TAIL, precision=_FOLLOW))
register(OpSpec("slice", _X, _SLICE, _slice, _MOVES_TAILS, precision=_FOLLOW))
register(OpSpec("sections", _X, {"dim": DIM, "outs": DIMS}, _sections, _MOVES, precision=_FOLLOW))
register(OpSpec("resize_axis", _X, _TO, _resize_axis, _MOVES_TAILS, precision=_FOLLOW))
register(OpSpec("reverse", _X, {"dim": DIM, "ragged": Attr(bool, True)}, _reverse, _MOVES, precision=_FOLLOW))
register(OpSpec("window", _X, _WINDOW, _window, _MOVES_TAILS, precision=_FOLLOW))
register(OpSpec("iota", (), _IOTA, _iota))
register(OpSpec("length", (), {"dim": DIM}, _length))
register(OpSpec("extent", (), {"dim": DIM}, _extent))
register(OpSpec("mask", (), {"dim": DIM}, _mask))
register(OpSpec("size_of", _X, {"dim": DIM}, _size_of, precision=_FOLLOW))
register(OpSpec("transpose", _X, {"dims": DIMS}, _transpose, _MOVES | {Trait.TARGET_ONLY}, precision=_FOLLOW))
