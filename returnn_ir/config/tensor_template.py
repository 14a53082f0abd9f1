"""RETURNN's ``Tensor`` (once ``Data``) while a config loads: a name, axes and an element type, and never a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from returnn_ir.config.data_options import DataOptions, read_data_options
from returnn_ir.errors import ConfigError, Origin, ProblemList
from returnn_ir.ir.dims import BATCH, Dim

__all__ = ["TensorDictTemplate", "TensorTemplate"]


class TensorTemplate:
    """RETURNN's ``Tensor`` without a value.

    Args:
        name: for messages.
        dims: the axes.
        dtype: of the entries.
        given: the options that ``extern_data`` has for a data key.

    Raises:
        ProblemList: everything that is wrong with the options.
    """

    def __init__(
        self, name: str, dims: object = None, dtype: str | None = None, *, raw_tensor: None = None, **given: Any
    ) -> None:
        if raw_tensor is not None:
            raise ConfigError(f"the Tensor {name!r} has no value while the config loads")
        self.name = name
        self.raw: dict[str, Any] = dict(given)
        for key, value in (("dims", dims), ("dtype", dtype)):
            if value is not None:
                self.raw[key] = value
        place = f"Tensor {name}"
        options, problems = read_data_options(self.raw, lambda key: Origin(key=f"{place}.{key}" if key else place))
        if options is None:
            raise ProblemList(problems)
        self.options: DataOptions = options

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ConfigError(
            f"{name!r} of the Tensor {self.__dict__.get('name')!r} cannot be used while the config loads",
            expected=", ".join(sorted(n for n in dir(type(self)) if not n.startswith("_"))),
            hint="a Tensor has no value here; use it in a function that a layer calls",
        )

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The axes; those without a Dim object cannot be told.

        Raises:
            ConfigError: an axis has only a size.
        """
        axes = self.options.axes()
        if not all(isinstance(axis, Dim) for axis in axes):
            raise ConfigError(
                f"the axes of the Tensor {self.name!r} have no Dim objects",
                expected="Tensor(name, dims=[...], dtype=...)",
                received=axes,
            )
        return tuple(axis for axis in axes if isinstance(axis, Dim))

    dim_tags = dims

    @property
    def dtype(self) -> str:
        """The element type."""
        return self.options.dtype or ("int32" if self.options.is_sparse else "float32")

    @property
    def sparse(self) -> bool:
        """Whether the entries are labels."""
        return self.options.is_sparse

    @property
    def sparse_dim(self) -> Dim | None:
        """What the labels number."""
        return self.options.sparse_dim

    @property
    def dim(self) -> int | None:
        """The number of labels, or of features."""
        if self.options.sparse_dim is not None:
            return self.options.sparse_dim.size
        if self.options.size is not None or self.sparse:
            return self.options.size
        axis = self.options.feature_axis() if self.options.tags is None else self.feature_dim_axis
        found = self.options.axes()[axis] if axis is not None else None
        return found.size if isinstance(found, Dim) else found

    @property
    def feature_dim(self) -> Dim | None:
        """The feature axis."""
        axis = self.feature_dim_axis
        found = self.options.axes()[axis] if axis is not None else None
        return found if isinstance(found, Dim) else None

    @property
    def feature_dim_axis(self) -> int | None:
        """The number of the feature axis."""
        if self.options.feature_dim is not None:
            return self.dims.index(self.options.feature_dim)
        return self.options.feature_axis()

    @property
    def time_dim_axis(self) -> int | None:
        """The number of the time axis."""
        if self.options.tags is None or isinstance(self.options.time_dim_axis, int):
            return self.options.time_axis()
        axes = self.dims
        dynamic = [i for i, d in enumerate(axes) if d.is_dynamic] if self.options.has_defaults else []
        return next((i for i in dynamic if not axes[i].feature), dynamic[0] if dynamic else None)

    @property
    def batch_dim_axis(self) -> int | None:
        """The number of the batch axis."""
        axes = self.options.axes()
        return axes.index(BATCH) if BATCH in axes else None

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The sizes, None where they come with the data."""
        return tuple(axis.size if isinstance(axis, Dim) else axis for axis in self.options.axes())

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The sizes without the batch."""
        sizes = zip(self.options.axes(), self.batch_shape, strict=True)
        return tuple(size for axis, size in sizes if axis is not BATCH)

    @property
    def batch_ndim(self) -> int:
        """The number of axes."""
        return len(self.options.axes())

    ndim = batch_ndim

    def have_batch_axis(self) -> bool:
        """Whether there is a batch axis."""
        return self.batch_dim_axis is not None

    def have_time_axis(self) -> bool:
        """Whether there is a time axis."""
        return self.time_dim_axis is not None

    def have_feature_axis(self) -> bool:
        """Whether there is a feature axis."""
        return self.feature_dim_axis is not None

    def copy_template(self, name: str | None = None, *, dtype: str | None = None) -> TensorTemplate:
        """The same again, perhaps under another name or with another element type."""
        options = {**self.raw, **({"dtype": dtype} if dtype is not None else {})}
        return TensorTemplate(name or self.name, **options)

    copy = copy_template


class TensorDictTemplate:
    """RETURNN's ``TensorDict``: tensors by name."""

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        self.data: dict[str, TensorTemplate] = {}
        if data is not None:
            self.update(data)

    def update(self, data: Mapping[str, object] | TensorDictTemplate, *, auto_convert: bool = False) -> None:
        """Take in tensors; with ``auto_convert`` dicts of their options, too."""
        for name, value in (data.data if isinstance(data, TensorDictTemplate) else data).items():
            if isinstance(value, TensorTemplate):
                self.data[name] = value
            elif isinstance(value, dict) and auto_convert:
                self.data[name] = TensorTemplate(name, **value)
            else:
                raise ConfigError("a TensorDict takes tensors", expected=f"for {name!r} a Tensor", received=value)

    def __getitem__(self, name: str) -> TensorTemplate:
        return self.data[name]

    def __contains__(self, name: object) -> bool:
        return name in self.data

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def all_dims(self) -> list[Dim]:
        """All axes, each once."""
        return list(dict.fromkeys(dim for tensor in self.data.values() for dim in tensor.dims))
