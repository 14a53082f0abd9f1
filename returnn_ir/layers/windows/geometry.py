"""What conv, pool and transposed_conv share: which axes are windows, how they are padded, what lengths result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from returnn_ir.axes.grammar import spatial_axes
from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.declared_dims import as_declared
from returnn_ir.construct.settled_dims import fixed
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.options import Form

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["Geometry", "SpatialAxes", "SpatialInput", "adopt_dims", "apply_padding", "per_axis", "spatial_input"]


def _letters(given: object) -> object:
    """A text counts as a list of letters, each an axis (``"T"``), as RETURNN has it."""
    return [given] if isinstance(given, str) and len(given) == 1 else given


#: The axes that windows move along.
SpatialAxes = Annotated[Sequence[Any] | None, Form(_letters)]


@dataclass(frozen=True)
class SpatialInput:
    """A source with its axes sorted by what they are to a window.

    Attributes:
        batch: axes that are no windows; they come first in the result.
        dims: the axes that windows move along, in the order of the filter's axes.
        feature: the channels.
        time_dim: of the source.
    """

    value: Value
    batch: tuple[Dim, ...]
    dims: tuple[Dim, ...]
    feature: Dim
    time_dim: Dim | None

    def output(self, b: LayerBuilder, value: Value, outs: Sequence[Dim], feature: Dim) -> LayerOutput:
        """The result: batch axes, then ``outs`` in place of the spatial ones, then ``feature``."""
        for i, (dim, out) in enumerate(zip(self.dims, outs, strict=True)):
            if out is not dim:
                b.also_called(out, f"{b.definition.name}:conv:s{i}")
        moved = dict(zip(self.dims, outs, strict=True))
        time = moved.get(self.time_dim, self.time_dim) if self.time_dim is not None else None
        axes = (*self.batch, *outs, feature)
        return LayerOutput(value, axes, time if time in axes else None, feature)


@dataclass(frozen=True)
class Geometry:
    """How a window moves, one entry per spatial axis; ``padding`` is ``same`` or ``valid`` for the op itself."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: str

    def outs(self, dims: Sequence[Dim]) -> tuple[Dim, ...]:
        """The axes that result (TensorFlow's rule, also for the lengths of sequences)."""
        each = zip(dims, self.sizes, self.strides, self.dilations, strict=True)
        if self.padding == "same":
            return tuple(d.ceildiv(stride) for d, _, stride, _ in each)
        return tuple((d - (size - 1) * dilation).ceildiv(stride) for d, size, stride, dilation in each)


def per_axis(b: LayerBuilder, value: int | Sequence[Any], count: int, key: str) -> tuple[Any, ...]:
    """One entry per spatial axis: a single number counts for all of them."""
    entries = (value,) * count if isinstance(value, int) else tuple(value)
    if len(entries) != count:
        raise ConfigError(
            f"option {key!r} has not one entry per spatial axis",
            where=b.place(key),
            expected=f"{count} entries",
            received=value,
        )
    return entries


def spatial_input(
    b: LayerBuilder,
    x: LayerOutput,
    count: int,
    in_spatial_dims: Sequence[Any] | None,
    *,
    expand: int = 0,
    split_feature: int | None = None,
    add_feature: bool = False,
) -> SpatialInput:
    """Find the axes that the windows move along, adding those that the options ask for.

    Args:
        b: the layer's builder.
        x: the source.
        count: how many axes the window has.
        in_spatial_dims: the user's description of the axes, None for all but batch and features.
        expand: number of axes of size one to add.
        split_feature: the new number of channels; what is left of the feature axis becomes a spatial axis.
        add_feature: the feature axis becomes a spatial axis, and there is one channel.
    """
    if x.sparse_dim is not None:
        raise DimError("windows over labels", where=b.place("from"), received=x.value.type)
    feature = b.require_feature(x)
    dims = _spatial_dims(b, x, feature, in_spatial_dims, extended=bool(expand or split_feature or add_feature))
    value = x.value
    batch = tuple(d for d in x.axes if d not in dims and d is not feature)
    for i in range(expand):
        dims.append(b.dim(f"input_expand_dims:{i}", 1))
        value = b.expand(value, dims[-1])
    if split_feature:
        value, feature = _split_feature(b, value, feature, split_feature, dims)
    if add_feature:
        dims.append(feature)
        feature = b.dim("feature1", 1, feature=True)
        value = b.expand(value, feature)
    if len(dims) != count:
        raise DimError(
            f"a window of {count} axes on a source with {len(dims)} spatial axes",
            where=b.place("from"),
            expected=f"{count} spatial axes",
            received=", ".join(str(d) for d in dims) or "none",
            hint="name the axes with 'in_spatial_dims'; 'input_add_feature_dim' and 'input_expand_dims' add axes",
        )
    return SpatialInput(value, batch, tuple(dims), feature, x.time_dim)


