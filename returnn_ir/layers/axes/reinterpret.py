"""``reinterpret_data``: the same numbers under other tags, roles and label sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.axes.output import LayerOutput, default_feature_dim
from returnn_ir.axes.roles import arrange, batch_major, moved_to, with_roles
from returnn_ir.construct.declared_dims import as_declared, require
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.network.layer_options import LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import UNSET, Size, Unset, option_class

__all__: list[str] = []

_ROLES = {"b": "batch", "t": "time", "f": "feature"}


@option_class
class ReinterpretDataOptions(SourceOptions):
    """Options of ``reinterpret_data``.

    Attributes:
        switch_axes: two axes that change their roles.
        size_base: the layer whose lengths the axes get.
        batch_dim_base: the layer whose batch axis it becomes.
        set_axes: which axis has a role: B, T or F.
        set_dim_tags: Dims instead of axes.
        enforce_batch_major: the batch comes first.
        enforce_time_major: time comes first.
        set_sparse: the entries are, or are no, labels.
        set_sparse_dim: what the labels number, a Dim or a size.
        increase_sparse_dim: so many labels more.
    """

    switch_axes: str | list[str] | tuple[str, ...] | None = None
    size_base: LayerRef | None = None
    batch_dim_base: LayerRef | None = None
    set_axes: dict[str, Any] | None = None
    set_dim_tags: dict[Any, Dim] | Sequence[tuple[Any, Dim]] | None = None
    enforce_batch_major: bool = False
    enforce_time_major: bool = False
    set_sparse: bool | None = None
    set_sparse_dim: Dim | Size | Unset | None = UNSET
    increase_sparse_dim: int | None = None


@layer("reinterpret_data", options=ReinterpretDataOptions)
def reinterpret_data(b: LayerBuilder, opt: ReinterpretDataOptions, x: LayerOutput) -> LayerOutput:
    """The source with other roles of its axes, other dims, other labels."""
    if opt.enforce_batch_major and opt.enforce_time_major:
        raise ConfigError("enforce_batch_major and enforce_time_major exclude each other", where=b.place())
    x = LayerOutput(x.value, x.axes, x.time_dim, x.feature_dim)
    if opt.enforce_batch_major:
        x = batch_major(x)
    if opt.enforce_time_major:
        if x.time_dim is None:
            raise DimError("no time axis to put first", where=b.place("enforce_time_major"), received=x.value.type)
        x = moved_to(x, x.time_dim, 0)
    if opt.switch_axes:
        x = _switched(b, opt.switch_axes, x)
    if opt.set_axes:
        x = _with_set_axes(b, opt.set_axes, x)
    if opt.size_base is not None:
        x = _with_sizes_of(b, b.layer(opt.size_base), x)
    if opt.set_dim_tags:
        x = _with_tags(b, opt.set_dim_tags, x)
    return _with_labels(b, opt, x)


def _role(b: LayerBuilder, name: str, key: str) -> str:
    role = _ROLES.get(name.lower(), name.removesuffix("_dim_axis"))
    if role not in ("batch", "time", "feature"):
        raise ConfigError("not a role of axes", where=b.place(key), expected="B, T or F", received=name)
    return role


def _switched(b: LayerBuilder, names: Sequence[str], x: LayerOutput) -> LayerOutput:
    """The two axes exchange their roles."""
    roles = [_role(b, name, "switch_axes") for name in names]
    if sorted(roles) != ["feature", "time"]:
        raise ConfigError(
            "only time and feature can exchange their roles",
            where=b.place("switch_axes"),
            expected="'tf'",
            received=names,
        )
    return with_roles(x.value, x.axes, x.feature_dim, x.time_dim)


def _with_set_axes(b: LayerBuilder, wanted: dict[str, Any], x: LayerOutput) -> LayerOutput:
    for name in sorted(wanted):
        spec = wanted[name]
        axis = None if spec is None else b.axis(x, spec, "set_axes")
        role = _role(b, name, "set_axes")
        if role == "feature":
            x = with_roles(x.value, x.axes, x.time_dim, axis)
        elif role == "time":
            sparse = x.sparse_dim is not None
            default = x.feature_dim is default_feature_dim(x.axes, x.time_dim, sparse=sparse)
            feature = default_feature_dim(x.axes, axis, sparse=sparse) if default else x.feature_dim
            x = with_roles(x.value, x.axes, axis, feature)
        elif axis is not x.batch_dim:
            raise ConfigError("another axis cannot become the batch axis", where=b.place("set_axes"), received=spec)
    return x


def _with_sizes_of(b: LayerBuilder, base: LayerOutput, x: LayerOutput) -> LayerOutput:
    own = [d for d in x.axes if d.is_dynamic]
    theirs = [d for d in base.axes if d.is_dynamic]
    if not own:
        return x
    if len(own) != len(theirs):
        raise DimError(
            "size_base has another number of dynamic axes", where=b.place("size_base"), expected=own, received=theirs
        )
    names = dict(zip(own, theirs, strict=True))
    value = x.value
    for old, new in names.items():
        if old is not new:  # the longest sequences may differ, as behind an upsampling that rounds up
            _require_frames(b, old, new)
            value = b.op("resize_axis", value, dim=old, out=new)
    return arrange(x, value, [names.get(d, d) for d in x.axes], names, keep_feature=True)


def _require_frames(b: LayerBuilder, old: Dim, new: Dim) -> None:
    text = f"the axis {old.name} has fewer frames than the new lengths say, those of {new.name}"
    require(b, [old, new], "size_base", text, lambda r: r.binary("greater_equal", r.extent(old), r.extent(new)))


def _with_tags(b: LayerBuilder, tags: Any, x: LayerOutput) -> LayerOutput:
    for spec, new in dict(tags).items():
        old = b.axis(x, spec, "set_dim_tags")
        if old.size != new.size:
            raise DimError("the new dim has another size", where=b.place("set_dim_tags"), expected=old, received=new)
        loses_feature = old is x.feature_dim and old.feature and not new.feature
        explicit = x.feature_dim is not default_feature_dim(x.axes, x.time_dim, sparse=x.sparse_dim is not None)
        value = as_declared(b, x.value, {old: new}, "set_dim_tags")
        x = arrange(x, value, [new if d is old else d for d in x.axes], {old: new}, keep_feature=True)
        if loses_feature and explicit:
            x = with_roles(x.value, x.axes, x.time_dim, None)
    return x


def _with_labels(b: LayerBuilder, opt: ReinterpretDataOptions, x: LayerOutput) -> LayerOutput:
    wanted = opt.set_sparse_dim
    if opt.set_sparse is True and x.sparse_dim is None:
        size = x.feature_dim.size if x.feature_dim is not None else None
        given = wanted if isinstance(wanted, Dim) else _label_dim(b, size if wanted is UNSET else wanted)
        return _labelled(b, x, _increased(opt, given))
    if opt.set_sparse is False:
        x = _labelled(b, x, None)
    if wanted is not UNSET:
        if x.sparse_dim is None:
            raise DimError("the source has no labels", where=b.place("set_sparse_dim"), received=x.value.type)
        if isinstance(wanted, Dim):
            x = _labelled(b, x, wanted)
        elif x.sparse_dim is not None and wanted != x.sparse_dim.size:
            x = _labelled(b, x, _label_dim(b, wanted))
    if opt.increase_sparse_dim:
        if x.sparse_dim is None:
            raise DimError("the source has no labels", where=b.place("increase_sparse_dim"), received=x.value.type)
        x = _labelled(b, x, _increased(opt, x.sparse_dim))
    return x


def _label_dim(b: LayerBuilder, size: int | None) -> Dim:
    return b.dim("labels", size, feature=True, description=f"{b.definition.name}:set-sparse-dim")


def _increased(opt: ReinterpretDataOptions, labels: Dim) -> Dim:
    return labels + opt.increase_sparse_dim if opt.increase_sparse_dim else labels


def _labelled(b: LayerBuilder, x: LayerOutput, labels: Dim | None) -> LayerOutput:
    if labels is x.sparse_dim:
        return x
    value = b.op("set_sparse", x.value, sparse_dim=labels)
    feature = x.feature_dim
    if x.sparse_dim is not None and labels is None:
        feature = default_feature_dim(x.axes, x.time_dim, sparse=False)
    return with_roles(value, x.axes, x.time_dim, feature)
