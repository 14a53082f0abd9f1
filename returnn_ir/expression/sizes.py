"""The sizes of axes, as ``tf.shape(x)[0]`` gives them: run-time numbers that know which axis they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from returnn_ir.dims import Dim
from returnn_ir.expression.limits import checked_count
from returnn_ir.expression.positional import Positional, UnsupportedError

if TYPE_CHECKING:
    from returnn_ir.layers.context import LayerBuilder

__all__ = ["Shape", "Size", "as_shape"]


class Size(Positional):
    """The extent of an axis: an integer scalar that remembers which axis it is of."""

    def __init__(self, b: LayerBuilder, dim: Dim) -> None:
        super().__init__(b, b.cast(b.extent(dim), "int32"), ())
        self.dim = dim


class Shape(list[object]):
    """``tf.shape(x)``: one entry per axis, a :class:`Size`, or 1."""

    @staticmethod
    def of(x: Positional) -> Shape:
        """The shape of a tensor."""
        return Shape(1 if d is None else Size(x.b, d) for d in x.axes)


def as_shape(shape: object) -> list[Dim | None]:
    """The axes that a shape argument stands for.

    Raises:
        UnsupportedError: an entry that is computed.
    """
    entries = shape if isinstance(shape, (list, tuple)) else [shape]
    axes: list[Dim | None] = []
    for i, entry in enumerate(entries):
        if isinstance(entry, Size):
            axes.append(entry.dim)
        elif isinstance(entry, int) and not isinstance(entry, bool) and entry >= 0:
            axes.append(None if entry == 1 else Dim(f"shape{i}", entry))
        else:
            raise UnsupportedError(f"a shape with the entry {entry!r}")
    checked_count(*[d.size for d in axes if d is not None and d.size is not None])
    return axes
