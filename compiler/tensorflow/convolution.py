"""Convolution and pooling, channels last, all axes that are not windows counting as batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import tensorflow as tf

from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.sizes import reshape, sizes
from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim

__all__ = ["CONVOLUTION_ROWS"]


@dataclass(frozen=True)
class _Window:
    """How a window moves; one entry per spatial axis."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: str

    @property
    def dilated(self) -> bool:
        """Has gaps: TensorFlow refuses strides besides, and in pooling the padding 'same' too."""
        return any(d > 1 for d in self.dilations)


def _window(call: Call, sizes: Sequence[int]) -> _Window:
    padding = str(call.attrs["padding"]).upper()
    if padding not in ("SAME", "VALID"):
        raise IRError(f"padding {call.attrs['padding']!r} of {call.node.op.name}")
    return _Window(tuple(sizes), tuple(call.attrs["strides"]), tuple(call.attrs["dilations"]), padding)


def _flattened(call: Call, x: tf.Tensor, kept: int) -> tf.Tensor:
    """All axes but the last ``kept`` made one."""
    dims = call.type().dims
    lead = len(dims) - kept
    if lead == 1:
        return x
    own = call.env.shape(dims)
    return reshape(x, [own[:lead], *own[lead:]])


def _unflattened(call: Call, y: tf.Tensor, lead: Sequence[Dim]) -> tf.Tensor:
    if len(lead) == 1:
        return y
    return reshape(y, [*call.env.shape(lead), *sizes(y)[1:]])


def _filter_sizes(call: Call) -> list[int]:
    sizes = [dim.size for dim in call.attrs["filter_dims"]]
    if None in sizes:
        raise IRError("a filter with dynamic axes")
    return [size for size in sizes if size is not None]


