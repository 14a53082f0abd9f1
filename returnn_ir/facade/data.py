"""RETURNN's ``Data``: a tensor whose axes have numbers and roles, as ``source(0, as_data=True)`` gives it."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from returnn_ir.errors import DimError, UnsupportedError
from returnn_ir.facade.access import shown
from returnn_ir.facade.source import Source
from returnn_ir.facade.view import View
from returnn_ir.ir.dims import Dim

__all__ = ["DataView"]

T = TypeVar("T")


@shown()
class DataView(View, Generic[T]):
    """RETURNN's names for what a tensor's axes are.

    Args:
        source: the tensor.
    """

    def __init__(self, source: Source[T]) -> None:
        self._source = source

    # ---------------------------------------------------------------- the tensor

    @property
    def placeholder(self) -> T:
        """The tensor."""
        return self._source.tensor

    raw_tensor = placeholder

    @property
    def dim(self) -> int | None:
        """The size of the feature axis, or the number of labels."""
        return self._source.feature_size

    @property
    def sparse(self) -> bool:
        """Whether these are labels."""
        return self._source.sparse

    @property
    def sparse_dim(self) -> Dim | None:
        """What the labels number."""
        return self._source.sparse_dim

    @property
    def dtype(self) -> str:
        """The element type's name."""
        return self._source.dtype

    @property
    def beam(self) -> None:
        """Hypotheses are no axis here."""
        return None

    def copy(self, name: object = None) -> DataView[T]:
        """Itself."""
        return self

    # ---------------------------------------------------------------- axes by number

    @property
    def batch_dim_axis(self) -> int | None:
        """The number of the batch axis."""
        return self._source.batch_axis

    @property
    def time_dim_axis(self) -> int | None:
        """The number of the time axis."""
        return self._source.time_axis

    @property
    def feature_dim_axis(self) -> int | None:
        """The number of the feature axis."""
        return self._source.feature_axis

    @property
    def time_dim_axis_excluding_batch(self) -> int | None:
        """The number of the time axis, the batch not counted."""
        return None if self.time_dim_axis is None else self._without_batch(self.time_dim_axis)

    def _without_batch(self, axis: int) -> int:
        return axis - (self.batch_dim_axis is not None and axis > self.batch_dim_axis)

    @property
    def batch_ndim(self) -> int:
        """The number of axes."""
        return len(self._source.sizes)

    @property
    def ndim(self) -> int:
        """The number of axes without the batch."""
        return self.batch_ndim - self.have_batch_axis()

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The static sizes."""
        return self._source.sizes

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The static sizes without the batch."""
        return tuple(s for i, s in enumerate(self._source.sizes) if i != self.batch_dim_axis)

    @property
    def dim_tags(self) -> tuple[Dim | None, ...]:
        """The axes."""
        return self._source.dims

    def get_axis_from_description(self, axis: object, allow_int: bool = True) -> int:
        """The number of the axis that a description names."""
        if isinstance(axis, int) and not isinstance(axis, bool) and allow_int:
            if not -self.batch_ndim <= axis < self.batch_ndim:
                raise DimError(f"axis {axis} of a tensor with {self.batch_ndim} axes", received=self._source.sizes)
            return axis % self.batch_ndim
        found = self._source.find(axis)
        if len(found) != 1:
            raise UnsupportedError(f"the axis {axis!r} that only broadcasts")
        return found[0]

    def get_axes_from_description(self, axes: object) -> list[int]:
        """The numbers of the axes that a description names."""
        return self._source.find(axes)

    def get_dim_tag(self, axis: object) -> Dim | None:
        """The axis that a number or a description names."""
        return self._source.dims[self.get_axis_from_description(axis)]

    @property
    def is_batch_major(self) -> bool:
        """Whether the batch axis is the first."""
        return self.batch_dim_axis == 0

    @property
    def is_time_major(self) -> bool:
        """Whether the time axis is the first."""
        return self.time_dim_axis == 0

    def have_time_axis(self) -> bool:
        """Whether there is a time axis."""
        return self.time_dim_axis is not None

    def have_batch_axis(self) -> bool:
        """Whether there is a batch axis."""
        return self.batch_dim_axis is not None

    def have_feature_axis(self) -> bool:
        """Whether there is a feature axis."""
        return self.feature_dim_axis is not None

    # ---------------------------------------------------------------- lengths

    def get_dynamic_axes(self) -> list[int]:
        """The axes with lengths."""
        return list(self._source.dynamic_axes)

    def get_static_axes(self) -> list[int]:
        """The other axes, without the batch."""
        dynamic = self.get_dynamic_axes()
        return [i for i in range(self.batch_ndim) if i != self.batch_dim_axis and i not in dynamic]

    @property
    def size_placeholder(self) -> dict[int, T]:
        """Lengths of the dynamic axes, by their numbers without the batch."""
        return {self._without_batch(axis): self._source.lengths(axis) for axis in self.get_dynamic_axes()}

    def get_dynamic_size(self, axis: int) -> T:
        """The lengths of an axis, [B] int32."""
        number = self.get_axis_from_description(axis)
        if number not in self._source.dynamic_axes:
            raise UnsupportedError(f"the lengths of axis {axis}")
        return self._source.lengths(number)

    def _require_time(self, what: str) -> int:
        if self.time_dim_axis is None:
            raise UnsupportedError(f"the {what} of data without a time axis")
        return self.time_dim_axis

    def get_sequence_lengths(self) -> T:
        """The lengths of the time axis, [B] int32."""
        return self._source.lengths(self._require_time("lengths"))

    def get_sequence_mask(self) -> T:
        """True on the valid frames, [B, T] or, if the time stands first, [T, B]."""
        return self._source.mask(self._require_time("mask"))

    def get_sequence_mask_broadcast(self, axis: object = None) -> T:
        """True on the valid frames of an axis (default: time), over the data's axes."""
        number = self._require_time("mask") if axis is None else self.get_axis_from_description(axis)
        return self._source.broadcast_mask(number)

    def get_batch_dim(self) -> Any:
        """The number of sequences."""
        return self._extent(self.batch_dim_axis)

    def time_dimension(self) -> Any:
        """The number of frames of the longest sequence."""
        return self._extent(self.time_dim_axis)

    def _extent(self, axis: int | None) -> Any:
        if axis is None:
            raise UnsupportedError("the size of an axis that the data lacks")
        return self._source.extent(axis)

    # ---------------------------------------------------------------- other orders of the axes

    def _with_front(self, *front: int | None) -> DataView[T]:
        first = [axis for axis in front if axis is not None]
        return DataView(self._source.in_order([*first, *(i for i in range(self.batch_ndim) if i not in first)]))

    def copy_as_batch_major(self) -> DataView[T]:
        """With the batch axis in front."""
        return self._with_front(self.batch_dim_axis)

    def copy_as_time_major(self) -> DataView[T]:
        """With the time axis in front."""
        return self._with_front(self.time_dim_axis)

    def copy_as_bt_or_tb_major(self) -> DataView[T]:
        """With batch and time in front."""
        found = [axis for axis in (self.batch_dim_axis, self.time_dim_axis) if axis is not None]
        return self._with_front(*sorted(found))

    def copy_with_feature_last(self) -> DataView[T]:
        """With the feature axis behind all others."""
        return self._with_front(*(i for i in range(self.batch_ndim) if i != self.feature_dim_axis))

    def get_placeholder_as_batch_major(self) -> T:
        """The tensor with the batch axis in front."""
        return self.copy_as_batch_major().placeholder

    def get_placeholder_as_time_major(self) -> T:
        """The tensor with the time axis in front."""
        return self.copy_as_time_major().placeholder
