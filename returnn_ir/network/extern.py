"""The inputs of a network: data keys with their dims, made when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from returnn_ir.builder import Builder
from returnn_ir.dims import BATCH, Dim
from returnn_ir.errors import ConfigError, Origin, did_you_mean
from returnn_ir.graph import Region
from returnn_ir.layers.output import LayerOutput, default_feature_dim, default_time_dim

__all__ = ["ExternData"]

_KEYS = (
    "dim",
    "shape",
    "sparse",
    "dtype",
    "time_dim_axis",
    "batch_dim_axis",
    "feature_dim_axis",
    "dim_tags",
    "dims",
    "sparse_dim",
    "feature_dim",
    "vocab",
    "same_dim_tags_as",
    "available_for_inference",
    "name",
    "version",
)


class ExternData:
    """Makes the ``input`` nodes of data keys, with a length input per ragged axis.

    Args:
        spec: RETURNN's ``extern_data`` by key.
        region: the root region.
    """

    def __init__(self, spec: Mapping[str, Mapping[str, Any]], region: Region) -> None:
        self._spec = spec
        self._builder = Builder(region)
        self._made: dict[str, LayerOutput] = {}
        self._dims: dict[tuple[str, int], Dim] = {}
        for key, options in spec.items():
            unknown = set(options) - set(_KEYS)
            if unknown:
                name = sorted(unknown)[0]
                raise ConfigError(
                    f"extern_data[{key!r}]: unknown option {name!r}",
                    expected=", ".join(_KEYS),
                    hint=did_you_mean(name, _KEYS),
                )

    @property
    def keys(self) -> list[str]:
        """The declared data keys."""
        return list(self._spec)

    def register(self, key: str, output: LayerOutput) -> None:
        """Make a layer's output available as a data key (``register_as_extern_data``)."""
        self._made[key] = output

    def has(self, key: str) -> bool:
        """Whether there is such a data key."""
        return key in self._spec or key in self._made

    def get(self, key: str, where: Origin | None = None) -> LayerOutput:
        """The input of a data key."""
        if key not in self._made:
            if key not in self._spec:
                raise ConfigError(
                    f"no data key {key!r}",
                    where=where,
                    expected=", ".join(self._spec),
                    hint=did_you_mean(key, self._spec),
                )
            self._made[key] = self._make(key, self._spec[key])
        return self._made[key]

    def ensure_batch(self) -> Dim:
        """The batch dim, with its extent known: the input it is counted on is made if there is none yet."""
        keys = [k for k in ("data", *self._spec) if k in self._spec]
        for key in keys:
            if self._builder.lookup(BATCH) is not None:
                break
            if self._spec[key].get("batch_dim_axis", 0) is not None and self._spec[key].get(
                "available_for_inference", True
            ):
                self.get(key)
        return BATCH

    def make_with(self, dim: Dim) -> None:
        """Make the input that gives a dim of the user its lengths, if a data key has one."""
        for key, options in self._spec.items():
            if key not in self._made and dim in (options.get("dim_tags") or options.get("dims") or ()):
                self.get(key)
                return

    def label_dim(self, key: str) -> Dim | None:
        """What the labels of a sparse data key number, or its feature dim."""
        return self.get(key).feature_or_sparse_dim

    def _make(self, key: str, options: Mapping[str, Any]) -> LayerOutput:
        b = self._builder
        sparse_dim = _sparse_dim(key, options)
        axes = self._axes(key, options, sparse=sparse_dim is not None)
        dtype = options.get("dtype") or ("int32" if sparse_dim is not None else "float32")
        with b.at(Origin(layer=f"data:{key}")):
            value = b.op("input", name=key, dtype=dtype, dims=tuple(axes), sparse_dim=sparse_dim)
            if BATCH in axes and b.lookup(BATCH) is None:
                b.define(BATCH, b.op("size_of", value, dim=BATCH))
            for number, dim in enumerate(axes):
                if dim.is_dynamic and dim.expr is None and b.lookup(dim) is None:
                    lengths = (BATCH,) if BATCH in axes else ()
                    length = b.op("input", name=f"{key}/size{number}", dtype="int64", dims=lengths)
                    b.define(dim, length)
        return _special_axes(LayerOutput(value, tuple(axes)), options)

    def _axes(self, key: str, options: Mapping[str, Any], *, sparse: bool) -> list[Dim]:
        given = options.get("dim_tags") or options.get("dims")
        if given is not None:
            return [BATCH if d.is_batch else d for d in given]
        batch_axis = options.get("batch_dim_axis", 0)
        shape = options.get("shape")
        if shape is None:
            time_axis = options.get("time_dim_axis", 0 if batch_axis == 1 else 1)
            shape = () if time_axis is None else (None,)
            if not sparse:
                shape = (*shape, options.get("dim"))
        like = options.get("same_dim_tags_as") or {}
        axes: list[Dim] = []
        for position, size in enumerate(shape):
            counted = position + (1 if batch_axis is not None and position >= batch_axis else 0)
            axes.append(self._axis(key, counted, size, feature=not sparse and position == len(shape) - 1))
        if batch_axis is not None:
            axes.insert(batch_axis, BATCH)
        for name, tag in like.items():
            if name in ("t", "T", "time") and isinstance(tag, Dim):
                time = default_time_dim(axes)
                axes = [tag if d is time else d for d in axes]
        return axes

    def _axis(self, key: str, axis: int, size: int | None, *, feature: bool) -> Dim:
        memo = (key, axis)
        if memo not in self._dims:
            if feature and size is not None:
                self._dims[memo] = Dim(f"{key}.F", size, feature=True, description=f"feature:{key}")
            elif size is not None:
                number = sum(1 for k, _ in self._dims if k == key)
                self._dims[memo] = Dim(f"{key}.{axis}", size, description=f"spatial{number}:static{size}:{key}")
            else:
                known = sum(1 for (k, _), d in self._dims.items() if k == key and d.is_dynamic)
                role = "time" if not known else f"spatial{axis}"
                name = f"{key}.T" if not known else f"{key}.T{axis}"
                self._dims[memo] = Dim(name, description=f"{role}:var:extern_data:{key}")
        return self._dims[memo]


def _sparse_dim(key: str, options: Mapping[str, Any]) -> Dim | None:
    declared = options.get("sparse_dim")
    if isinstance(declared, Dim):
        return declared
    if not options.get("sparse"):
        return None
    return Dim(f"{key}.labels", options.get("dim"), feature=True)


def _special_axes(output: LayerOutput, options: Mapping[str, Any]) -> LayerOutput:
    axes = output.axes
    time = default_time_dim(axes)
    if "time_dim_axis" in options:
        number = options["time_dim_axis"]
        time = None if number is None else axes[number]
    feature = default_feature_dim(axes, time, sparse=output.sparse_dim is not None)
    if "feature_dim_axis" in options:
        number = options["feature_dim_axis"]
        feature = None if number is None else axes[number]
    return LayerOutput(output.value, axes, time, feature)
