"""Layers that cut, pad and shift one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.roles import arrange, batch_major, moved_to
from returnn_ir.construct.declared_dims import require, settle
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import Axis, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Count, Size, option_class

__all__: list[str] = []


@option_class
class SliceOptions(SourceOptions):
    """Options of ``slice``.

    Attributes:
        axis: the axis that the layer works on.
        slice_start: the first frame.
        slice_end: the frame behind the last one; negative: from the end.
        slice_step: every how many frames.
    """

    axis: Axis
    slice_start: Count | None = None
    slice_end: int | None = None
    slice_step: int | None = None


@layer("slice", options=SliceOptions)
def slice_axis(b: LayerBuilder, opt: SliceOptions, x: LayerOutput) -> LayerOutput:
    """``x[start:end:step]`` on one axis as it lies in memory."""
    axis = b.axis(x, opt.axis)
    start, end, step = opt.slice_start, opt.slice_end, opt.slice_step
    if step == 0:
        raise ConfigError("slice_step must not be zero", where=b.place("slice_step"), received=step)
    out = axis - start if start else axis
    if end is not None and end >= 0:
        feature = axis.feature
        out = b.dim("slice", end - (start or 0), feature=feature, description=f"{b.definition.name}:slice-end")
    elif end is not None:
        out = out - (-end)
    if step is not None and abs(step) != 1:
        out = out.ceildiv(abs(step))
    source, held = b.window_input(x.value, [axis], 0), axis
    if end is not None and end >= 0 and axis.is_dynamic:  # of static size from here on
        text = f"the axis {axis.name} is shorter than slice_end {end}"
        require(b, [axis], "slice_end", text, lambda r: r.binary("greater_equal", r.extent(axis), end))
        held = b.dim("held", end, feature=axis.feature)
        source = b.op("resize_axis", source, dim=axis, out=held)
    value = b.op("slice", source, dim=held, out=out, start=start, end=end, step=step or 1)
    return settle(b, _replaced(x, value, axis, out), out, opt.out_dim)


def _number(value: float | bool) -> int | float:
    """A whole number as int, so that it fits labels too."""
    return int(value) if float(value).is_integer() else value


def _replaced(x: LayerOutput, value: Value, old: Dim, new: Dim) -> LayerOutput:
    return arrange(x, value, [new if d is old else d for d in x.axes], {old: new}, keep_time=x.time_named)


_Amount = Count | Dim


@option_class
class PadOptions(SourceOptions):
    """Options of ``pad``.

    Attributes:
        axes: the axes that the layer works on.
        padding: frames before and behind, for all axes or for each.
        out_dims: the padded axes.
        handle_dynamic_dims: frames come directly behind a sequence's end; None: by the behaviour version.
        value: what is put there, with mode constant.
        mode: constant, reflect, symmetric or replication.
    """

    axes: Axis
    padding: _Amount | Sequence[_Amount] | Sequence[Sequence[_Amount]]
    out_dims: Dim | list[Dim] | tuple[Dim, ...] | None = None
    handle_dynamic_dims: bool | None = None
    value: int | float | bool | LayerRef = 0
    mode: str = "constant"


_PAD_MODES = {"constant": "constant", "reflect": "reflect", "symmetric": "symmetric", "replication": "replicate"}


@layer("pad", options=PadOptions)
def pad(b: LayerBuilder, opt: PadOptions, x: LayerOutput) -> LayerOutput:
    """Entries in front of and behind axes."""
    mode = _PAD_MODES.get(opt.mode.lower())
    if mode is None:
        raise ConfigError("unknown mode", where=b.place("mode"), expected=", ".join(_PAD_MODES), received=opt.mode)
    specs = opt.axes if isinstance(opt.axes, (list, tuple)) else [opt.axes]
    axes = [b.axis(x, spec, "axes") for spec in specs]
    amounts = _amounts(b, opt.padding, len(axes))
    wanted: list[Dim | None] = [None] * len(axes)
    if opt.out_dims is not None:
        wanted = [opt.out_dims] if isinstance(opt.out_dims, Dim) else list(opt.out_dims)
    if len(wanted) != len(axes):
        raise ConfigError("one out_dim per axis is needed", where=b.place("out_dims"), received=wanted)
    if mode == "replicate" and len(axes) > 1:
        raise ConfigError("replication pads one axis only", where=b.place("mode"))
    handled = b.behavior.pad_ragged if opt.handle_dynamic_dims is None else opt.handle_dynamic_dims
    for axis, (left, right), out_dim in zip(axes, amounts, wanted, strict=True):
        out = left + axis + right
        ragged = handled and right > 0 and b.needs_mask(axis)
        if ragged and mode != "constant":
            raise ConfigError(f"mode {mode} cannot follow each sequence's end", where=b.place("handle_dynamic_dims"))
        if left or right:
            value = _padded(b, opt.value, x.value, axis, out, (left, right), mode, ragged=ragged)
            x = arrange(x, value, [out if d is axis else d for d in x.axes], {axis: out}, keep_feature=True)
        x = settle(b, x, out, out_dim, "out_dims")
    return x


def _amounts(b: LayerBuilder, padding: Any, count: int) -> list[tuple[int, int]]:
    """(left, right) per axis."""
    pairs: list[tuple[Any, ...]]
    if not isinstance(padding, (list, tuple)):
        pairs = [(padding, padding)] * count
    elif padding and isinstance(padding[0], (list, tuple)):
        pairs = [tuple(p) for p in padding]
    else:
        pairs = [tuple(padding)] * count
    sizes: list[tuple[Any, ...]] = [tuple(p.size if isinstance(p, Dim) else p for p in pair) for pair in pairs]
    fine = len(sizes) == count and all(len(p) == 2 and all(isinstance(n, int) and n >= 0 for n in p) for p in sizes)
    if not fine:
        raise ConfigError(
            "padding is not understood",
            where=b.place("padding"),
            expected="a number, (left, right), or one such pair per axis",
            received=padding,
        )
    return [(p[0], p[1]) for p in sizes]


def _padded(
    b: LayerBuilder,
    fill: int | float | LayerRef,
    value: Value,
    axis: Dim,
    out: Dim,
    amounts: tuple[int, int],
    mode: str,
    *,
    ragged: bool,
) -> Value:
    left, right = amounts
    number = 0 if isinstance(fill, str) else _number(fill)
    value = b.window_input(value, [axis], number)
    padded = b.op("pad", value, dim=axis, out=out, left=left, right=right, mode=mode, value=number, ragged=ragged)
    if not isinstance(fill, str) or mode != "constant":
        return padded
    filling = b.layer(fill)
    if filling.axes:
        raise DimError("the value to pad with must be a scalar", where=b.place("value"), received=filling.value.type)
    step = b.iota(out)
    end = b.add(b.length(axis) if ragged else b.extent(axis), left)
    inside = b.op("logical_and", b.op("greater_equal", step, b.const(left)), b.op("less", step, end))
    return b.where(inside, padded, b.cast(filling.value, padded.dtype))


@option_class
class ShiftAxisOptions(SourceOptions):
    """Options of ``shift_axis``.

    Attributes:
        axis: the axis that the layer works on.
        amount: frames to shift by; positive: to the right.
        pad: the axis keeps its size.
        pad_value: what comes in.
        adjust_size_info: without padding, lengths become shorter.
    """

    axis: Axis
    amount: int
    pad: bool = True
    pad_value: int | float | bool = 0
    adjust_size_info: bool = True


@layer("shift_axis", options=ShiftAxisOptions)
def shift_axis(b: LayerBuilder, opt: ShiftAxisOptions, x: LayerOutput) -> LayerOutput:
    """Move the entries of an axis by ``amount`` (to the right if positive); what is shifted out is lost."""
    axis, amount = b.axis(x, opt.axis), opt.amount
    if amount == 0:
        raise ConfigError("a shift by nothing", where=b.place("amount"))
    left = amount > 0
    size = abs(amount)
    kept = axis - size
    bounds = {"start": None, "end": -size} if left else {"start": size, "end": None}
    value, wide, rest = b.window_input(x.value, [axis], _number(opt.pad_value)), axis, kept
    if opt.pad:  # before the cut, so that an axis that is shorter than the shift keeps its extent
        wide, rest = axis + size, axis
        sides = {"left": size, "right": 0} if left else {"left": 0, "right": size}
        value = b.op("pad", value, dim=axis, out=wide, value=_number(opt.pad_value), **sides)
    value = b.op("slice", value, dim=wide, out=rest, step=1, **bounds)
    if axis.is_static:
        out = axis if opt.pad else kept
        return _replaced(x, value, axis, out)
    if opt.pad and not opt.adjust_size_info:
        return _replaced(x, value, axis, axis)
    out = b.dim("shifted", None, feature=axis.feature, description=f"{b.definition.name}_shift_axis")
    if b.lookup(out) is None:
        change = (amount if left and opt.pad else 0 if left else amount) if opt.adjust_size_info else 0
        extent = b.extent(axis) if opt.pad else b.maximum(b.sub(b.extent(axis), size), 0)
        b.define(out, b.minimum(b.maximum(b.add(b.length(axis), change), 0), extent))
    value = b.rename(value, (rest, out))
    return _replaced(x, value, axis, out)


@option_class
class PrefixInTimeOptions(SourceOptions):
    """Options of ``prefix_in_time``.

    Attributes:
        axis: the axis that the layer works on.
        prefix: what comes before.
        repeat: how many frames.
        size_base: a layer whose axis the result's is.
    """

    axis: Axis = "T"
    prefix: float | int | bool = 0.0
    repeat: Count | LayerRef = 1
    size_base: LayerRef | None = None


@layer("prefix_in_time", options=PrefixInTimeOptions, recurrent=True)
def prefix_in_time(b: LayerBuilder, opt: PrefixInTimeOptions, x: LayerOutput) -> LayerOutput:
    """Constant entries in front of an axis."""
    axis = b.axis(x, opt.axis)
    base = b.layer(opt.size_base).time_dim if opt.size_base is not None else None
    if opt.size_base is not None and (base is None or opt.out_dim is not None):
        raise ConfigError("size_base needs a time axis, and excludes out_dim", where=b.place("size_base"))
    if isinstance(opt.repeat, str):
        return _prefix_by_layer(b, opt, x, axis, base or opt.out_dim)
    out = opt.repeat + axis
    value = x.value
    if opt.repeat:
        value = b.op("pad", value, dim=axis, out=out, left=opt.repeat, right=0, value=_number(opt.prefix))
    if base is not None:
        return _replaced(x, b.rename(value, (out, base)), axis, base)
    return settle(b, _replaced(x, value, axis, out), out, opt.out_dim)


def _prefix_by_layer(
    b: LayerBuilder, opt: PrefixInTimeOptions, x: LayerOutput, axis: Dim, out: Dim | None
) -> LayerOutput:
    """As many entries as another layer says per sequence."""
    repeat = b.maximum(b.cast(b.layer(str(opt.repeat)).value, "int64"), 0)
    if out is None:
        out = b.dim("prefixed", None, feature=axis.feature)
    if out.is_dynamic and b.lookup(out) is None and out.expr is None:
        b.define(out, b.add(b.length(axis), repeat))
    source = b.dim("source", None) if out is axis else axis
    value = x.value
    if source is not axis:
        if b.lookup(source) is None:
            b.define(source, b.length(axis))
        value = b.rename(value, (axis, source))
    position = b.sub(b.iota(out), repeat)
    gathered = b.op("gather", value, position, dim=source)
    gathered = b.where(b.op("less", position, b.extent(source)), gathered, b.const(0, value.dtype))
    prefix = b.const(opt.prefix, value.dtype)
    filled = b.where(b.op("less", position, b.const(0)), prefix, gathered)
    result = batch_major(_replaced(x, filled, axis, out))
    return moved_to(result, out, 1 if result.batch_dim is not None else 0)


@option_class
class PostfixInTimeOptions(SourceOptions):
    """Options of ``postfix_in_time``.

    Attributes:
        axis: the axis that the layer works on.
        postfix: what comes behind: a number, or a layer.
        repeat: how many frames.
    """

    axis: Axis = "T"
    postfix: float | int | bool | LayerRef = 0.0
    repeat: Count = 1


@layer("postfix_in_time", options=PostfixInTimeOptions, recurrent=True)
def postfix_in_time(b: LayerBuilder, opt: PostfixInTimeOptions, x: LayerOutput) -> LayerOutput:
    """Entries directly behind each sequence."""
    axis = b.axis(x, opt.axis)
    out = axis + opt.repeat
    number = 0 if isinstance(opt.postfix, str) else _number(opt.postfix)
    value = b.op("pad", x.value, dim=axis, out=out, left=0, right=opt.repeat, value=number, ragged=True)
    result = _replaced(x, value, axis, out)
    if isinstance(opt.postfix, str):
        other = b.layer(opt.postfix)
        if axis in other.axes:
            raise DimError("the postfix must not have the axis itself", where=b.place("postfix"), received=axis)
        unified = b.unify([result, other])
        inside = b.op("less", b.iota(out), b.length(axis))
        value = b.where(inside, unified.values[0], b.cast(unified.values[1], value.dtype))
        result = arrange(result, value, result.axes)
    return settle(b, result, out, opt.out_dim)


@option_class
class SplitOptions(SourceOptions):
    """Options of ``split``.

    Attributes:
        axis: the axis that the layer works on.
        num_splits: how many equal parts.
        size_splits: the sizes of the parts.
        out_dims: the axes of the parts.
    """

    axis: Axis = None
    num_splits: Size | None = None
    size_splits: list[Count] | tuple[Count, ...] | None = None
    out_dims: list[Dim] | tuple[Dim, ...] | None = None


@layer("split", options=SplitOptions)
def split(b: LayerBuilder, opt: SplitOptions, x: LayerOutput) -> LayerOutput:
    """The source itself; the pieces of one of its axes are the parts ``/0``, ``/1``, ..."""
    axis = b.axis(x, "F" if opt.axis is None else opt.axis)
    sizes = _piece_sizes(b, opt, axis)
    parts: dict[str, LayerOutput] = {}
    start = 0
    for number, size in enumerate(sizes):
        description = f"{b.definition.name}_split{number}"
        out = (
            opt.out_dims[number]
            if opt.out_dims
            else b.dim(f"piece{number}", size, feature=axis.feature, description=description)
        )
        value = b.op("slice", x.value, dim=axis, out=out, start=start, end=start + size)
        parts[str(number)] = _replaced(x, value, axis, out)
        start += size
    return LayerOutput(x.value, x.axes, x.time_dim, x.feature_dim, parts=parts)


def _piece_sizes(b: LayerBuilder, opt: SplitOptions, axis: Dim) -> Sequence[int]:
    size = axis.size
    if size is None:
        raise DimError("only a static axis can be split", where=b.place("axis"), received=axis)
    if opt.num_splits:
        if size % opt.num_splits:
            raise DimError(f"{size} is no multiple of num_splits", where=b.place("num_splits"), received=opt.num_splits)
        return [size // opt.num_splits] * opt.num_splits
    sizes = list(opt.size_splits or [d.require_size(b.place("out_dims")) for d in opt.out_dims or ()])
    if not sizes or sum(sizes) != size:
        raise ConfigError(
            "the pieces do not make up the axis",
            where=b.place("size_splits" if opt.size_splits else None),
            expected=f"num_splits, or sizes with the sum {size}",
            received=sizes,
        )
    return sizes
