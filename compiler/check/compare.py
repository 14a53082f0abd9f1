"""Comparing outputs by the roles of their axes, on valid frames only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compiler.check.recorded import RecordedOutput
from compiler.target.protocol import Array
from returnn_ir.ir.dims import COMPLEX_PARTS, Dim
from returnn_ir.ir.graph import Output

__all__ = ["UNUSED_SCORE", "Difference", "compare_arrays", "compare_gradient", "compare_output"]

#: float32: RETURNN's numbers are one computation order, ours is another.
RTOL, ATOL = 1e-4, 1e-5
#: of the tensor's largest entry
GRADIENT_RTOL = 1e-3
#: beam slots below this score are unused
UNUSED_SCORE = -1e20


@dataclass(frozen=True)
class Difference:
    """The outcome of one comparison: the largest absolute difference, and what is wrong, if anything."""

    max_abs: float
    reason: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the two agree."""
        return self.reason is None


def compare_arrays(expected: Array, received: Array) -> Difference:
    """Two arrays of one shape: integers and bools exactly, floats within RTOL and ATOL, equal infinities match."""
    if expected.shape != received.shape:
        return Difference(np.inf, f"shape {received.shape}, expected {expected.shape}")
    if expected.size == 0:
        return Difference(0.0)
    if expected.dtype.kind not in "fc" and received.dtype.kind not in "fc":
        wrong = int(np.sum(expected.astype(np.int64) != received.astype(np.int64)))
        largest = float(np.max(np.abs(expected.astype(np.int64) - received.astype(np.int64))))
        return Difference(largest, f"{wrong} of {expected.size} entries differ" if wrong else None)
    wide = np.complex128 if "c" in expected.dtype.kind + received.dtype.kind else np.float64
    a, b = expected.astype(wide), received.astype(wide)
    with np.errstate(invalid="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        error = np.where(same, 0.0, np.abs(a - b))
    error = np.where(np.isnan(error), np.inf, error)
    bad = ~same & ~(np.isfinite(error) & (error <= ATOL + RTOL * np.abs(a)))
    largest = float(np.max(error))
    return Difference(
        largest, f"{int(bad.sum())} of {bad.size} entries differ, by up to {largest:.3g}" if bad.any() else None
    )


def compare_gradient(expected: Array, received: Array) -> Difference:
    """Gradients, relative to the largest entry of the tensor."""
    if expected.shape != received.shape:
        return Difference(np.inf, f"shape {received.shape}, expected {expected.shape}")
    if expected.size == 0:
        return Difference(0.0)
    error = float(np.max(np.abs(expected.astype(np.float64) - received.astype(np.float64))))
    limit = ATOL + GRADIENT_RTOL * float(np.max(np.abs(expected)))
    return Difference(error, None if error <= limit else f"gradient differs by up to {error:.3g}, allowed {limit:.3g}")


def compare_output(expected: RecordedOutput, output: Output, received: Array, lengths: dict[int, Array]) -> Difference:
    """A layer's output: axes matched batch to batch, dynamic ones in order, static ones in order."""
    axes = list(output.axes)
    if axes and axes[-1] is COMPLEX_PARTS:
        axes.pop()
        received = received[..., 0] + 1j * received[..., 1]
    if output.beam is not None and expected.beam_scores is not None:
        axes, received, lengths = _fold_beam(output, received, lengths)
    kinds = [_kind(d.is_batch, d.size) for d in axes]
    wanted = [
        "static" if k.startswith("static") else "dynamic" if k.startswith("dynamic") else k for k in expected.kinds
    ]
    if sorted(kinds) != sorted(wanted):
        return Difference(np.inf, f"axes are {kinds}, expected {expected.kinds}")
    order = _match(wanted, kinds)
    value = np.transpose(received, order) if order else received
    places = {axis: _length_axes(output, axes, own, order) for axis, own in enumerate(order) if own in lengths}
    for axis, size in expected.sizes.items():
        if axis not in places:
            return Difference(np.inf, f"no lengths for axis {axis}")
        found = _in_order(lengths[order[axis]], places[axis])
        broadcast = np.broadcast_to(found.astype(np.int64), size.shape) if found.ndim <= size.ndim else found
        counts = _steps_that_count(expected, places[axis], size.shape)
        if not np.array_equal(broadcast[counts], size.astype(np.int64)[counts]):
            return Difference(np.inf, f"lengths {found.tolist()}, expected {size.tolist()}")
    reference = expected.value
    for axis, kind in enumerate(wanted):
        if kind == "dynamic" and value.shape[axis] != reference.shape[axis]:
            # frames that are padding for everyone may be more or fewer
            common = min(value.shape[axis], reference.shape[axis])
            longest = int(np.max(expected.sizes[axis], initial=0)) if axis in expected.sizes else reference.shape[axis]
            if common < longest:
                return Difference(np.inf, f"axis {axis} has {value.shape[axis]} frames, expected {longest}")
            value = np.take(value, np.arange(common), axis)
            reference = np.take(reference, np.arange(common), axis)
    if reference.shape != value.shape:
        return Difference(np.inf, f"shape {value.shape}, expected {reference.shape}")
    valid = _valid(expected, wanted, reference.shape, places)
    return compare_arrays(reference[valid], value[valid])


def _length_axes(output: Output, axes: list[Dim], own: int, order: list[int]) -> list[int]:
    """The axes, as RETURNN numbers them, that lengths differ along, in the lengths' own order; empty if unknown."""
    dims = output.lengths[own].dims if own in output.lengths else ()
    if any(d not in axes for d in dims):
        return []
    return [order.index(axes.index(d)) for d in dims]


def _in_order(lengths: Array, places: list[int]) -> Array:
    """Lengths along several axes in the order of the output's axes, as RETURNN has them."""
    if len(places) != lengths.ndim or lengths.ndim < 2:
        return lengths
    return np.transpose(lengths, np.argsort(places))


def _steps_that_count(expected: RecordedOutput, places: list[int], shape: tuple[int, ...]) -> Array:
    """Where lengths along several axes are those of a frame: not behind the end of another of these axes."""
    counts = np.ones(shape, bool)
    places = sorted(places)
    if len(places) != len(shape) or len(shape) < 2:
        return counts
    for at, axis in enumerate(places):
        size = expected.sizes.get(axis)
        batch = next((i for i, other in enumerate(places) if size is not None and i != at), None)
        if size is None or batch is None or size.shape != (shape[batch],):
            continue
        bound = size.reshape([-1 if i == batch else 1 for i in range(len(shape))])
        counts &= np.arange(shape[at]).reshape([-1 if i == at else 1 for i in range(len(shape))]) < bound
    return counts


def _fold_beam(output: Output, received: Array, lengths: dict[int, Array]) -> tuple[list[Dim], Array, dict[int, Array]]:
    """The hypotheses as part of the batch axis, batch outermost: how RETURNN has them."""
    axes = list(output.axes)
    at = axes.index(output.beam) if output.beam is not None else 0
    shape = received.shape
    folded = received.reshape((*shape[: at - 1], shape[at - 1] * shape[at], *shape[at + 1 :]))
    flat: dict[int, Array] = {}
    for axis, size in lengths.items():
        dims = list(output.lengths[axis].dims)
        if output.beam in dims:
            order = [i for i, d in enumerate(dims) if d is not output.beam] + [dims.index(output.beam)]
            size = np.transpose(size, order).reshape(-1)
        elif size.ndim == 1:
            size = np.repeat(size, shape[at])
        flat[axis - (axis > at)] = size
    return axes[:at] + axes[at + 1 :], folded, flat


def _kind(is_batch: bool, size: int | None) -> str:
    return "batch" if is_batch else "dynamic" if size is None else "static"


def _match(wanted: list[str], kinds: list[str]) -> list[int]:
    """For each wanted axis the own axis of the same kind, in order."""
    free: dict[str, list[int]] = {}
    for own, kind in enumerate(kinds):
        free.setdefault(kind, []).append(own)
    return [free[kind].pop(0) for kind in wanted]


def _valid(expected: RecordedOutput, kinds: list[str], shape: tuple[int, ...], places: dict[int, list[int]]) -> Array:
    """True on the entries that are part of the contract."""
    valid = np.ones(shape, bool)
    batch = kinds.index("batch") if "batch" in kinds else None
    for axis, size in expected.sizes.items():
        frames = np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        if size.ndim == 1 and batch is not None and size.shape[0] == shape[batch]:
            bound = size.reshape([-1 if a == batch else 1 for a in range(len(shape))])
            valid &= frames < bound
        elif size.ndim == 0:
            valid &= frames < size
        elif size.ndim == len(places[axis]):
            at = sorted(places[axis])
            valid &= frames < size.reshape([size.shape[at.index(a)] if a in at else 1 for a in range(len(shape))])
    if expected.beam_scores is not None and batch is not None:
        used = (expected.beam_scores > UNUSED_SCORE).reshape([-1 if a == batch else 1 for a in range(len(shape))])
        valid &= used
    return valid
