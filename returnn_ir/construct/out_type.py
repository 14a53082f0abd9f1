"""What a layer of several sources gives before anything is computed: RETURNN's common axes, and ``out_type``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput, default_feature_dim, default_time_dim
from returnn_ir.errors import ConfigError, DimError, did_you_mean
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import DTYPES, is_integer

if TYPE_CHECKING:
    from returnn_ir.axes.unify import Unified
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["OutType", "common_out_type", "fit_axes", "with_out_type"]


@dataclass(frozen=True)
class OutType:
    """The type of a layer's output.

    Attributes:
        axes: in RETURNN's order.
        sparse_dim: for labels, what they number.
        dtype: the declared element type, or None for that of the result.
        declared: ``out_type`` gave the axes.
    """

    axes: tuple[Dim, ...]
    time_dim: Dim | None = None
    feature_dim: Dim | None = None
    sparse_dim: Dim | None = None
    dtype: str | None = None
    declared: bool = False

    def output(self, b: LayerBuilder, value: Value) -> LayerOutput:
        """A value over these axes as the layer's output, with the declared element type and labels."""
        if self.dtype is not None and self.dtype != value.dtype:
            value = b.cast(value, self.dtype)
        sparse = self.sparse_dim if is_integer(value.dtype) else None
        if value.type.sparse_dim is not sparse:
            value = b.op("set_sparse", value, sparse_dim=sparse)
        feature = self.feature_dim if sparse is None else None
        return LayerOutput(value, self.axes, self.time_dim, feature)


def common_out_type(
    b: LayerBuilder,
    sources: Sequence[LayerOutput],
    *,
    allow_broadcast: bool = False,
    ignore_features: bool = False,
) -> tuple[OutType, Unified]:
    """The axes of all sources together.

    Args:
        ignore_features: who evaluates them takes sources of different feature sizes; so does, in RETURNN, all that
            may broadcast: they are axes of their own then.

    Raises:
        DimError: no source has all of them, and ``allow_broadcast_all_sources`` is not set (behaviour version 4).
    """
    if not sources:
        raise ConfigError(f"a {b.definition.spec.name!r} layer needs a source", where=b.place("from"))
    broadcasts = allow_broadcast or not b.behavior.explicit_broadcast
    unified = b.unify(sources, ignore_features=ignore_features or broadcasts)
    largest = max(len(s.axes) for s in sources)
    if not broadcasts and len(unified.axes) > largest:
        raise DimError(
            "no source has all axes of the result",
            where=b.place("from"),
            received=", ".join(str(s.value.type) for s in sources),
            hint="'allow_broadcast_all_sources': True",
        )
    base = next(s for s in sources if len(s.axes) == largest)
    sparse = base.sparse_dim
    feature = unified.feature_dim if sparse is None else None
    return OutType(unified.axes, unified.time_dim, feature, sparse), unified


def with_out_type(b: LayerBuilder, result_type: OutType, n_out: int | None, out_type: Mapping[str, Any]) -> OutType:
    """The type changed by ``n_out`` and ``out_type``."""
    given = {**({"dim": n_out} if n_out is not None else {}), **out_type}
    axes, declared = _declared_axes(b, result_type, given), _axes_option(given) is not None
    sparse = _sparse_dim(b, result_type, given)
    time, feature = result_type.time_dim, result_type.feature_dim
    if declared:
        time = default_time_dim(axes)
        feature = default_feature_dim(axes, time, sparse=sparse is not None)
    elif sparse is None and isinstance(given.get("dim"), int) and feature is not None and feature.size != given["dim"]:
        other = b.dim("out", given["dim"], feature=True)
        axes = tuple(other if d is feature else d for d in axes)
        feature = other
    if "time_dim_axis" in given:
        time = _numbered(b, axes, given, "time_dim_axis") if given["time_dim_axis"] is not None else None
    if "feature_dim_axis" in given:
        feature = _numbered(b, axes, given, "feature_dim_axis") if given["feature_dim_axis"] is not None else None
    if sparse is None and feature is None and result_type.sparse_dim is not None and not declared:
        feature = default_feature_dim(axes, time, sparse=False)
    dtype = given.get("dtype")
    if dtype is not None and str(dtype) not in DTYPES:
        raise ConfigError(
            f"out_type has the unknown dtype {str(dtype)!r}",
            where=b.place("out_type"),
            expected=", ".join(DTYPES),
            hint=did_you_mean(str(dtype), DTYPES),
        )
    return replace(
        result_type,
        axes=axes,
        time_dim=time,
        feature_dim=feature,
        sparse_dim=sparse,
        dtype=str(dtype) if dtype is not None else result_type.dtype,
        declared=declared,
    )


