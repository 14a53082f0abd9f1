"""RETURNN's axis strings: the one place that turns "T", "static:-1" or "stag:enc" into dims."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from returnn_ir.axes.output import LayerOutput
from returnn_ir.behavior import Behavior
from returnn_ir.errors import DimError, Origin
from returnn_ir.ir.dims import Dim

__all__ = ["AxisSpec", "resolve_axes", "resolve_axis", "spatial_axes"]

AxisSpec = "str | int | Dim | Sequence[AxisSpec] | None"
#: What dims are called besides their descriptions.
Names = Mapping[Dim, Collection[str]]
_NO_NAMES: Names = {}

_INDEXED = re.compile(r"(s|spatial|d|dyn|dynamic|static|except_batch):(-?\d+)$")
_GRAMMAR = (
    "B, T, T?, F, spatial, S:i, dyn, D:i, static, static:i, dim:N, spatial_except_time, except_time, except_batch, "
    "except_batch:i, stag:NAME, stag-single:i:NAME, tag:NAME, *, a combination such as 'bt', a Dim, or a list of these"
)


def spatial_axes(x: LayerOutput) -> list[Dim]:
    """All axes but batch and feature; a dynamic feature axis, or one that is the time axis too, counts as spatial."""
    return [d for d in x.axes if not d.is_batch and (d is not x.feature_dim or d is x.time_dim or not d.is_static)]


def resolve_axes(
    x: LayerOutput, spec: object, behavior: Behavior, where: Origin | None = None, *, names: Names = _NO_NAMES
) -> list[Dim]:
    """The axes of ``x`` that ``spec`` names, each once, in the order of the description; ``names``: what else a dim
    is called.

    >>> from returnn_ir.ir.dims import BATCH
    >>> from returnn_ir.ir.graph import Value
    >>> from returnn_ir.ir.types import TensorType
    >>> time, heads, feature = Dim("T"), Dim("heads", 8), Dim("F", 64, feature=True)
    >>> axes = (BATCH, time, heads, feature)
    >>> x = LayerOutput.of(Value(TensorType("float32", axes)), axes)
    >>> for spec in ("T", "bt", "F", "spatial", "except_time", "stag:heads", "dim:8", heads, ["F", "T"]):
    ...     print(spec, resolve_axes(x, spec, Behavior.of(21)))
    T [T(dynamic)]
    bt [B(batch), T(dynamic)]
    F [F(64)]
    spatial [T(dynamic), heads(8)]
    except_time [heads(8), F(64)]
    stag:heads [heads(8)]
    dim:8 [heads(8)]
    heads(8) [heads(8)]
    ['F', 'T'] [F(64), T(dynamic)]

    Raises:
        DimError: nothing matches, or the description is not in the grammar or not allowed by the behaviour version.
    """
    if spec is None or spec == "":
        return []
    if isinstance(spec, Dim):
        if spec.is_batch and x.batch_dim is not None:
            return [x.batch_dim]  # any batch axis, merged ones too
        return [_same_axis(x, spec, where)]
    if isinstance(spec, bool) or not isinstance(spec, (str, int, list, tuple, set, frozenset)):
        raise DimError("not an axis description", where=where, expected=_GRAMMAR, received=repr(spec))
    if isinstance(spec, int):
        if not behavior.integer_axes:
            raise DimError(
                f"integer axis {spec} is not allowed from behavior_version 5 on", where=where, expected=_GRAMMAR
            )
        return [_indexed(x, list(x.axes), spec, str(spec), where)]
    if isinstance(spec, str):
        return _resolve_string(x, spec, behavior, where, names)
    found = [d for part in spec for d in resolve_axes(x, part, behavior, where, names=names)]
    return list(dict.fromkeys(found))


def _same_axis(x: LayerOutput, dim: Dim, where: Origin | None) -> Dim:
    """The axis that is ``dim``; of several copies of it, the one with the highest priority."""
    same = [d for d in x.axes if d.base is dim.base]
    if not same:
        raise _no_axis(x, dim, where)
    best = max(d.match_priority for d in same)
    first, *others = [d for d in same if d.match_priority == best]
    if others:
        raise DimError(
            f"several axes are {dim}",
            where=where,
            received=_describe(x, x.axes),
            hint="Dim.copy(match_priority=1) makes one of them the one that is meant",
        )
    return first


def resolve_axis(
    x: LayerOutput, spec: object, behavior: Behavior, where: Origin | None = None, *, names: Names = _NO_NAMES
) -> Dim:
    """The one axis that ``spec`` names."""
    found = resolve_axes(x, spec, behavior, where, names=names)
    if len(found) != 1:
        raise DimError(
            f"axis {spec!r} is not exactly one axis", where=where, expected="one axis", received=_describe(x, found)
        )
    return found[0]


def _resolve_string(x: LayerOutput, spec: str, behavior: Behavior, where: Origin | None, names: Names) -> list[Dim]:
    name = spec.lower()
    groups = {
        "spatial": spatial_axes(x),
        "dyn": [d for d in x.axes if d.is_dynamic],
        "static": [d for d in x.axes if d.is_static],
        "except_batch": [d for d in x.axes if not d.is_batch],
        "except_time": [d for d in x.axes if not d.is_batch and d is not x.time_dim],
        "spatial_except_time": [d for d in spatial_axes(x) if d is not x.time_dim],
        "*": list(x.axes),
        "t?": [x.time_dim] if x.time_dim is not None else [],
    }
    groups["dynamic"] = groups["d"] = groups["dyn"]
    groups["s"] = groups["spatial"]
    if name == "spatial_except_time":
        _present(x, x.time_dim, spec, where)
    if name in groups and name not in ("s", "d"):
        return groups[name]
    singles = {"b": x.batch_dim, "batch": x.batch_dim, "t": x.time_dim, "time": x.time_dim}
    if name in ("f", "feature", "non_spatial"):
        return [x.feature_dim] if x.feature_dim is not None else []
    if name in singles:
        return [_present(x, singles[name], spec, where)]
    indexed = _INDEXED.match(name)
    if indexed:
        if not behavior.order_dependent_axes:
            raise DimError(
                f"axis {spec!r} depends on the order of the axes, which is not allowed from behavior_version 7 on",
                where=where,
                hint="name the axis by a Dim object, or by stag:NAME",
            )
        return [_indexed(x, groups[indexed[1]], int(indexed[2]), spec, where)]
    if name.startswith("dim:") and name[4:].isdigit():
        matching = [d for d in x.axes if d.size == int(name[4:])]
        if len(matching) != 1:
            raise _no_axis(x, spec, where)
        return matching
    if name.startswith(("stag:", "stag-single:", "tag:")):
        return [_by_tag(x, name, where, names)]
    if name and all(c in "btf" for c in name):
        return list(dict.fromkeys(d for c in name for d in _resolve_string(x, c, behavior, where, names)))
    raise DimError(f"unknown axis description {spec!r}", where=where, expected=_GRAMMAR)


def _by_tag(x: LayerOutput, name: str, where: Origin | None, names: Names) -> Dim:
    kind, _, rest = name.partition(":")
    index: int | None = None
    if kind == "stag-single":
        number, colon, rest = rest.partition(":")
        if not colon or not re.fullmatch(r"-?\d+", number):
            raise DimError("no axis description", where=where, expected="stag-single:NUMBER:NAME", received=name)
        index = int(number)
    spatial = spatial_axes(x)
    matching = [
        d
        for d in x.axes
        if any(rest in called.lower() for called in (d.description, *names.get(d, ())))
        and (kind == "tag" or d in spatial or d.is_spatial_dim())
    ]
    if index is not None:
        return _indexed(x, matching, index, name, where)
    if len(matching) != 1:
        raise _no_axis(x, name, where)
    return matching[0]


def _indexed(x: LayerOutput, axes: list[Dim], index: int, spec: str, where: Origin | None) -> Dim:
    if not -len(axes) <= index < len(axes):
        raise _no_axis(x, spec, where)
    return axes[index]


def _present(x: LayerOutput, dim: Dim | None, spec: object, where: Origin | None) -> Dim:
    if dim is None:
        raise _no_axis(x, spec, where)
    return dim


def _no_axis(x: LayerOutput, spec: object, where: Origin | None) -> DimError:
    return DimError(f"no axis, or not one only, is {spec!r}", where=where, received=_describe(x, x.axes))


def _describe(x: LayerOutput, dims: Sequence[Dim]) -> str:
    def one(d: Dim) -> str:
        roles = [r for r, s in (("time", x.time_dim), ("feature", x.feature_dim)) if s is d]
        return f"{d}{' ' + '/'.join(roles) if roles else ''}"

    return "[" + ", ".join(one(d) for d in dims) + "]"
