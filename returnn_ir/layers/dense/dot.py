"""Layers: products of two sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from returnn_ir.axes.output import LayerOutput, default_feature_dim, default_time_dim
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import Axis, LayerOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

__all__ = ["DotOptions", "dot"]


class _Unset:
    """``None`` is a value of these options: it says that there are no axes."""


_UNSET = _Unset()


@option_class
class DotOptions(LayerOptions):
    """Options of ``dot``.

    Attributes:
        reduce: the axes of both sources that are summed over.
        red1: those of the first source, in the older spelling.
        red2: those of the second source.
        var1: further axes of the first source that stay.
        var2: further axes of the second source that stay.
        add_var2_if_empty: an axis of size one is added where no axis of the second source stays.
        use_mask: what stands behind a sequence's end does not count.
        debug: without effect.
    """

    reduce: Axis = _UNSET
    red1: Axis = _UNSET
    red2: Axis = _UNSET
    var1: Axis = _UNSET
    var2: Axis = _UNSET
    add_var2_if_empty: bool | None = None
    use_mask: bool = True
    debug: bool = False


@dataclass(frozen=True)
class _Parts:
    """The axes of a source: shared with the other one, its own, reduced."""

    shared: tuple[Dim, ...]
    own: tuple[Dim, ...]
    reduced: tuple[Dim, ...]


@layer("dot", options=DotOptions, sources="many")
def dot(b: LayerBuilder, opt: DotOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """Sum of products over the reduced axes. Output: shared axes, own axes of the first source, those of the second."""
    if len(sources) != 2:
        raise ConfigError("dot takes two sources", where=b.place("from"), received=f"{len(sources)} sources")
    x, y = sources
    red1, red2, var1, var2, add_var2 = _with_defaults(b, opt)
    looked_up = _lookup(b, x, y, red1, red2)
    reduced_x = () if looked_up == 0 else tuple(b.axes(x, red1, "red1"))
    reduced_y = () if looked_up == 1 else tuple(b.axes(y, red2, "red2"))
    if looked_up is None:
        _check_reduced(b, opt, reduced_x, reduced_y)
    if _is_auto(var1) or _is_auto(var2):
        own_x, own_y = _own_axes(b, x, y, reduced_x, reduced_y)
    else:
        own_x, own_y = tuple(b.axes(x, var1, "var1")), tuple(b.axes(y, var2, "var2"))
    parts_x, parts_y = (_parts(b, s, o, r) for s, o, r in ((x, own_x, reduced_x), (y, own_y, reduced_y)))
    parts_y = replace(parts_y, shared=_paired(b, parts_x, parts_y))
    value, axes, own_y_out = _product(b, opt, (x, y), (parts_x, parts_y), looked_up)
    positions = _time_of(x, y, parts_x, parts_y, own_y_out)
    if not own_y and add_var2:
        dummy = b.dim("dot:dummy-var2", 1)
        value, axes = b.expand(value, dummy), (*axes, dummy)
    brought = tuple(d for d in value.dims if d not in axes)
    axes = (*brought, *axes)
    time = default_time_dim(axes) if isinstance(positions, _Unset) else positions
    return LayerOutput(value, axes, time, default_feature_dim(axes, time, sparse=value.type.sparse_dim is not None))


def _check_reduced(b: LayerBuilder, opt: DotOptions, x: Sequence[Dim], y: Sequence[Dim]) -> None:
    """As many axes of both sources, each as long as its partner."""
    where, received = b.place("red1" if opt.reduce is _UNSET else "reduce"), f"{list(x)} and {list(y)}"
    if len(x) != len(y) or not x:
        raise DimError("the reduced axes do not match in number, or there are none", where=where, received=received)
    if any(None not in (a.size, c.size) and a.size != c.size for a, c in zip(x, y, strict=True)):
        raise DimError("the reduced axes are of different sizes", where=where, received=received)


def _is_auto(spec: object) -> bool:
    return spec is _UNSET or (isinstance(spec, str) and spec == "auto")


def _with_defaults(b: LayerBuilder, opt: DotOptions) -> tuple[Axis, Axis, Axis, Axis, bool]:
    """red1, red2, var1, var2, and whether an axis of size one is added where the second source has none of its own."""
    red1, red2 = opt.red1, opt.red2
    if opt.reduce is not _UNSET:
        if red1 is not _UNSET or red2 is not _UNSET:
            raise ConfigError("give 'reduce', or 'red1' and 'red2'", where=b.place("reduce"))
        red1 = red2 = opt.reduce
    var1, var2 = opt.var1, opt.var2
    if b.behavior.dot_defaults and "auto" not in (var1, var2):
        defaults = ((red1, -1), (red2, -2), (var1, -2), (var2, -1))
        return *(d if s is _UNSET else s for s, d in defaults), opt.add_var2_if_empty is not False  # type: ignore[return-value]
    if not b.behavior.dot_defaults:
        for key, spec in (("red1", red1), ("red2", red2), ("var1", var1), ("var2", var2)):
            if isinstance(spec, int):
                raise ConfigError(f"{key}: integer axes are not allowed from behavior_version 3 on", where=b.place(key))
        if opt.add_var2_if_empty:
            raise ConfigError(
                "add_var2_if_empty is not allowed from behavior_version 3 on", where=b.place("add_var2_if_empty")
            )
    if red1 is _UNSET or red2 is _UNSET:
        raise ConfigError("the axes to reduce are missing", where=b.place(), hint="give 'reduce', or 'red1' and 'red2'")
    if _is_auto(var1) != _is_auto(var2):
        raise ConfigError("give both of 'var1' and 'var2', or none", where=b.place("var1"))
    return red1, red2, var1, var2, False


def _lookup(b: LayerBuilder, x: LayerOutput, y: LayerOutput, red1: Axis, red2: Axis) -> int | None:
    """Which source is labels of the reduced dim, so that the product is a look-up; None for a sum of products."""
    if x.sparse_dim is not None and red1 is x.sparse_dim:
        return 0
    return 1 if y.sparse_dim is not None and red2 is y.sparse_dim else None


def _own_axes(
    b: LayerBuilder, x: LayerOutput, y: LayerOutput, reduced_x: Sequence[Dim], reduced_y: Sequence[Dim]
) -> tuple[tuple[Dim, ...], tuple[Dim, ...]]:
    """The axes that the other source does not have."""
    rest_x, rest_y = [d for d in x.axes if d not in reduced_x], [d for d in y.axes if d not in reduced_y]

    def same(a: Dim, c: Dim) -> bool:
        return a.base is c.base or (b.behavior.dot_matches_sizes and a.is_static and a.size == c.size)

    own_x = tuple(d for d in rest_x if not any(same(d, o) for o in rest_y))
    return own_x, tuple(d for d in rest_y if not any(same(d, o) for o in rest_x))


def _parts(b: LayerBuilder, x: LayerOutput, own: tuple[Dim, ...], reduced: tuple[Dim, ...]) -> _Parts:
    both = [d for d in own if d in reduced]
    if both:
        raise DimError("an axis is reduced and kept", where=b.place("var1"), received=both[0])
    return _Parts(tuple(d for d in x.axes if d not in own and d not in reduced), own, reduced)


def _paired(b: LayerBuilder, x: _Parts, y: _Parts) -> tuple[Dim, ...]:
    """The shared axes of the second source in the order of their partners: the same dim, else one of the same size."""
    order: list[Dim] = []
    for dim in x.shared:
        free = [d for d in y.shared if d not in order]
        same = [d for d in free if d.base is dim.base]
        partner = dim if dim in free else max(same, key=lambda d: d.match_priority, default=None)
        partner = partner or next((d for d in free if d.is_static and d.size == dim.size), None)
        if partner is None:
            raise DimError(
                f"the second source has no axis for {dim}",
                where=b.place("from"),
                expected=", ".join(map(str, x.shared)),
                received=", ".join(map(str, y.shared)),
            )
        order.append(partner)
    if len(order) != len(y.shared):
        raise DimError(
            "the first source lacks shared axes", where=b.place("from"), expected=y.shared, received=x.shared
        )
    return tuple(order)


def _product(
    b: LayerBuilder,
    opt: DotOptions,
    sources: tuple[LayerOutput, LayerOutput],
    parts: tuple[_Parts, _Parts],
    looked_up: int | None,
) -> tuple[Value, tuple[Dim, ...], tuple[Dim, ...]]:
    """The value, its axes, and the own axes of the second source under the tags that they have in the result."""
    x, y = parts
    left = sources[0].value
    if looked_up is None and set(x.reduced) & set(y.own):
        # a square matrix has one dim twice: what is reduced gives way to what stays
        other = tuple(_stand_in(b, d, f"red1:{i}") for i, d in enumerate(x.reduced))
        left, x = b.rename(left, *zip(x.reduced, other, strict=True)), replace(x, reduced=other)
    taken = set(left.dims)
    # an axis that the second source does not share with the first one must not have the tag of one of the first one's
    own = tuple(_stand_in(b, d, f"var2:{i}") if d in taken else d for i, d in enumerate(y.own))
    wanted = x.reduced if looked_up is None else _apart(b, y.reduced, taken)
    old, new = (*y.shared, *y.own, *y.reduced), (*x.shared, *own, *wanted)
    right = b.rename(sources[1].value, *zip(old, new, strict=True))
    axes = (*x.shared, *x.own, *own)
    if looked_up == 0:
        return b.op("gather", right, b.labels(left, wanted[0]), dim=wanted[0]), axes, own
    if looked_up == 1:
        return b.op("gather", left, b.labels(right, x.reduced[0]), dim=x.reduced[0]), axes, own
    return b.dot(left, right, *x.reduced, mask=opt.use_mask), axes, own


def _apart(b: LayerBuilder, dims: Sequence[Dim], taken: set[Dim]) -> tuple[Dim, ...]:
    return tuple(_stand_in(b, d, f"red:{i}") if d in taken else d for i, d in enumerate(dims))


def _stand_in(b: LayerBuilder, dim: Dim, role: str) -> Dim:
    """Another tag for the same axis."""
    made = b.dim(f"{role}:{dim.name}", dim.size, feature=dim.feature)
    if made.is_dynamic and b.lookup(made) is None:
        b.define(made, b.length(dim))
    return made


def _time_of(
    x: LayerOutput, y: LayerOutput, parts_x: _Parts, parts_y: _Parts, own_y: tuple[Dim, ...]
) -> Dim | _Unset | None:
    """The first source's time axis if it is still there, else the second one's, else RETURNN's default."""
    if x.time_dim is not None and x.time_dim in (*parts_x.shared, *parts_x.own):
        return x.time_dim
    if y.time_dim is not None:
        kept = dict(zip((*parts_y.shared, *parts_y.own), (*parts_x.shared, *own_y), strict=True))
        if y.time_dim in kept:
            return kept[y.time_dim]
    return None if x.time_dim is None and y.time_dim is None else _UNSET
