"""Layers that look at an axis through windows: window, fold, time_chunking, time_unchunking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.roles import arrange, batch_major, moved_to, with_roles
from returnn_ir.construct.declared_dims import settle
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.recurrence import leaves_loop
from returnn_ir.construct.settled_dims import is_known
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.axes.batch import merge_batch, split_batch
from returnn_ir.network.layer_options import Axis, LayerOptions, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Count, Size, option_class

__all__: list[str] = []


@option_class
class WindowOptions(SourceOptions):
    """Options of ``window``.

    Attributes:
        window_size: of the window.
        window_dim: the axis inside of the windows.
        window_left: frames of the window before the own one.
        window_right: frames of the window behind the own one.
        axis: the axis that the window slides over.
        out_spatial_dim: the new axis.
        padding: same or valid.
        stride: steps of the window.
    """

    window_size: Size | None = None
    window_dim: Dim | None = None
    window_left: Count | None = None
    window_right: Count | None = None
    axis: Axis = "T"
    out_spatial_dim: Dim | None = None
    padding: str = "same"
    stride: Size = 1


@layer("window", options=WindowOptions, names_time=True, recurrent=True)
def window(b: LayerBuilder, opt: WindowOptions, x: LayerOutput) -> LayerOutput:
    """A new axis with the neighbours of every position; zeros outside of the axis."""
    x = batch_major(x)
    size = opt.window_size or (opt.window_dim.size if opt.window_dim is not None else None)
    if not size:
        raise ConfigError(
            "the size of the window is not known",
            where=b.place("window_size"),
            expected="at least 1",
            received=opt.window_size,
            hint="'window_size', or a window_dim of fixed size",
        )
    if opt.window_dim is not None and opt.window_dim.size != size:
        raise DimError(f"window_dim must be of size {size}", where=b.place("window_dim"), received=opt.window_dim)
    frames = opt.window_dim or b.dim("window", size, description=f"{b.definition.name}:window")
    if b.is_loop_axis(x, opt.axis):
        return _in_loop(b, opt, x, frames)
    axis, padding = b.axis(x, opt.axis), opt.padding.lower()
    if padding == "same":
        left = _left(b, size, opt.window_left, opt.window_right)
        out = axis.ceildiv(opt.stride)
    elif padding == "valid":
        if opt.window_left is not None or opt.window_right is not None:
            raise ConfigError("padding 'valid' excludes window_left and window_right", where=b.place("padding"))
        left = 0
        out = (axis - (size - 1)).ceildiv(opt.stride)
    else:
        raise ConfigError(
            "unknown padding", where=b.place("padding"), expected="same or valid", received=repr(opt.padding)
        )
    source = b.window_input(x.value, [axis], 0)
    value = b.op("window", source, dim=axis, out=out, window=frames, left=left, stride=opt.stride)
    axes = [out if d is axis else d for d in x.axes]
    if b.behavior.window_order:
        axes.remove(out)
        axes[:0] = [frames, out] if opt.stride == 1 else [out, frames]
    else:
        axes.insert(axes.index(out) + 1, frames)
    result = arrange(x, value, axes, {axis: out})
    return settle(b, result, out, opt.out_spatial_dim, "out_spatial_dim")


def _left(b: LayerBuilder, size: int, left: int | None, right: int | None) -> int:
    """How many entries of the window stand before the position itself."""
    if left is None:
        return size - (size // 2 if right is None else right) - 1
    if right is not None and left + right + 1 != size:
        raise ConfigError(
            "the window's parts do not make up its size",
            where=b.place("window_left"),
            expected="window_left + window_right + 1 = window_size",
            received=f"{left} + {right} + 1, {size}",
        )
    return left


def _in_loop(b: LayerBuilder, opt: WindowOptions, x: LayerOutput, frames: Dim) -> LayerOutput:
    """The steps around this one: [batch, window, ...]."""
    size = b.size(frames)
    if opt.padding.lower() != "same" or opt.stride != 1 or opt.out_spatial_dim is not None:
        raise ConfigError("a window over steps has padding 'same' and stride 1", where=b.place())
    left = _left(b, size, opt.window_left, opt.window_right)
    if not 0 <= left < size:
        raise ConfigError(
            "a window over steps contains the step itself",
            where=b.place("window_left" if opt.window_left is not None else "window_right"),
            expected=f"at most {size - 1}, the window_size without the step itself",
            received=opt.window_left if opt.window_left is not None else opt.window_right,
        )
    value = _last_steps(b, x, frames) if left == size - 1 else _steps_around(b, x, frames, left)
    at = 0 if x.batch_dim is None else 1
    return arrange(x, value, (*x.axes[:at], frames, *x.axes[at:]))


def _last_steps(b: LayerBuilder, x: LayerOutput, frames: Dim) -> Value:
    """The source in the last steps of a loop, zeros before the first one.

    Each of these frames is a state of its own, so that a window over what is known for all steps leaves the loop.
    """
    with b.outside_loop():
        zero = b.expand(b.const(0, x.dtype, sparse_dim=x.sparse_dim), *x.axes)
    ages = range(1, b.size(frames))
    before = {age: b.loop_state(f"frame-{age}", zero) for age in ages}
    current = {0: x.value, **before}
    for age in ages:
        b.set_loop_state(f"frame-{age}", current[age - 1])
    ones = [Dim(f"{frames.name}{age}", 1) for age in current]
    parts = [b.expand(current[age], ones[age]) for age in reversed(current)]
    return b.op("concat", *parts, dims=tuple(reversed(ones)), out=frames)


def _steps_around(b: LayerBuilder, x: LayerOutput, frames: Dim, left: int) -> Value:
    """As RETURNN has it where it computes the layer on all steps at once: with those to come."""
    loop = b.enclosing_loop
    if loop.trial:
        return b.expand(x.value, frames)
    if loop.probe is not None and loop.probe.path == b.definition.path:
        loop.probe.answer(x)
    if loop.sequence is None or not leaves_loop(b.scope, b.definition.path):
        raise ConfigError(
            "a loop does not know the steps to come",
            where=b.place(),
            expected="a window that ends with the step itself, or over what does not depend on earlier steps",
            hint="'window_right': 0",
        )
    steps = loop.builder.dim
    whole = loop.sequence(b.definition.path)
    with b.outside_loop():
        source = b.window_input(whole.value, [steps], 0)
        windows = b.op("window", source, dim=steps, out=steps, window=frames, left=left)
    return loop.builder.scan(windows)


@option_class
class FoldOptions(LayerOptions):
    """Options of ``fold``.

    Attributes:
        mode: sum or mean of what falls on the same frame.
        in_spatial_dim: the axis of the windows.
        window_dim: the axis inside of the windows.
        out_spatial_dim: the new axis.
        padding: of the windows that are put together: same or valid.
        window_left: frames of the window before the own one.
        window_right: frames of the window behind the own one.
        stride: steps of the window.
    """

    mode: Literal["sum", "mean"]
    in_spatial_dim: Axis
    window_dim: Axis
    out_spatial_dim: Dim | None = None
    padding: str = "same"
    window_left: Count | None = None
    window_right: Count | None = None
    stride: Size = 1


@layer("fold", options=FoldOptions, sources="one", recurrent=True)
def fold(b: LayerBuilder, opt: FoldOptions, x: LayerOutput) -> LayerOutput:
    """Undo ``window``: sum or mean of everything that the windows say about a position."""
    axis, frames = b.axis(x, opt.in_spatial_dim, "in_spatial_dim"), b.axis(x, opt.window_dim, "window_dim")
    if axis is frames or frames.size is None:
        raise DimError(
            "the window needs an axis of its own, of fixed size", where=b.place("window_dim"), received=frames
        )
    size, padding = frames.size, opt.padding.lower()
    left, right = opt.window_left, opt.window_right
    if padding == "same":
        if left is None:
            left = (size - 1) // 2 if right is None else size - 1 - right
        made = axis * opt.stride
    elif padding == "valid":
        if left is None:
            left = (size - 1) // 2 if right is None else size - 1 - right
        made = left + axis * opt.stride + (size - 1 - left if right is None else right)
        left = 0
    else:
        raise ConfigError(
            "unknown padding", where=b.place("padding"), expected="same or valid", received=repr(opt.padding)
        )
    wanted = opt.out_spatial_dim
    known = wanted is not None and is_known(b, wanted)
    out = wanted if known and wanted is not None else made
    position = b.sub(b.add(b.mul(b.iota(axis), opt.stride), b.iota(frames)), left)
    value, valid = x.value, None
    if b.needs_mask(axis):
        valid = b.mask(axis)
        value = b.where(valid, value, b.const(0, value.dtype))
    value = _scattered(b, value, position, axis, frames, out)
    if opt.mode == "mean":
        ones = b.expand(b.const(1.0), frames, axis) if valid is None else b.expand(b.cast(valid, "float32"), frames)
        value = b.div(value, b.maximum(_scattered(b, ones, position, axis, frames, out), 1.0))
    rest = [d for d in x.axes if d not in (axis, frames)]
    result = arrange(x, value, (out, *rest), {axis: out})
    return settle(b, result, made, None if known else wanted, "out_spatial_dim")


def _scattered(b: LayerBuilder, value: Value, position: Value, axis: Dim, frames: Dim, out: Dim) -> Value:
    if out is not axis:
        return b.op("scatter_add", value, position, dims=(axis, frames), out=out)
    # the frames go back to the axis they came from, which the operands have too
    source = b.dim("source", None)
    if b.lookup(source) is None:
        b.define(source, b.length(axis))
    renamed = [b.rename(v, (axis, source)) for v in (value, position)]
    return b.op("scatter_add", *renamed, dims=(source, frames), out=out)


@option_class
class TimeChunkingOptions(SourceOptions):
    """Options of ``time_chunking``.

    Attributes:
        chunk_size: frames of a chunk.
        chunk_step: from the start of a chunk to the start of the next one.
        axis: the axis that the layer works on.
    """

    chunk_size: Size
    chunk_step: Size
    axis: Axis = "T"


@dataclass(frozen=True)
class _Chunks:
    """The dims of a chunking: the axis that was cut, the chunks' number, the frames in a chunk, batch times number."""

    time: Dim
    number: Dim
    frames: Dim
    batch: Dim
    merged: Dim
    chunk: Dim