def _conv(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    window = _window(call, _filter_sizes(call))
    spatial = len(window.sizes)
    x = _flattened(call, operands[0], spatial + 1)
    y = _strided(x, window, lambda v, w: _grouped(v, operands[1], w, call.attrs["groups"]), 0.0)
    return _unflattened(call, y, call.type().dims[: -spatial - 1])


def _grouped(x: tf.Tensor, filters: tf.Tensor, window: _Window, groups: int) -> tf.Tensor:
    """One convolution. The kernel with groups has no derivative on the CPU, so they are taken one by one."""
    if groups == 1:
        return tf.nn.convolution(x, filters, strides=window.strides, padding=window.padding, dilations=window.dilations)
    if groups == x.shape[-1] and len(window.sizes) <= 2 and len(set(window.strides)) == 1:
        return _depthwise(x, filters, window)
    parts = zip(tf.split(x, groups, axis=-1), tf.split(filters, groups, axis=-1), strict=True)
    return tf.concat([_grouped(v, f, window, 1) for v, f in parts], axis=-1)


def _depthwise(x: tf.Tensor, filters: tf.Tensor, window: _Window) -> tf.Tensor:
    """Every channel by itself; the kernel is one for two axes, so a single one gets a second of size one."""
    channels, single = x.shape[-1], len(window.sizes) == 1
    sizes = (*window.sizes, 1) if single else window.sizes
    dilations = (*window.dilations, 1) if single else window.dilations
    y = tf.nn.depthwise_conv2d(
        tf.expand_dims(x, 2) if single else x,
        tf.reshape(filters, [*sizes, channels, filters.shape[-1] // channels]),
        strides=(1, window.strides[0], window.strides[0], 1),
        padding=window.padding,
        dilations=dilations,
    )
    return tf.squeeze(y, [2]) if single else y


def _cut(op: Callable[[tf.Tensor, _Window], tf.Tensor], x: tf.Tensor, window: _Window, fill: float) -> tf.Tensor:
    """``op`` without padding over axes that may be shorter than the window: then no window fits, and none is given.

    TensorFlow's kernels refuse that. They get at least one window, and what is too much is cut off again.
    """
    extents = tf.shape(x)
    missing: list[list[int | tf.Tensor]] = [[0, 0]]
    counts: list[tf.Tensor] = []
    for axis, (size, stride, dilation) in enumerate(
        zip(window.sizes, window.strides, window.dilations, strict=True), 1
    ):
        reach = (size - 1) * dilation + 1
        missing.append([0, tf.maximum(reach - extents[axis], 0)])
        counts.append(tf.maximum((extents[axis] - reach) // stride + 1, 0))
    padded = tf.pad(x, [*missing, [0, 0]], constant_values=tf.constant(fill, x.dtype))
    y = op(padded, replace(window, strides=(1,) * len(window.strides)) if window.dilated else window)
    if window.dilated:
        y = y[(slice(None), *(slice(None, None, stride) for stride in window.strides))]
    return y[(slice(None), *(slice(None, count) for count in counts))]


def _strided(x: tf.Tensor, window: _Window, op: Callable[[tf.Tensor, _Window], tf.Tensor], fill: float) -> tf.Tensor:
    """``op`` by strides; of a dilated window at every position of the axis padded by hand, of which some are kept."""
    if window.padding == "VALID" and None in x.shape[1:-1].as_list():
        return _cut(op, x, window, fill)
    if not window.dilated:
        return op(x, window)
    dense = _Window(window.sizes, (1,) * len(window.sizes), window.dilations, "VALID")
    y = op(_padded(x, window, fill), dense)
    return (
        y
        if dense.strides == window.strides
        else y[(slice(None), *(slice(None, None, stride) for stride in window.strides))]
    )


def _padded(x: tf.Tensor, window: _Window, fill: float) -> tf.Tensor:
    """What padding 'same' adds: as much as the last window needs, the larger half behind."""
    if window.padding == "VALID":
        return x
    paddings: list[list[int | tf.Tensor]] = [[0, 0]]
    extents = tf.shape(x)
    each = zip(window.sizes, window.strides, window.dilations, strict=True)
    for axis, (size, stride, dilation) in enumerate(each, 1):
        extent = extents[axis]
        # without strides the windows begin everywhere, so only their reach counts
        total = (size - 1) * dilation
        if stride > 1:
            total = tf.maximum((-(-extent // stride) - 1) * stride + total + 1 - extent, 0)
        paddings.append([total // 2, total - total // 2])
    return tf.pad(x, [*paddings, [0, 0]], constant_values=tf.constant(fill, x.dtype))


def _conv_transpose(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """Every frame adds the filter [*window, out, in] to the result at its own place; then the result is cut."""
    sizes = _filter_sizes(call)
    spatial = len(sizes)
    window = _Window(tuple(sizes), tuple(call.attrs["strides"]), tuple(call.attrs["dilations"]), "VALID")
    x = _flattened(call, operands[0], spatial + 1)
    full = _spread_filter(x, operands[1], window)
    extents = tf.shape(x)
    each = zip(window.strides, call.attrs["extra"], strict=True)
    outs = [tf.maximum(extents[axis] * stride + extra, 0) for axis, (stride, extra) in enumerate(each, 1)]
    y = _cropped(full, call.attrs["crop"], outs)
    return _unflattened(call, y, call.type().dims[: -spatial - 1])


def _spread_filter(x: tf.Tensor, filters: tf.Tensor, window: _Window) -> tf.Tensor:
    if all(dilation == 1 for dilation in window.dilations):
        shape = tf.shape(x)
        each = enumerate(zip(window.sizes, window.strides, strict=True), 1)
        ends = [tf.maximum(shape[axis] - 1, 0) * stride + size for axis, (size, stride) in each]
        wanted = tf.stack([shape[0], *ends, filters.shape[-2]])
        return tf.nn.conv_transpose(x, filters, wanted, window.strides, padding="VALID")
    # TensorFlow's kernel knows no dilation here: zeros between the frames, then a convolution with the filter turned
    spatial = len(window.sizes)
    turned = tf.reverse(tf.linalg.matrix_transpose(filters), list(range(spatial)))
    reach = [(size - 1) * dilation for size, dilation in zip(window.sizes, window.dilations, strict=True)]
    padded = tf.pad(_spread(x, window.strides), [[0, 0], *([r, r] for r in reach), [0, 0]])
    return _grouped(padded, turned, _Window(window.sizes, (1,) * spatial, window.dilations, "VALID"), 1)


def _spread(x: tf.Tensor, strides: Sequence[int]) -> tf.Tensor:
    """``stride - 1`` zeros between neighbours."""
    for axis, stride in enumerate(strides, 1):
        if stride > 1:
            shape = tf.shape(x)
            sizes = [shape[i] if n is None else n for i, n in enumerate(x.shape)]
            wide = tf.pad(
                tf.expand_dims(x, axis + 1), [[0, stride - 1 if i == axis + 1 else 0] for i in range(len(sizes) + 1)]
            )
            merged = tf.reshape(wide, [*sizes[:axis], sizes[axis] * stride, *sizes[axis + 1 :]])
            end = tf.maximum(sizes[axis] * stride - (stride - 1), 0)
            x = merged[(slice(None),) * axis + (slice(0, end),)]
    return x


def _cropped(x: tf.Tensor, crop: Sequence[int], sizes: Sequence[int | tf.Tensor]) -> tf.Tensor:
    """``sizes`` entries from ``crop`` on, zeros where there are not so many."""
    for axis, (start, size) in enumerate(zip(crop, sizes, strict=True), 1):
        cut = x[(slice(None),) * axis + (slice(start, start + size),)]
        missing = size - tf.shape(cut)[axis]
        x = tf.pad(cut, [[0, missing if i == axis else 0] for i in range(len(cut.shape))])
    return x


def _pool(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    count = len(call.attrs["dims"])
    window = _window(call, call.attrs["sizes"])
    x = tf.expand_dims(_flattened(call, operands[0], count), -1)
    pooled = _max_pool(x, window) if call.attrs["kind"] == "max" else _mean_pool(x, window)
    y = tf.squeeze(pooled, [-1])
    return _unflattened(call, y, call.type().dims[:-count])


def _pooled(x: tf.Tensor, window: _Window, kind: str) -> tf.Tensor:
    return tf.nn.pool(x, window.sizes, kind, strides=window.strides, padding=window.padding, dilations=window.dilations)


def _max_pool(x: tf.Tensor, window: _Window) -> tf.Tensor:
    return _strided(x, window, lambda v, w: _pooled(v, w, "MAX"), x.dtype.min)


def _mean_pool(x: tf.Tensor, window: _Window) -> tf.Tensor:
    if window.padding == "VALID":
        return _strided(x, window, lambda v, w: _pooled(v, w, "AVG"), 0.0)
    if not window.dilated:
        return _pooled(x, window, "AVG")
    total = _strided(x, window, lambda v, w: _pooled(v, w, "AVG"), 0.0)
    present = _strided(tf.ones_like(x), window, lambda v, w: _pooled(v, w, "AVG"), 0.0)
    return total / present


CONVOLUTION_ROWS: dict[str, Row] = {"conv": _conv, "conv_transpose": _conv_transpose, "pool": _pool}
