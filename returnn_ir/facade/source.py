"""What :class:`returnn_ir.facade.data.DataView` asks of the tensor that it stands for; each kind of tensor answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from returnn_ir.ir.dims import Dim

__all__ = ["Source"]

T = TypeVar("T", covariant=True)


class Source(Protocol[T]):
    """A tensor with numbered axes, and what their roles are."""

    @property
    def tensor(self) -> T:
        """The value."""

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """The static size of each axis."""

    @property
    def dims(self) -> tuple[Dim | None, ...]:
        """The dim of each axis; None: it only broadcasts."""

    @property
    def batch_axis(self) -> int | None:
        """The number of the batch axis."""

    @property
    def time_axis(self) -> int | None:
        """The number of the time axis."""

    @property
    def feature_axis(self) -> int | None:
        """The number of the feature axis."""

    @property
    def dynamic_axes(self) -> Sequence[int]:
        """The axes with lengths."""

    @property
    def feature_size(self) -> int | None:
        """The number of features, or of labels."""

    @property
    def sparse_dim(self) -> Dim | None:
        """What labels number."""

    @property
    def sparse(self) -> bool:
        """Whether these are labels."""

    @property
    def dtype(self) -> str:
        """The element type's name."""

    def find(self, description: object) -> list[int]:
        """The axes that a description names."""

    def lengths(self, axis: int) -> T:
        """Those of an axis, [B] int32."""

    def extent(self, axis: int) -> Any:
        """The size of an axis in memory."""

    def mask(self, axis: int) -> T:
        """True on the valid frames of an axis, over it and the batch in the order that they have here."""

    def broadcast_mask(self, axis: int) -> T:
        """The same with axes of size one for the others."""

    def in_order(self, order: Sequence[int]) -> Source[T]:
        """The axes in another order."""

    def decided_score(self) -> T:
        """The score of the hypothesis that was decided on, [B, 1]."""
