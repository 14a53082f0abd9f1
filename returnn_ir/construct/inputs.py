"""The inputs of a network: data keys with their dims, made when first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from returnn_ir.axes.output import LayerOutput, default_feature_dim, default_time_dim
from returnn_ir.config.data_options import TIME_NAMES, DataOptions
from returnn_ir.errors import ConfigError, DimError, Origin, did_you_mean
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dim_values import settled
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.ir.graph import Region
from returnn_ir.options import UNSET

__all__ = ["ExternData"]


class ExternData:
    """Makes the ``input`` nodes of data keys, with a length input per ragged axis.

    Args:
        spec: RETURNN's ``extern_data`` by key.
        region: the root region.
        inference: the batch, and lengths that several keys share, are those of a key that is available for inference.
    """

    def __init__(self, spec: Mapping[str, DataOptions], region: Region, *, inference: bool = False) -> None:
        self._spec = {key: _settled(options) for key, options in spec.items()}
        self._inference = inference
        self._builder = Builder(region)
        self._made: dict[str, LayerOutput] = {}
        self._dims: dict[tuple[str, int], Dim] = {}

    @property
    def keys(self) -> list[str]:
        """The data keys: those that are declared, and those that layers made so far."""
        return list(dict.fromkeys([*self._spec, *self._made]))

    def register(self, key: str, output: LayerOutput) -> None:
        """Make a layer's output available as a data key (``register_as_extern_data``)."""
        self._made[key] = output

    def has(self, key: str) -> bool:
        """Whether there is such a data key."""
        return key in self._spec or key in self._made

    def made(self, key: str) -> LayerOutput | None:
        """The input of a data key, if something has asked for it."""
        return self._made.get(key)

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
            if self._inference and not self._is_available(key):
                self._make_providers(key)
            self._made[key] = self._make(key, self._spec[key])
        return self._made[key]

    def _is_available(self, key: str) -> bool:
        return self._spec[key].available_for_inference is not False

    def _make_providers(self, key: str) -> None:
        """The keys available for inference that have the batch or a length of ``key`` are made before it."""
        unknown = {d for d in self._declared_axes(key) if d.size is None and self._builder.lookup(d) is None}
        for other in self._spec:
            if unknown and self._is_available(other) and unknown & set(self._declared_axes(other)):
                self.get(other)
                unknown = {d for d in unknown if self._builder.lookup(d) is None}

    def _declared_axes(self, key: str) -> list[Dim]:
        return self._axes(key, self._spec[key])

    def ensure_batch(self) -> Dim:
        """The batch dim, with its extent known: the input it is counted on is made if there is none yet."""
        keys = [k for k in ("data", *self._spec) if k in self._spec]
        for key in keys:
            if self._builder.lookup(BATCH) is not None:
                break
            if BATCH in self._spec[key].axes() and self._spec[key].available_for_inference:
                self.get(key)
        return BATCH

    def make_with(self, dim: Dim) -> None:
        """Make the input that gives a dim of the user its lengths, if a data key has one."""
        for key, options in self._spec.items():
            if key not in self._made and dim in options.axes():
                self.get(key)
                return

    def _make(self, key: str, options: DataOptions) -> LayerOutput:
        b = self._builder
        sparse_dim = _sparse_dim(key, options)
        if sparse_dim is not None:
            b.region.program().label_keys.setdefault(sparse_dim, key)
        axes = self._axes(key, options)
        dtype = options.dtype or ("int32" if sparse_dim is not None else "float32")
        with b.at(Origin(layer=f"data:{key}")):
            value = b.op("input", name=key, dtype=dtype, dims=tuple(axes), sparse_dim=sparse_dim)
            if BATCH in axes and b.lookup(BATCH) is None:
                b.define(BATCH, b.op("size_of", value, dim=BATCH))
            for number, dim in enumerate(axes):
                if dim.is_dynamic and dim.expr is None and b.lookup(dim) is None:
                    lengths = dim.options.lengths
                    if lengths is None:
                        lengths = (BATCH,) if BATCH in axes else ()
                    length = b.op("input", name=f"{key}/size{number}", dtype="int64", dims=lengths)
                    b.define(dim, length)
        named = options.time_dim_axis is not UNSET
        return LayerOutput(value, tuple(axes), *_special_axes(axes, options), time_named=named)

    def _axes(self, key: str, options: DataOptions) -> list[Dim]:
        """The axes in RETURNN's order, those that ``same_dim_tags_as`` names replaced."""
        axes: list[Dim] = []
        for number, given in enumerate(options.axes()):
            axes.append(given if isinstance(given, Dim) else self._axis(key, number, given, options))
        time, feature = _special_axes(axes, options)
        for name, tag in (options.same_dim_tags_as or {}).items():
            same = axes[name] if isinstance(name, int) else time if name.lower() in TIME_NAMES else feature
            axes = [tag if d is same else d for d in axes]
        if len(set(axes)) < len(axes):
            raise DimError(
                "an axis is there twice, because dims are declared to be the same",
                where=f"extern_data.{key}",
                received=axes,
                hint="Dim.declare_same_as, same_dim_tags_as: of two axes of one input",
            )
        return axes

    def _axis(self, key: str, number: int, size: int | None, options: DataOptions) -> Dim:
        memo = (key, number)
        if memo not in self._dims:
            is_time = number == options.time_axis()
            if size is None:
                known = any(k == key and d.is_dynamic for (k, _), d in self._dims.items())
                role = "time" if is_time or (options.time_axis() is None and not known) else f"spatial{number}"
                name = f"{key}.T{number}" if known else f"{key}.T"
                self._dims[memo] = Dim(name, description=f"{role}:var:extern_data:{key}")
            elif number == options.feature_axis() and not is_time:
                self._dims[memo] = Dim(f"{key}.F", size, feature=True, description=f"feature:{key}")
            else:
                role = "time" if is_time else f"spatial{sum(1 for k, _ in self._dims if k == key)}"
                self._dims[memo] = Dim(f"{key}.{number}", size, description=f"{role}:static{size}:{key}")
        return self._dims[memo]


