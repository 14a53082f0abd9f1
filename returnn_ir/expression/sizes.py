"""The sizes of axes, as ``tf.shape(x)`` gives them: run-time numbers that know which axis they are of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from returnn_ir.errors import UnsupportedError
from returnn_ir.expression.limits import checked_count
from returnn_ir.expression.numbered import Numbered, packed
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__ = ["Shape", "Size", "as_shape", "entries_of"]


class Size(Numbered):
    """The extent of an axis: an integer scalar that remembers which axis it is of."""

    def __init__(self, b: Tracer, dim: Dim, dtype: str = "int32") -> None:
        super().__init__(b, b.cast(b.extent(dim), dtype), ())
        self.dim = dim


class Shape(Numbered):
    """``tf.shape(x)``: a vector that remembers its entries, each a :class:`Size` or a number.

    As an argument that says what shape something has, the entries count; anything else computes with the vector.
    """

    def __init__(self, b: Tracer, entries: Sequence[object], dtype: str = "int32") -> None:
        self.b = b
        self._dtype = dtype
        self.entries = list(entries)
        self._rank = Dim("rank", len(self.entries))
        self.axes = (self._rank,)
        self._value: Value | None = None

    @staticmethod
    def of(x: Numbered, dtype: str = "int32") -> Shape:
        """The shape of a tensor."""
        return Shape(x.b, [1 if d is None else Size(x.b, d, dtype) for d in x.axes], dtype)

    @property
    def value(self) -> Value:  # type: ignore[override]  # made only where it is needed
        """The vector."""
        if self._value is None:
            self._value = packed(self.b, self.entries, self._rank, self._dtype)
        return self._value

    def __iter__(self) -> Iterator[object]:  # type: ignore[override]  # unlike other tensors it has known entries
        return iter(self.entries)

    def __getitem__(self, key: object) -> Numbered:
        if isinstance(key, slice):
            return Shape(self.b, self.entries[key], self._dtype)
        if isinstance(key, int):
            found = self.entries[key]
            return found if isinstance(found, Numbered) else Numbered(self.b, self.b.const(found, self._dtype), ())
        return super().__getitem__(key)


def entries_of(shape: object) -> list[object] | None:
    """The entries of a shape argument; None where it is computed as a whole."""
    if isinstance(shape, Shape):
        return list(shape.entries)
    return list(shape) if isinstance(shape, (list, tuple)) else None


def as_shape(shape: object) -> list[Dim | None]:
    """The axes that a shape argument stands for.

    Raises:
        UnsupportedError: an entry that is computed.
    """
    entries = entries_of(shape)
    axes: list[Dim | None] = []
    for i, entry in enumerate([shape] if entries is None else entries):
        if isinstance(entry, Size):
            axes.append(entry.dim)
        elif isinstance(entry, int) and not isinstance(entry, bool) and entry >= 0:
            axes.append(None if entry == 1 else Dim(f"shape{i}", entry))
        else:
            raise UnsupportedError(f"a shape with the entry {entry!r}")
    checked_count(*[d.size for d in axes if d is not None and d.size is not None])
    return axes
