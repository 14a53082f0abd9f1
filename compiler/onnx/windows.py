"""The geometry of convolution and pooling, as TensorFlow has it.

onnxruntime's own ``SAME_UPPER`` refuses dilations, gives too few frames in ``AveragePool``, and its kernels fail on
axes that are shorter than the window. So padding is computed here: as attributes where the extent is known; where it
is not, as attributes that are large enough for any, else by a ``Pad`` in front, and in both cases a ``Slice`` behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from returnn_ir.ir.dims import Dim

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__ = ["Axis", "Placed", "place", "place_beside", "trim"]


#: So many windows are computed for nothing rather than that an array is copied.
_SHORT = 8


@dataclass(frozen=True)
class Axis:
    """One axis that windows slide over.

    Attributes:
        position: where it is in the array given to the kernel.
        kernel: the number of entries in a window.
        same: padding ``same`` instead of ``valid``.
    """

    dim: Dim
    position: int
    kernel: int
    stride: int
    dilation: int
    same: bool

    @property
    def reach(self) -> int:
        """The entries from the first to the last of a window."""
        return (self.kernel - 1) * self.dilation + 1

    def fixed(self) -> tuple[int, int] | None:
        """The padding on both sides where the extent is known and no window is longer than the axis, else None."""
        size = self.dim.size
        if size is None:
            return None
        if not self.same:
            return (0, 0) if size >= self.reach else None
        count = -(-size // self.stride)
        return self._split(max((count - 1) * self.stride + self.reach - size, 0)) if size else None

    def ample(self) -> tuple[int, int] | None:
        """Padding for every extent, with frames to cut off behind, by a kernel that pads as much as a window is long.

        None where what is needed in front depends on the extent, as it does when windows of odd size go by two, or
        where the windows that are computed for nothing may cost more than a copy. One window always fits, so that the
        kernel takes an axis without entries, too.
        """
        if not self.same:
            return (0, self.reach) if self.reach <= _SHORT * self.stride else None
        least, most = (max(self.reach - s, 0) // 2 for s in (self.stride, 1))
        return (most, self.reach - most) if least == most else None

    @staticmethod
    def _split(total: int) -> tuple[int, int]:
        return total // 2, total - total // 2


@dataclass(frozen=True)
class Placed:
    """An array ready for the kernel.

    Attributes:
        pads: the kernel's ``pads`` attribute.
        counts: the frames of the result by axis, where the kernel may give more.
    """

    name: str
    pads: list[int]
    counts: dict[int, str]


def place(e: Emitter, x: str, axes: Sequence[Axis], value: float, dtype: str, rank: int) -> Placed:
    """Pad by ``value`` where that cannot be left to the kernel; ``rank`` is that of the array."""
    fixed = [axis.fixed() for axis in axes]
    pads = [side[0] if side else 0 for side in fixed] + [side[1] if side else 0 for side in fixed]
    counts: dict[int, str] = {}
    for axis, side in zip(axes, fixed, strict=True):
        if side is None:
            left, right, counts[axis.position] = _computed(e, axis, e.extent(axis.dim))
            x = e.pad(x, dtype, rank, axis.position, left, right, value)
    return Placed(x, pads, counts)


def place_beside(e: Emitter, x: str, axes: Sequence[Axis], dtype: str) -> Placed:
    """As :func:`place` with zeros, for a kernel that takes any padding: nothing is copied where that is enough."""
    ample = {axis: axis.ample() for axis in axes if axis.fixed() is None}
    left = [axis for axis in axes if ample.get(axis) is None]
    placed = place(e, x, left, 0.0, dtype, len(axes) + 2)
    heads, tails = placed.pads[: len(left)], placed.pads[len(left) :]
    sides = dict(zip(left, zip(heads, tails, strict=True), strict=True)) | {a: s for a, s in ample.items() if s}
    counts = {axis.position: _count(e, axis, e.extent(axis.dim)) for axis in axes if ample.get(axis) is not None}
    return Placed(placed.name, [sides[a][i] for i in range(2) for a in axes], placed.counts | counts)


def _count(e: Emitter, axis: Axis, extent: str) -> str:
    """The number of windows, a vector of one."""
    starts = extent if axis.same else e.op("Max", e.op("Sub", extent, e.ints(axis.reach - 1)), e.ints(0))
    if axis.stride == 1:
        return starts
    return e.op("Div", e.op("Add", starts, e.ints(axis.stride - 1)), e.ints(axis.stride))


def _computed(e: Emitter, axis: Axis, extent: str) -> tuple[str, str, str]:
    """Padding on the left and on the right, and the number of windows; each a vector of one."""
    zero, reach, count = e.ints(0), e.ints(axis.reach), _count(e, axis, extent)
    if axis.same:
        # (count - 1) * stride + reach - extent
        needed = e.op("Add", e.op("Mul", count, e.ints(axis.stride)), e.ints(axis.reach - axis.stride))
        total = e.op("Max", e.op("Sub", needed, extent), zero)
        left = e.op("Div", total, e.ints(2))
        right = e.op("Sub", total, left)
        held = e.op("Add", extent, total)
    else:
        left, right, held = zero, zero, extent
    # a window longer than the axis gives no frame, but the kernel wants to have room for one
    guard = e.op("Max", e.op("Sub", reach, held), zero)
    return left, e.op("Add", right, guard), count


def trim(e: Emitter, y: str, placed: Placed) -> str:
    """The frames that count."""
    for position, count in placed.counts.items():
        y = e.op("Slice", y, e.ints(0), count, e.ints(position))
    return y
