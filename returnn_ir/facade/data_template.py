"""RETURNN's ``Data`` without a value: what a function describes an output with, and is told of its sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.ir.dims import Dim

__all__ = ["DataTemplate", "SourceTemplate"]

#: Options of RETURNN's Data that ``out_type`` has too.
_OPTIONS = (
    "shape",
    "dtype",
    "sparse",
    "sparse_dim",
    "dim",
    "dims",
    "dim_tags",
    "batch_dim_axis",
    "time_dim_axis",
    "feature_dim_axis",
)
#: Options that say nothing of the type.
_IGNORED = ("name", "placeholder", "vocab", "batch", "beam", "auto_create_placeholders", "available_for_inference")


class DataTemplate:
    """RETURNN's ``Data`` without a value. Lengths are the dims that have them."""

    def __init__(self, name: str | None = None, **given: Any) -> None:
        del name
        sizes = given.pop("size_placeholder", None) or {}
        for key in given:
            if key not in (*_OPTIONS, *_IGNORED):
                raise ConfigError(f"Data has no option {key!r} here", hint=did_you_mean(key, _OPTIONS))
        self.options = {key: value for key, value in given.items() if key in _OPTIONS}
        self.sparse = bool(given.get("sparse", given.get("sparse_dim") is not None))
        self.dtype = str(self.options.setdefault("dtype", "int32" if self.sparse else "float32"))
        self.dim = given.get("dim")
        if self.dim is None and given.get("sparse_dim") is not None:
            self.dim = given["sparse_dim"].size
        if "dims" not in given and "dim_tags" not in given:
            self.options["shape"] = _shape(given, sizes, self.dim, sparse=self.sparse)
        self.size_placeholder = sizes

    @staticmethod
    def of(x: LayerOutput) -> DataTemplate:
        """A layer's output."""

        def number(dim: Dim | None) -> int | None:
            return x.axes.index(dim) if dim is not None else None

        options: dict[str, Any] = {
            "dims": x.axes,
            "dtype": x.dtype,
            "time_dim_axis": number(x.time_dim),
            "feature_dim_axis": number(x.feature_dim),
            "sparse": x.sparse_dim is not None,
        }
        if x.sparse_dim is not None:
            options["sparse_dim"] = x.sparse_dim
        made = DataTemplate(**options)
        known = x.feature_or_sparse_dim
        made.dim = known.size if known is not None else None
        rest = [d for d in x.axes if not d.is_batch]
        made.size_placeholder = {i: d for i, d in enumerate(rest) if d.is_dynamic}
        return made

    @property
    def dim_tags(self) -> tuple[Dim, ...]:
        """The axes."""
        return tuple(self.options.get("dims") or self.options.get("dim_tags") or ())

    dims = dim_tags

    @property
    def batch_ndim(self) -> int:
        """The number of axes."""
        return len(self.dim_tags)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The static sizes without the batch."""
        return tuple(d.size for d in self.dim_tags if not d.is_batch)

    @property
    def time_dim_axis(self) -> int | None:
        """The number of the time axis."""
        found: int | None = self.options.get("time_dim_axis")
        return found

    @property
    def batch_dim_axis(self) -> int | None:
        """The number of the batch axis."""
        return next((i for i, d in enumerate(self.dim_tags) if d.is_batch), None)

    def have_time_axis(self) -> bool:
        """Whether there is a time axis."""
        return self.time_dim_axis is not None

    def get_sequence_lengths(self) -> Dim:
        """The lengths of the time axis."""
        if self.time_dim_axis is None:
            raise ValueError("the source has no time axis")
        return self.dim_tags[self.time_dim_axis]

    def copy_template(self, name: str | None = None, *, dtype: str | None = None) -> DataTemplate:
        """The same again, perhaps of another element type."""
        return DataTemplate(name, **{**self.options, **({"dtype": dtype} if dtype is not None else {})})

    copy = copy_template

    def copy_as_batch_major(self) -> DataTemplate:
        """With the batch axis in front."""
        return self._picked([self.batch_dim_axis, *(i for i in range(self.batch_ndim) if i != self.batch_dim_axis)])

    def copy_template_excluding_time_dim(self, name: str | None = None) -> DataTemplate:
        """Without the time axis."""
        return self._picked([i for i in range(self.batch_ndim) if i != self.time_dim_axis])

    def _picked(self, numbers: Sequence[int | None]) -> DataTemplate:
        kept = [i for i in numbers if i is not None]
        options = {**self.options, "dims": tuple(self.dim_tags[i] for i in kept)}
        for key in ("time_dim_axis", "feature_dim_axis"):
            old = options.get(key)
            options[key] = kept.index(old) if old in kept else None
        return DataTemplate(**options)


def _shape(given: Mapping[str, Any], sizes: Mapping[int, Any], dim: int | None, *, sparse: bool) -> tuple[Any, ...]:
    """The axes without the batch; an axis whose lengths are given is the one that has them."""
    shape = given.get("shape")
    if shape is None:
        shape = (None,) if sparse else (None, dim)
    return tuple(sizes.get(i, size) if size is None else size for i, size in enumerate(shape))


class SourceTemplate:
    """A source layer."""

    def __init__(self, name: str, output: DataTemplate) -> None:
        self.name = name
        self.output = output
