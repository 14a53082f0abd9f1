"""Extents of axes: Python ints where they are known while tracing, else int32 scalars.

A traced op costs a tenth of a millisecond or two, most of it for its name, and a net has thousands: so these emit few.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import tensorflow as tf

__all__ = ["Shape", "Size", "over_last_axis", "product", "reshape", "sizes"]

Size: TypeAlias = "int | tf.Tensor"
#: The extents of several axes.
Shape: TypeAlias = list[Size]


def sizes(x: tf.Tensor) -> Shape:
    """The extents of all axes."""
    static: list[int | None] = x.shape.as_list()
    if None not in static:
        return [size for size in static if size is not None]
    return [known if size is None else size for size, known in zip(static, tf.unstack(tf.shape(x)), strict=True)]


def product(shape: Sequence[Size]) -> Size:
    """The number of entries of several axes."""
    static, total = 1, None
    for size in shape:
        if isinstance(size, int):
            static *= size
        else:
            total = size if total is None else total * size
    if total is None:
        return static
    return total if static == 1 else total * static


def reshape(x: tf.Tensor, shape: Sequence[Size | Shape]) -> tf.Tensor:
    """``x`` with other axes; a list of extents stands for one axis that has all of their entries."""
    groups = [list(part) if isinstance(part, list) else [part] for part in shape]
    dynamic = [any(not isinstance(size, int) for size in group) for group in groups]
    if sum(dynamic) == 1 and all(size for group in groups for size in group if isinstance(size, int)):
        # TensorFlow finds the only unknown one itself
        return tf.reshape(x, [-1 if d else product(group) for d, group in zip(dynamic, groups, strict=True)])
    return tf.reshape(x, [product(group) for group in groups])


#: oneDNN's kernels on CPUs take no more.
_MOST_AXES = 5


def over_last_axis(function: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor) -> tf.Tensor:
    """A function that works over the last axis, and gives as many entries; many axes are merged for it."""
    if len(x.shape) <= _MOST_AXES:
        return function(x)
    shape = sizes(x)
    return reshape(function(reshape(x, [shape[:-1], shape[-1]])), shape)