def _chunks(b: LayerBuilder, path: str, time: Dim, batch: Dim, size: int, wanted: Dim | None) -> _Chunks:
    """The dims of the chunking layer ``path``, the same ones for the layer that undoes it."""

    def dim(role: str, size: int | None, description: str | None = None) -> Dim:
        return b.program.dims.setdefault((path, role), Dim(f"{path}.{role}", size, description=description))

    number = dim("chunks", None)
    chunk = wanted or dim("chunking", None, f"{path.rpartition('/')[2]}:chunking")
    return _Chunks(time, number, dim("frames", size), batch, batch * number, chunk)


@layer("time_chunking", options=TimeChunkingOptions, recurrent=True)
def time_chunking(b: LayerBuilder, opt: TimeChunkingOptions, x: LayerOutput) -> LayerOutput:
    """Cut sequences into pieces of equal size that may overlap, [chunk, batch * number of chunks, ...]."""
    time, batch = b.axis(x, opt.axis), x.batch_dim
    if batch is None:
        raise DimError("time_chunking needs a batch axis", where=b.place("from"), received=x.value.type)
    size, step = opt.chunk_size, opt.chunk_step
    c = _chunks(b, b.definition.path, time, batch, size, opt.out_dim)
    if b.lookup(c.number) is None:
        covered = b.maximum(b.add(b.sub(b.extent(time), size), step - 1), 0)
        b.define(c.number, b.add(b.binary("floordiv", covered, step), 1))
    value = x.value
    if b.needs_mask(time):
        value = b.where(b.mask(time), value, b.const(0, value.dtype))
    value = b.op("window", value, dim=time, out=c.number, window=c.frames, stride=step)
    value, renamed = merge_batch(b, value, (batch, c.number), c.merged)
    if b.lookup(c.chunk) is None:
        left = b.sub(b.length(time), b.mul(b.iota(c.number), step))
        lengths = b.expand(b.minimum(b.maximum(left, 0), size), batch, c.number)
        b.define(c.chunk, b.op("merge", lengths, dims=(batch, c.number), out=c.merged))
    value = b.rename(value, (c.frames, c.chunk))
    rest = [renamed.get(d, d) for d in x.axes if d not in (time, batch)]
    result = arrange(x, value, (c.chunk, c.merged, *rest), renamed)
    return with_roles(value, result.axes, c.chunk, result.feature_dim)


