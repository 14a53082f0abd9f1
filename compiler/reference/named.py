"""Arrays whose axes carry dims, and how two of them are brought side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.errors import IRError
from returnn_ir.ir.dims import UNIT, Dim

__all__ = ["Named", "align", "union"]


@dataclass(frozen=True, eq=False)
class Named:
    """An array and the dim of each of its axes."""

    array: Array
    dims: tuple[Dim, ...] = ()

    def axis(self, dim: Dim) -> int:
        """The position of ``dim``."""
        return self.dims.index(dim)

    def extent(self, dim: Dim) -> int:
        """The size in memory of the axis ``dim``."""
        return int(self.array.shape[self.axis(dim)])

    def to(self, dims: Sequence[Dim]) -> Named:
        """The axes in another order; ``UNIT`` axes (TARGET stage) are dropped and inserted as asked."""
        if tuple(dims) == self.dims:
            return self
        if UNIT in self.dims or UNIT in dims:
            array = self.array.reshape([n for n, d in zip(self.array.shape, self.dims, strict=True) if d is not UNIT])
            held = Named(array, tuple(d for d in self.dims if d is not UNIT))
            moved = held.to([d for d in dims if d is not UNIT])
            units = tuple(i for i, d in enumerate(dims) if d is UNIT)
            return Named(np.expand_dims(moved.array, units), tuple(dims))
        if set(dims) != set(self.dims) or len(dims) != len(self.dims):
            raise IRError(f"axes {list(self.dims)} cannot be put into the order {list(dims)}")
        return Named(self.array.transpose([self.dims.index(d) for d in dims]), tuple(dims))

    def broadcastable(self, dims: Sequence[Dim]) -> Array:
        """The array with the axes ``dims``, of size one where this value lacks them."""
        present = [d for d in dims if d in self.dims]
        return np.expand_dims(self.to(present).array, tuple(i for i, d in enumerate(dims) if d not in self.dims))

    def last(self, *dims: Dim) -> Named:
        """With ``dims`` moved behind all others."""
        return self.to((*(d for d in self.dims if d not in dims), *dims))

    def first(self, *dims: Dim) -> Named:
        """With ``dims`` moved in front of all others."""
        return self.to((*dims, *(d for d in self.dims if d not in dims)))


def union(*values: Named) -> tuple[Dim, ...]:
    """Every dim of the values, each once."""
    return tuple(dict.fromkeys(d for v in values for d in v.dims))


def align(*values: Named) -> tuple[list[Array], tuple[Dim, ...]]:
    """Arrays that NumPy broadcasts as the dims say, and the dims of what comes out.

    With a ``UNIT`` axis the operands have been aligned before (TARGET stage); their axes are matched by position then.
    """
    if any(UNIT in v.dims for v in values):
        return [v.array for v in values], _positional(values)
    dims = union(*values)
    return [v.broadcastable(dims) for v in values], dims


def _positional(values: Sequence[Named]) -> tuple[Dim, ...]:
    rank = max(len(v.dims) for v in values)
    result = []
    for axis in range(-rank, 0):
        real = {v.dims[axis] for v in values if len(v.dims) >= -axis} - {UNIT}
        if len(real) > 1:
            raise IRError(f"operands are not aligned: axis {axis} is {sorted(str(d) for d in real)}")
        result.append(real.pop() if real else UNIT)
    return tuple(result)
