"""The geometry of convolution and pooling, as TensorFlow has it.

onnxruntime's own ``SAME_UPPER`` refuses dilations, gives too few frames in ``AveragePool``, and its kernels fail on
axes that are shorter than the window. So padding is computed here: as attributes where the extent is known, else by a
``Pad`` in front and a ``Slice`` behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from returnn_ir.ir.dims import Dim

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__ = ["Axis", "Placed", "place", "trim"]


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


def place(e: Emitter, x: str, axes: Sequence[Axis], value: float, dtype: str) -> Placed:
    """Pad by ``value`` where that cannot be left to the kernel."""
    fixed = [axis.fixed() for axis in axes]
    pads = [side[0] if side else 0 for side in fixed] + [side[1] if side else 0 for side in fixed]
    counts: dict[int, str] = {}
    for axis, side in zip(axes, fixed, strict=True):
        if side is None:
            extent = e.axis_extent(x, axis.position)
            left, right, counts[axis.position] = _computed(e, axis, extent)
            x = e.pad(x, dtype, len(axes) + 2, axis.position, left, right, value)
    return Placed(x, pads, counts)


def _computed(e: Emitter, axis: Axis, extent: str) -> tuple[str, str, str]:
    """Padding on the left and on the right, and the number of windows; each a vector of one."""
    zero, one, reach = e.ints(0), e.ints(1), e.ints(axis.reach)
    stride = e.ints(axis.stride)
    if axis.same:
        count = e.op("Div", e.op("Add", extent, e.ints(axis.stride - 1)), stride)
        needed = e.op("Add", e.op("Mul", e.op("Sub", count, one), stride), reach)
        total = e.op("Max", e.op("Sub", needed, extent), zero)
        left = e.op("Div", total, e.ints(2))
        right = e.op("Sub", total, left)
        held = e.op("Add", extent, total)
    else:
        starts = e.op("Max", e.op("Add", e.op("Sub", extent, reach), one), zero)
        count = e.op("Div", e.op("Add", starts, e.ints(axis.stride - 1)), stride)
        left, right, held = zero, zero, extent
    # a window longer than the axis gives no frame, but the kernel wants to have room for one
    guard = e.op("Max", e.op("Sub", reach, held), zero)
    return left, e.op("Add", right, guard), count


def trim(e: Emitter, y: str, placed: Placed) -> str:
    """The frames that count."""
    for position, count in placed.counts.items():
        y = e.op("Slice", y, e.ints(0), count, e.ints(position))
    return y