def _settled(options: DataOptions) -> DataOptions:
    """The options with the dims that ``Dim.declare_same_as`` made one."""

    def tags(given: Sequence[Dim] | None) -> Sequence[Dim] | None:
        return None if given is None else tuple(settled(d, {}) for d in given)

    def one(given: Dim | None) -> Dim | None:
        return None if given is None else settled(given, {})

    sparse, feature = one(options.sparse_dim), one(options.feature_dim)
    same = {key: settled(d, {}) for key, d in (options.same_dim_tags_as or {}).items()}
    return replace(
        options,
        dims=tags(options.dims),
        dim_tags=tags(options.dim_tags),
        sparse_dim=sparse,
        feature_dim=feature,
        same_dim_tags_as=same or None,
    )


def _sparse_dim(key: str, options: DataOptions) -> Dim | None:
    if options.sparse_dim is not None or not options.is_sparse:
        return options.sparse_dim
    return Dim(f"{key}.labels", options.size, feature=True)


def _special_axes(axes: Sequence[Dim], options: DataOptions) -> tuple[Dim | None, Dim | None]:
    """The time and the feature axis."""
    time_axis, feature_axis = options.time_axis(), options.feature_axis()
    if options.tags is None or options.time_dim_axis is not UNSET:
        time = axes[time_axis] if time_axis is not None else None
    else:
        time = default_time_dim(axes) if options.has_defaults else None
    if options.feature_dim is not None:
        return time, options.feature_dim
    if options.tags is None or options.feature_dim_axis is not UNSET:
        return time, axes[feature_axis] if feature_axis is not None else None
    feature = default_feature_dim(axes, time, sparse=options.is_sparse) if options.has_defaults else None
    return time, feature