@option_class
class TimeUnchunkingOptions(SourceOptions):
    """Options of ``time_unchunking``.

    Attributes:
        chunking_layer: the time_chunking layer that is undone.
    """

    chunking_layer: LayerRef


@layer("time_unchunking", options=TimeUnchunkingOptions, recurrent=True)
def time_unchunking(b: LayerBuilder, opt: TimeUnchunkingOptions, x: LayerOutput) -> LayerOutput:
    """Undo ``time_chunking``: every frame is the mean of what the chunks with it say."""
    chunking = b.scope.net.layers.get(opt.chunking_layer)
    if chunking is None or not isinstance(chunking.options, TimeChunkingOptions):
        raise ConfigError("not a time_chunking layer", where=b.place("chunking_layer"), received=opt.chunking_layer)
    original = b.concat_features([b.layer(name) for name in chunking.sources])
    options = chunking.options
    time, batch = b.axis(original, options.axis), original.batch_dim
    if batch is None or x.batch_dim is None:
        raise DimError("time_unchunking needs a batch axis", where=b.place("from"), received=x.value.type)
    c = _chunks(b, chunking.path, time, batch, options.chunk_size, options.out_dim)
    if c.chunk not in x.axes or c.merged not in x.axes:
        raise DimError("the source has not the chunking's axes", where=b.place("from"), received=list(x.axes))
    inside = b.op("split", b.mask(c.chunk), dim=c.merged, outs=(batch, c.number))
    value, renamed = split_batch(b, x.value, c.merged, (batch, c.number))
    chunk = renamed.get(c.chunk, c.chunk)
    inside = b.rename(inside, (c.chunk, chunk))
    position = b.add(b.mul(b.iota(c.number), options.chunk_step), b.iota(chunk))
    dims = (c.number, chunk)
    total = b.op("scatter_add", b.where(inside, value, b.const(0, value.dtype)), position, dims=dims, out=time)
    count = b.op("scatter_add", b.cast(inside, value.dtype), position, dims=dims, out=time)
    value = b.div(total, b.maximum(count, 1.0))
    rest = [renamed.get(d, d) for d in x.axes if d not in (c.chunk, c.merged)]
    result = arrange(x, value, (time, batch, *rest), {c.chunk: time, **renamed})
    return moved_to(result, batch, 1)
