"""What ``extern_data`` says about one data key: typed options, the axes that follow from them, and what contradicts.

Documented at https://returnn.readthedocs.io (``Tensor``, once ``Data``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from returnn_ir.config.vocabulary import number_of_labels
from returnn_ir.errors import ConfigError, DataError, UserError
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.options import MAX_AXES, UNSET, DType, Place, Range, Size, Unset, read_options

__all__ = ["FEATURE_NAMES", "TIME_NAMES", "DataOptions", "read_data_options"]

_Axis = Annotated[int, Range(0, MAX_AXES - 1)]
_AxisFromEnd = Annotated[int, Range(-MAX_AXES, MAX_AXES - 1)]

#: How ``same_dim_tags_as`` names the time and the feature axis.
TIME_NAMES = ("t", "time")
FEATURE_NAMES = ("f", "feature")


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """The options of a data key.

    Attributes:
        shape: the axes without the batch; None where sequences differ in length.
        time_dim_axis: counted with the batch, as all axis numbers.
        dims: as ``dim_tags``, and nothing has a default: the data have a time or feature axis only where one is named.
        sparse: the entries are labels below ``dim``.
        vocab: the names of the labels.
    """

    dim: Size | Unset | None = UNSET
    shape: Sequence[Size | None] | None = None
    sparse: bool | None = None
    dtype: DType | None = None
    batch_dim_axis: _Axis | None = 0
    time_dim_axis: _Axis | Unset | None = UNSET
    feature_dim_axis: _AxisFromEnd | Unset | None = UNSET
    dim_tags: Sequence[Dim] | None = None
    dims: Sequence[Dim] | None = None
    sparse_dim: Dim | None = None
    feature_dim: Dim | None = None
    vocab: str | dict[str, Any] | None = None
    same_dim_tags_as: dict[_AxisFromEnd | str, Dim] | None = None
    available_for_inference: bool = True
    version: Literal[1, 2] | None = None

    @property
    def tags(self) -> Sequence[Dim] | None:
        """The axes, where they are given as Dim objects."""
        return self.dims if self.dims is not None else self.dim_tags

    @property
    def has_defaults(self) -> bool:
        """Whether a time and a feature axis that are not named are found by their place."""
        return self.version == 1 if self.version is not None else self.dims is None

    @property
    def is_sparse(self) -> bool:
        """Whether the entries are labels."""
        return self.sparse_dim is not None or (self.vocab is not None if self.sparse is None else self.sparse)

    @property
    def size(self) -> int | None:
        """``dim``, None where it is not known."""
        return None if self.dim is UNSET else self.dim

    def axes(self) -> tuple[Dim | int | None, ...]:
        """What is known of each axis, the batch (:data:`BATCH`) included: a Dim, a size, or None."""
        if self.tags is not None:
            return tuple(BATCH if d.is_batch else d for d in self.tags)
        axes: list[Dim | int | None] = list(self._own_axes() if self.shape is None else self.shape)
        if self.batch_dim_axis is not None:
            axes.insert(self.batch_dim_axis, BATCH)
        return tuple(axes)

    def _own_axes(self) -> list[int | None]:
        """The axes without the batch where no shape is given: time, and the features behind it."""
        time, feature = self.time_axis(), self.feature_dim_axis
        axes: list[int | None] = [] if time is None else [None] * (self._without_batch(time) + 1)
        if self.is_sparse or feature is None:
            return axes
        if feature is UNSET or feature < 0:
            return [*axes, self.size]
        number = self._without_batch(feature)
        axes.extend([None] * (number + 1 - len(axes)))
        axes[number] = self.size
        return axes

    def _without_batch(self, axis: int) -> int:
        return axis - 1 if self.batch_dim_axis is not None and axis > self.batch_dim_axis else axis

    def time_axis(self) -> int | None:
        """The number of the time axis, where the axes are not given as Dim objects."""
        if self.time_dim_axis is not UNSET:
            return self.time_dim_axis
        if self.batch_dim_axis is None or not self.has_defaults:
            return None
        if self.shape is not None:
            return next((i for i, axis in enumerate(self.axes()) if axis is None), None)
        return next(i for i in range(3) if i not in (self.batch_dim_axis, self.feature_dim_axis))

    def feature_axis(self) -> int | None:
        """The number of the feature axis, where the axes are not given as Dim objects."""
        axes = self.axes()
        if self.is_sparse or self.feature_dim_axis is None:
            return None
        if self.feature_dim_axis is not UNSET:
            return self.feature_dim_axis % len(axes)
        others = [i for i, axis in enumerate(axes) if axis is not BATCH and i != self.time_axis()]
        candidates = [i for i in others if axes[i] is not None] or others
        return candidates[-1] if candidates and self.has_defaults else None


def read_data_options(raw: Mapping[Any, object], place: Place) -> tuple[DataOptions | None, list[UserError]]:
    """The options of a data key, and everything that is wrong with them."""
    options, problems = read_options(DataOptions, raw, place)
    if options is not None:
        try:
            options = _with_size_of_vocabulary(options)
        except DataError as error:
            problems.append(ConfigError(f"the number of labels: {error}", where=place("vocab"), hint="give 'dim'"))
        problems.extend(_contradictions(options, place) if not problems else ())
    return (None, problems) if problems else (options, [])


def _with_size_of_vocabulary(options: DataOptions) -> DataOptions:
    """The number of labels is that of the vocabulary where nothing else says it."""
    known = options.dim is not UNSET or options.sparse_dim is not None or not options.is_sparse
    if known or not isinstance(options.vocab, dict):
        return options
    size = number_of_labels(options.vocab)
    return options if size is None else replace(options, dim=size)


def _contradictions(options: DataOptions, place: Place) -> Iterator[UserError]:
    yield from _wrong_labels(options, place)
    yield from _missing(options, place)
    if options.tags is not None:
        yield from _wrong_tags(options, place)
    elif options.batch_dim_axis is not None and options.batch_dim_axis >= len(options.axes()):
        yield _no_such_axis("batch_dim_axis", options.batch_dim_axis, options, place)
        return
    yield from _wrong_rank(options, place)
    yield from _wrong_axes(options, place)
    yield from _wrong_size(options, place)
    yield from _wrong_like(options, place)


def _missing(options: DataOptions, place: Place) -> Iterator[UserError]:
    if options.dims is not None and options.dtype is None:
        yield ConfigError("data with 'dims' need a 'dtype'", where=place("dims"), hint="'dtype': 'float32'")
    if options.dim is not UNSET or options.sparse_dim is not None:
        return
    if options.is_sparse:
        yield ConfigError("the number of labels is missing", where=place(None), expected="'dim'")
    elif options.tags is None and options.shape is None and options.feature_dim_axis is not None:
        yield ConfigError("the number of features is missing", where=place(None), expected="'dim', or 'shape'")


def _wrong_labels(options: DataOptions, place: Place) -> Iterator[UserError]:
    if not options.is_sparse:
        if options.vocab is not None:
            yield ConfigError("data with a vocab are labels", where=place("vocab"), hint="'sparse': True")
        return
    if options.sparse is False:
        yield ConfigError("data with a sparse_dim are labels", where=place("sparse"), received=False)
    truth = options.dtype == "bool" and (options.size or getattr(options.sparse_dim, "size", None)) == 2
    if options.dtype is not None and "int" not in options.dtype and not truth:
        yield ConfigError(
            "labels are whole numbers",
            where=place("dtype"),
            expected="int32, or another int; bool where there are two",
            received=options.dtype,
        )
    if isinstance(options.feature_dim_axis, int):
        yield ConfigError("labels have no feature axis", where=place("feature_dim_axis"), expected="None")
    if options.sparse_dim is not None and options.size not in (None, options.sparse_dim.size):
        yield ConfigError(
            "dim is not the size of sparse_dim", where=place("dim"), expected=options.sparse_dim, received=options.size
        )


def _wrong_rank(options: DataOptions, place: Place) -> Iterator[UserError]:
    count = len(options.tags or options.shape or ())
    if count >= MAX_AXES:
        key = "shape" if options.tags is None else "dim_tags"
        yield ConfigError(
            "the data have more axes than a tensor can have",
            where=place(key),
            expected=f"at most {MAX_AXES} with the batch",
            received=count,
        )


def _wrong_tags(options: DataOptions, place: Place) -> Iterator[UserError]:
    key = "dims" if options.dims is not None else "dim_tags"
    tags = list(options.tags or ())
    batches = [d for d in tags if d.is_batch]
    twice = next((d for d in tags if tags.count(d) > 1), batches[0] if len(batches) > 1 else None)
    if twice is not None:
        yield ConfigError("an axis is there twice", where=place(key), received=tags, hint="one Dim object per axis")
    if options.shape is not None or (options.dims is not None and options.dim_tags is not None):
        other = "shape" if options.shape is not None else "dim_tags"
        yield ConfigError(f"the axes are given twice: {key} and {other}", where=place(other), hint="leave one away")
    if options.feature_dim is not None and options.feature_dim not in tags:
        yield ConfigError(
            "feature_dim is not one of the axes",
            where=place("feature_dim"),
            expected=tags,
            received=options.feature_dim,
        )


def _wrong_axes(options: DataOptions, place: Place) -> Iterator[UserError]:
    """Axis numbers that are none, that mean the batch, or the same axis twice."""
    axes = options.axes()
    numbers: dict[str, int] = {}
    for key, given in (("time_dim_axis", options.time_dim_axis), ("feature_dim_axis", options.feature_dim_axis)):
        if not isinstance(given, int):
            continue
        if not -len(axes) <= given < len(axes):
            yield _no_such_axis(key, given, options, place)
            continue
        numbers[key] = given % len(axes)
        if axes[numbers[key]] is BATCH:
            yield ConfigError(f"{key} is the batch axis", where=place(key), received=given)
    if len(numbers) == 2 and len(set(numbers.values())) == 1:
        yield ConfigError("an axis is named twice: as time and as feature axis", where=place("feature_dim_axis"))


def _no_such_axis(key: str, given: int, options: DataOptions, place: Place) -> UserError:
    last = len(options.axes()) - 1
    return ConfigError(f"{key} is no axis of the data", where=place(key), expected=f"0 to {last}", received=given)


def _wrong_size(options: DataOptions, place: Place) -> Iterator[UserError]:
    """A ``dim`` that is not the size of the feature axis."""
    if options.size is None or options.is_sparse:
        return
    axes = options.axes()
    if options.tags is None and options.shape is None:
        return
    sizes = [_size(axis) for axis in axes]
    feature = options.feature_dim_axis
    if isinstance(feature, int) and -len(axes) <= feature < len(axes):
        size = sizes[feature]
    else:
        size = next((n for n in reversed(sizes) if n is not None), None)
    if size != options.size:
        yield ConfigError(
            "dim is not the size of the feature axis",
            where=place("dim"),
            expected=size if size is not None else "None, because no axis has a fixed size",
            received=options.size,
        )


def _wrong_like(options: DataOptions, place: Place) -> Iterator[UserError]:
    """``same_dim_tags_as`` for an axis that there is not, or of another size."""
    axes = options.axes()
    where = place("same_dim_tags_as")
    for name, tag in (options.same_dim_tags_as or {}).items():
        if isinstance(name, str) and name.lower() not in (*TIME_NAMES, *FEATURE_NAMES):
            yield ConfigError(
                "there is no such axis", where=where, expected="'T', 'F' or a number", received=repr(name)
            )
            continue
        number = name if isinstance(name, int) else _named_axis(options, name)
        if number is None or not -len(axes) <= number < len(axes):
            yield ConfigError("there is no such axis", where=where, expected=f"0 to {len(axes) - 1}", received=name)
        elif (size := _size(axes[number])) != tag.size and size is not None:
            yield ConfigError("the axis has another size", where=where, expected=tag, received=size)


def _named_axis(options: DataOptions, name: str) -> int | None:
    return options.time_axis() if name.lower() in TIME_NAMES else options.feature_axis()


def _size(axis: Dim | int | None) -> int | None:
    return axis.size if isinstance(axis, Dim) else axis