def _spatial_dims(
    b: LayerBuilder, x: LayerOutput, feature: Dim, in_spatial_dims: Sequence[Any] | None, *, extended: bool
) -> list[Dim]:
    if in_spatial_dims:
        dims = [b.axis(x, spec, "in_spatial_dims") for spec in in_spatial_dims]
        if len(set(dims)) != len(dims) or feature in dims:
            raise DimError("in_spatial_dims names an axis twice, or the features", where=b.place("in_spatial_dims"))
        return dims
    dims = [d for d in (spatial_axes(x) if extended else x.axes) if not d.is_batch and d is not feature]
    if len(dims) > 1 and not b.behavior.spatial_dims_by_order:
        raise ConfigError(
            "in_spatial_dims is needed from behavior_version 8 on where there are several spatial axes",
            where=b.place("in_spatial_dims"),
            received=", ".join(str(d) for d in dims),
        )
    return dims


def _split_feature(b: LayerBuilder, value: Value, feature: Dim, size: int, dims: list[Dim]) -> tuple[Value, Dim]:
    if feature.size is None or feature.size % size:
        raise DimError(
            "the feature axis is no multiple",
            where=b.place("input_split_feature_dim"),
            expected=f"a multiple of {size}",
            received=feature,
        )
    rest, channels = b.dim("feature_split_rem", feature.size // size), b.dim("feature_split_new", size, feature=True)
    dims.append(rest)
    return b.op("split", value, dim=feature, outs=(rest, channels)), channels


def apply_padding(
    b: LayerBuilder, x: SpatialInput, geometry: Geometry, padding: str | int | Sequence[int], fill: float
) -> tuple[SpatialInput, Geometry, tuple[Dim, ...]]:
    """Bring RETURNN's paddings (``same``, ``valid``, ``same_static``, numbers) to one that the ops know.

    Args:
        b: the layer's builder.
        x: the source.
        geometry: of the window; its own padding does not matter.
        padding: the layer's option.
        fill: what numbers as padding put in (``same_static`` always puts zeros).

    Returns:
        the padded source, the geometry on it, and the axes that result.
    """
    count = len(geometry.sizes)
    if not isinstance(padding, str):
        both = [(p, p) for p in per_axis(b, padding, count, "padding")]
        valid = replace(geometry, padding="valid")
        padded = _padded(b, x, both, fill)
        return padded, valid, valid.outs(padded.dims)
    kind = padding.lower()
    if kind in ("same", "valid"):
        plain = replace(geometry, padding=kind)
        shifted = _own_beginnings(b, x, plain, fill)
        return *shifted, plain.outs(x.dims)
    if kind == "same_static":
        sides = [_static_sides(b, d, geometry, i) for i, d in enumerate(x.dims)]
        outs = replace(geometry, padding="same").outs(x.dims)
        return _padded(b, x, sides, 0.0), replace(geometry, padding="valid"), outs
    raise ConfigError(
        f"unknown padding {padding!r}",
        where=b.place("padding"),
        expected="same, valid, same_static, a number or one per axis",
    )


def _static_sides(b: LayerBuilder, dim: Dim, geometry: Geometry, axis: int) -> tuple[int, int]:
    """``same_static``: a dynamic axis gets ``size - 1`` frames whatever its length, a static one as ``same`` does."""
    size, stride = geometry.sizes[axis], geometry.strides[axis]
    if geometry.dilations[axis] != 1:
        raise ConfigError("padding same_static goes without dilation", where=b.place("dilation_rate"))
    total = size - 1 - ((dim.size + stride - 1) % stride if dim.size is not None else 0)
    left = total // 2 if dim.size is not None else (size - stride) // 2
    if total < 0 or left < 0:
        raise ConfigError(
            "padding same_static needs a window at least as large as its stride",
            where=b.place("padding"),
            received=f"size {size}, stride {stride}",
        )
    return left, total - left


def _padded(b: LayerBuilder, x: SpatialInput, sides: Sequence[tuple[int, int]], fill: float) -> SpatialInput:
    value, dims = x.value, list(x.dims)
    for axis, (left, right) in enumerate(sides):
        if left or right:
            wide = dims[axis] + (left + right)
            value = b.op("pad", value, dim=dims[axis], out=wide, left=left, right=right, value=fill)
            dims[axis] = wide
    return replace(x, value=value, dims=tuple(dims))


def _own_beginnings(b: LayerBuilder, x: SpatialInput, geometry: Geometry, fill: float) -> tuple[SpatialInput, Geometry]:
    """With ``padding = "masked"``: a strided ``same`` window starts where it would if a sequence stood alone.

    Otherwise the longest sequence of the batch decides how much of the padding is on the left.
    """
    if geometry.padding != "same" or not b.program.masks_tails:
        return x, geometry
    value, dims = x.value, list(x.dims)
    for axis, dim in enumerate(x.dims):
        stride, reach = geometry.strides[axis], (geometry.sizes[axis] - 1) * geometry.dilations[axis] + 1
        if stride == 1 or not b.needs_mask(dim):
            continue
        wide = dim.ceildiv(stride) * stride + (reach - stride)
        missing = b.maximum(b.sub(b.length(wide), b.length(dim)), 0)
        position = b.sub(b.iota(wide), b.binary("floordiv", missing, 2))
        inside = b.binary(
            "logical_and", b.binary("greater_equal", position, 0), b.binary("less", position, b.length(dim))
        )
        inside = b.binary("logical_and", b.mask(wide), inside)  # which follows from it, and says what is filled
        value = b.where(inside, b.op("gather", value, position, dim=dim), fill)
        dims[axis] = wide
    if dims == list(x.dims):
        return x, geometry
    # the other axes are padded by hand, now that the window itself pads nothing
    moved = replace(x, value=value, dims=tuple(dims))
    sides = [
        (0, 0) if d is not o else _same_sides(b, d, geometry, i)
        for i, (d, o) in enumerate(zip(dims, x.dims, strict=True))
    ]
    return _padded(b, moved, sides, fill), replace(geometry, padding="valid")


def _same_sides(b: LayerBuilder, dim: Dim, geometry: Geometry, axis: int) -> tuple[int, int]:
    stride, reach = geometry.strides[axis], (geometry.sizes[axis] - 1) * geometry.dilations[axis] + 1
    if stride == 1:
        total = reach - 1
    elif dim.size is not None:
        total = max((-(-dim.size // stride) - 1) * stride + reach - dim.size, 0)
    else:
        raise ConfigError("padding = 'masked' with strides over an axis without lengths", where=b.place("strides"))
    return total // 2, total - total // 2


def adopt_dims(b: LayerBuilder, x: LayerOutput, own: Sequence[Dim], wanted: Sequence[Dim] | None) -> LayerOutput:
    """The user's dims for the axes ``own``; a dynamic one gets its lengths here if it has none yet."""
    if not wanted:
        return x
    if len(wanted) != len(own):
        raise DimError("out_spatial_dims has not one dim per spatial axis", where=b.place("out_spatial_dims"))
    wanted = [fixed(b.program, w, o) for o, w in zip(own, wanted, strict=True)]
    pairs = [(o, w) for o, w in zip(own, wanted, strict=True) if o is not w]
    for o, w in pairs:
        if o.size is not None and w.size is not None and o.size != w.size:
            raise DimError("out_spatial_dims: another size", where=b.place("out_spatial_dims"), expected=o, received=w)
    value = as_declared(b, x.value, dict(pairs), "out_spatial_dims")
    renamed = x.with_axes(value, {o: (w,) for o, w in pairs})
    return replace(renamed, activation=x.activation)