def _numbered(b: LayerBuilder, axes: Sequence[Dim], given: Mapping[str, Any], key: str) -> Dim:
    """The axis that an option of ``out_type`` gives the number of."""
    number = int(given[key])
    if not -len(axes) <= number < len(axes):
        raise ConfigError(
            f"out_type: {key} is no axis of the output", where=b.place("out_type"), expected=axes, received=number
        )
    return axes[number]


def _axes_option(given: Mapping[str, Any]) -> Sequence[Any] | None:
    """The axes that ``out_type`` lists, the batch not counted if they come as ``shape``."""
    for key in ("dims", "dim_tags", "shape"):
        if given.get(key) is not None:
            found: Sequence[Any] = given[key]
            return found
    return None


def _declared_axes(b: LayerBuilder, result_type: OutType, given: Mapping[str, Any]) -> tuple[Dim, ...]:
    listed = given.get("dims") or given.get("dim_tags")
    if listed is not None:
        return tuple(BATCH if d.is_batch else d for d in listed)
    if given.get("shape") is None:
        return result_type.axes
    dynamic = [d for d in result_type.axes if d.is_dynamic]
    lead = _size_target(b)
    if lead is not None:
        dynamic = [lead, *(d for d in dynamic if d is not lead)]
    static = [d for d in result_type.axes if d.is_static]
    axes: list[Dim] = []
    shape = list(given["shape"])
    for i, size in enumerate(shape):
        if isinstance(size, Dim):
            axes.append(size)
        elif size is None:
            if not dynamic:
                raise ConfigError(
                    "out_type has an axis of varying length that no source has",
                    where=b.place("out_type"),
                    received=given["shape"],
                )
            axes.append(dynamic.pop(0))
        else:
            known = _same_size(static, size, last=i == len(shape) - 1)
            axes.append(known if known is not None else b.dim(f"out{i}", size, feature=i == len(shape) - 1))
    batch = given.get("batch_dim_axis", 0)
    if batch is not None:
        axes.insert(batch, BATCH)
    return tuple(axes)


def _size_target(b: LayerBuilder) -> Dim | None:
    """The axis of varying length that ``size_target`` names; without losses there are no targets."""
    key = b.definition.options.size_target
    return b.target(key).time_dim if key is not None and b.program.losses else None


def _same_size(static: list[Dim], size: int, *, last: bool) -> Dim | None:
    """The source's static axis of that size, each only once; for the last entry the last one."""
    for dim in reversed(static) if last else list(static):
        if dim.size == size:
            static.remove(dim)
            return dim
    return None


def _sparse_dim(b: LayerBuilder, result_type: OutType, given: Mapping[str, Any]) -> Dim | None:
    if "sparse_dim" in given:
        declared: Dim | None = given["sparse_dim"]
        return declared
    sparse = given.get("sparse", result_type.sparse_dim is not None)
    if not sparse:
        return None
    size = given.get("dim")
    if size is None:
        return result_type.sparse_dim
    known = result_type.sparse_dim
    return known if known is not None and known.size == size else b.dim("labels", size, feature=True)


def fit_axes(b: LayerBuilder, value: Value, axes: Sequence[Dim | None], result_type: OutType) -> Value:
    """A result whose axes are counted, over the axes of the type: renamed, and expanded where it has size one.

    Raises:
        ConfigError: another number of axes, or an axis of another size.
    """
    if len(axes) != len(result_type.axes):
        raise ConfigError(
            f"the result has {len(axes)} axes, the layer's output {len(result_type.axes)}",
            where=b.place("eval"),
            expected=list(result_type.axes),
            received=list(axes),
            hint="'out_type': {'shape': ...} says what the result is",
        )
    pairs: list[tuple[Dim, Dim]] = []
    missing: list[Dim] = []
    for own, wanted in zip(axes, result_type.axes, strict=True):
        if own is None:
            missing.append(wanted)
        elif own is not wanted:
            if (own.is_static and wanted.is_static and own.size != wanted.size) or own.is_batch != wanted.is_batch:
                raise ConfigError(
                    "the result has an axis of another size than the layer's output",
                    where=b.place("eval"),
                    expected=wanted,
                    received=own,
                    hint="'out_type': {'dim': ..., 'shape': ...} says what the result is",
                )
            pairs.append((own, wanted))
    return b.expand(b.rename(value, *pairs), *missing)
