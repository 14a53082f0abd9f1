"""Layers that merge axes into the batch axis and take them out again, and what that does to other axes' lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.roles import arrange
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.state import PackedBatch
from returnn_ir.errors import DimError
from returnn_ir.ir.dims import Dim, Kind, rebuild
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import Axis, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

__all__ = ["merge_batch", "move_lengths", "split_batch"]


def move_lengths(
    b: LayerBuilder, value: Value, old: Sequence[Dim], new: Dim, carry: Callable[[Value], Value]
) -> tuple[Value, dict[Dim, Dim]]:
    """Rename the dynamic dims of ``value`` whose lengths vary over a batch axis that was replaced.

    Args:
        b: the layer's builder.
        value: what has been moved to the new batch axis.
        old: the batch axes that are gone.
        new: the batch axis instead (one of them, where one became several).
        carry: what was done to the value, for the lengths.

    Returns:
        the value, and the renamed dims.
    """
    renamed: dict[Dim, Dim] = {}

    def leaf(dim: Dim) -> Dim:
        lengths = b.lookup(dim) if dim.is_dynamic else None
        if lengths is None or not any(d in old for d in lengths.dims):
            return dim
        known = b.program.rebatched.get((dim, new))
        if known is None:
            known = Dim(f"{dim.name}@{new.name}", description=dim.description, feature=dim.feature)
            b.program.rebatched[dim, new] = known
            for gone in old:
                b.program.rebatched[known, gone] = dim
        if b.lookup(known) is None:
            b.define(known, carry(lengths))
        return known

    for dim in value.dims:
        if dim.is_dynamic:
            after = rebuild(dim, leaf)
            if after is not dim:
                renamed[dim] = after
    return b.rename(value, *renamed.items()), renamed


def merge_batch(
    b: LayerBuilder, value: Value, dims: Sequence[Dim], out: Dim, lengths_order: Sequence[Dim] | None = None
) -> tuple[Value, dict[Dim, Dim]]:
    """Merge axes, the batch axis among them, into ``out``; the lengths of other axes are repeated.

    ``lengths_order`` is the order of ``dims`` for these lengths, where it is another one.
    """

    def carry(lengths: Value) -> Value:
        return b.op("merge", b.expand(lengths, *dims), dims=tuple(lengths_order or dims), out=out)

    merged = b.op("merge", value, dims=tuple(dims), out=out)
    return move_lengths(b, merged, [d for d in dims if d.is_batch], out, carry)


def split_batch(b: LayerBuilder, value: Value, merged: Dim, outs: Sequence[Dim]) -> tuple[Value, dict[Dim, Dim]]:
    """Undo :func:`merge_batch`."""
    batch = next(d for d in outs if d.is_batch)

    def carry(lengths: Value) -> Value:
        parts = b.op("split", lengths, dim=merged, outs=tuple(outs))
        for dim in outs:
            if dim.size == 1:
                parts = b.op("squeeze", parts, dim=dim)
        return parts

    return move_lengths(b, b.op("split", value, dim=merged, outs=tuple(outs)), [merged], batch, carry)


@option_class
class SplitBatchTimeOptions(SourceOptions):
    """Options of ``split_batch_time``.

    Attributes:
        base: the layer whose batch and time axes come back.
    """

    base: LayerRef | None = None


@layer("split_batch_time", options=SplitBatchTimeOptions)
def split_batch_time(b: LayerBuilder, opt: SplitBatchTimeOptions, x: LayerOutput) -> LayerOutput:
    """[batch * time, ...] to [batch, time, ...], as ``base`` has them."""
    base = b.layer(opt.base or "data")
    merged = x.batch_dim
    if base.batch_dim is None or base.time_dim is None:
        raise DimError("the base needs batch and time", where=b.place("base"), received=base.value.type)
    if merged is None:
        raise DimError("the source has no batch axis to split", where=b.place("from"), received=x.value.type)
    outs = (base.batch_dim, base.time_dim)
    value, renamed = split_batch(b, x.value, merged, outs)
    rest = [renamed.get(d, d) for d in x.axes if d is not merged]
    return arrange(x, value, (*outs, *rest), renamed)


@option_class
class FlattenBatchOptions(SourceOptions):
    """Options of ``flatten_batch``.

    Attributes:
        axis: the axis that becomes part of the batch.
        batch_major: the batch is the outer part of it.
    """

    axis: Axis = "T"
    batch_major: bool = True


@layer("flatten_batch", options=FlattenBatchOptions)
def flatten_batch(b: LayerBuilder, opt: FlattenBatchOptions, x: LayerOutput) -> LayerOutput:
    """Merge an axis into the batch axis; of a ragged one only the valid frames."""
    axis, batch = b.axis(x, opt.axis), x.batch_dim
    if batch is None or axis is batch:
        raise DimError("flatten_batch needs the batch axis and another one", where=b.place("axis"), received=x.axes)
    dims = (batch, axis) if opt.batch_major else (axis, batch)
    ragged = b.needs_mask(axis)
    if ragged:
        mask = b.expand(b.mask(axis), batch)
        out = _packed_dim(b, PackedBatch(dims, mask))

        def select(value: Value) -> Value:
            return b.op("masked_select", b.expand(value, *dims), mask, dims=dims, out=out)

        value, renamed = move_lengths(b, select(x.value), [batch], out, select)
    else:
        out = dims[0] * dims[1]
        b.program.packed[out] = PackedBatch(dims, None)
        value, renamed = merge_batch(b, x.value, dims, out)
    rest = [renamed.get(d, d) for d in x.axes if d not in dims]
    return arrange(x, value, (out, *rest), renamed)


def _packed_dim(b: LayerBuilder, made_of: PackedBatch) -> Dim:
    """The batch axis of all valid frames; its extent is their number."""
    memo = (b.definition.path, "packed")
    out = b.program.dims.get(memo)
    if out is None:
        out = b.program.dims[memo] = Dim(f"{b.definition.path}.packed", kind=Kind.BATCH)
    if b.lookup(out) is None and made_of.mask is not None:
        b.define(out, b.reduce("sum", b.cast(made_of.mask, "int64"), *made_of.dims, mask=False))
    b.program.packed[out] = made_of
    return out


@layer("unflatten_batch", options=SourceOptions)
def unflatten_batch(b: LayerBuilder, opt: SourceOptions, x: LayerOutput) -> LayerOutput:
    """Undo ``flatten_batch``: the frames back on their own axis, zeros behind each sequence's end."""
    packed = x.batch_dim
    made_of = b.program.packed.get(packed) if packed is not None else None
    if packed is None or made_of is None:
        raise DimError("the batch axis was not made by flatten_batch", where=b.place("from"), received=x.value.type)
    dims, mask = made_of.dims, made_of.mask
    if mask is None:
        value, renamed = split_batch(b, x.value, packed, dims)
    else:
        flat = dims[0] * dims[1]
        counts = b.op("merge", b.cast(mask, "int64"), dims=dims, out=flat)
        position = b.op("split", b.op("cumsum", counts, dim=flat, exclusive=True), dim=flat, outs=dims)

        def unpack(packed_value: Value) -> Value:
            return b.op("gather", packed_value, position, dim=packed)

        batch = next(d for d in dims if d.is_batch)
        value, renamed = move_lengths(b, unpack(x.value), [packed], batch, unpack)
        value = b.where(mask, value, b.const(0, value.dtype))
    rest = [renamed.get(d, d) for d in x.axes if d is not packed]
    return LayerOutput.of(value, (*dims, *rest))  # the frames are the time axis again, whatever was in between
