"""Layers about lengths: how long sequences are, counting along an axis, masks by length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.roles import with_roles
from returnn_ir.construct.declared_dims import settle
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.settled_dims import known_dim
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.hypotheses import beam_of
from returnn_ir.network.layer_options import Axis, LayerOptions, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Count, DType, option_class

__all__ = ["measured_dim"]


def _dim_of(b: LayerBuilder, sources: Sequence[LayerOutput], spec: Axis) -> Dim:
    """The dim that an option names: one of the source's axes, its labels, or a Dim of the user."""
    if isinstance(spec, Dim):
        known = known_dim(b, spec)
        return known if known.size is not None or b.lookup(known) is not None else b.program.declared.get(known, known)
    if len(sources) != 1:
        raise ConfigError("exactly one source is needed", where=b.place("from"), received=len(sources))
    if spec == "sparse_dim":
        if sources[0].sparse_dim is None:
            raise DimError("the source has no labels", where=b.place("axis"), received=sources[0].value.type)
        return sources[0].sparse_dim
    return b.axis(sources[0], spec)


@option_class
class LengthOptions(LayerOptions):
    """Options of ``length``; RETURNN gives int32 for the lengths of a dynamic axis, whatever ``dtype`` says.

    Attributes:
        axis: the axis whose length it is.
        add_time_axis: a time axis of size one is added.
        dtype: of the entries.
        sparse: the entries are labels.
    """

    axis: Axis = "T"
    add_time_axis: bool = False
    dtype: DType = "int32"
    sparse: bool = False


@layer("length", options=LengthOptions, sources="many")
def length(b: LayerBuilder, opt: LengthOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """How many entries an axis has: per sequence, or one number."""
    dim = _dim_of(b, sources, opt.axis)
    if dim.is_batch:
        return LayerOutput.of(b.cast(b.extent(dim), "int32"), ())
    if dim.size is not None:
        return LayerOutput.of(b.const(dim.size, opt.dtype), ())
    value = b.length(dim)
    if sources and (b.program.searching or beam_of(sources[0].value) is not None):
        value = b.op("like_beam", value, sources[0].value)  # a length per hypothesis, even where all are alike
    value = b.cast(value, "int32")
    if opt.add_time_axis:
        one = b.dim("time", 1)
        return with_roles(b.expand(value, one), (*value.dims, one), one, None)
    return LayerOutput.of(value, value.dims)


@option_class
class RangeOptions(LayerOptions):
    """Options of ``range``.

    Attributes:
        limit: the number behind the last one.
        start: the first number.
        delta: from one number to the next.
        dtype: of the numbers; None: as they are written.
        sparse: the entries are labels.
        out_spatial_dim: the new axis.
    """

    limit: int | float
    start: int | float = 0
    delta: int | float = 1
    dtype: DType | None = None
    sparse: bool = False
    out_spatial_dim: Dim | None = None


@layer("range", options=RangeOptions, sources="none")
def range_(b: LayerBuilder, opt: RangeOptions) -> LayerOutput:
    """``start, start + delta, ...`` below ``limit``."""
    numbers = (opt.start, opt.limit, opt.delta)
    if opt.delta == 0:
        raise ConfigError("delta must not be zero", where=b.place("delta"))
    if not all(math.isfinite(n) for n in numbers):
        raise ConfigError("a range is between finite numbers", where=b.place("limit"), received=numbers)
    dtype = opt.dtype or ("int32" if all(float(n) == int(n) for n in numbers) else "float32")
    b.require_room(max((opt.limit - opt.start) / opt.delta, 0))
    values = np.arange(*numbers)
    out = opt.out_spatial_dim or b.dim("range", len(values), description=f"{b.definition.name}:range")
    if out.size != len(values):
        raise DimError(f"out_spatial_dim must be of size {len(values)}", where=b.place("out_spatial_dim"), received=out)
    labels = b.dim("indices", None, description=f"{b.definition.name}:range-indices") if opt.sparse else None
    value = b.const(values, dtype, (out,), labels)
    return LayerOutput.of(value, (out,))


@option_class
class RangeInAxisOptions(LayerOptions):
    """Options of ``range_in_axis``.

    Attributes:
        axis: the axis whose frames are numbered.
        dtype: of the entries.
        unbroadcast: all axes of the source are there.
        keepdims: the other axes are there, with size one.
        sparse: the entries are labels.
    """

    axis: Axis
    dtype: DType = "int32"
    unbroadcast: bool = False
    keepdims: bool = False
    sparse: bool = False


@layer("range_in_axis", options=RangeInAxisOptions, sources="many", recurrent=True)
def range_in_axis(b: LayerBuilder, opt: RangeInAxisOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """0, 1, 2, ... along an axis."""
    for key in ("unbroadcast", "keepdims"):
        if getattr(opt, key):
            raise ConfigError(f"{key} is no longer supported by RETURNN", where=b.place(key))
    return _counting(b, _dim_of(b, sources, opt.axis), opt.dtype, sparse=opt.sparse)


def _counting(b: LayerBuilder, dim: Dim, dtype: str, *, sparse: bool) -> LayerOutput:
    value = b.iota(dim, dtype)
    if sparse:
        value = b.op("set_sparse", value, sparse_dim=dim)
    return LayerOutput.of(value, (dim,))


@option_class
class RangeFromLengthOptions(LayerOptions):
    """Options of ``range_from_length``.

    Attributes:
        dtype: of the entries.
        sparse: the entries are labels.
        out_spatial_dim: the new axis.
    """

    dtype: DType = "int32"
    sparse: bool = False
    out_spatial_dim: Dim | None = None


@layer("range_from_length", options=RangeFromLengthOptions, sources="one", recurrent=True)
def range_from_length(b: LayerBuilder, opt: RangeFromLengthOptions, x: LayerOutput) -> LayerOutput:
    """0, 1, 2, ... along the axis that has these lengths: a new one unless they are those of an axis."""
    if x.dtype not in ("int32", "int64"):
        raise DimError("lengths must be integers", where=b.place("from"), expected="int32 or int64", received=x.dtype)
    known = measured_dim(x.value)
    dim = known or opt.out_spatial_dim or b.dim("range", None, description=f"{b.definition.name}_input_len")
    if b.lookup(dim) is None and dim.expr is None:
        b.define(dim, b.op("set_sparse", b.cast(x.value, "int64"), sparse_dim=None))
    return settle(b, _counting(b, dim, opt.dtype, sparse=opt.sparse), dim, opt.out_spatial_dim, "out_spatial_dim")


def measured_dim(value: Value) -> Dim | None:
    """The axis whose lengths these are."""
    node = value.node
    while node is not None and node.op.name in ("cast", "like_beam"):
        node = node.operands[0].node
    if node is None or node.op.name not in ("length", "extent"):
        return None
    dim: Dim = node.attrs["dim"]
    return dim if node.op.name == "length" or dim.is_batch else None


@option_class
class SeqLenMaskOptions(SourceOptions):
    """Options of ``seq_len_mask``.

    Attributes:
        mask_value: what stands where the mask is False.
        axis: the axis that is masked.
        seq_len_source: a layer that gives the lengths, instead of the axis.
        start: the first frame that is let through.
        window_start: of the first frame of the window that is let through.
        window_size: of the window.
    """

    mask_value: float
    axis: Axis = "T"
    seq_len_source: LayerRef | None = None
    start: LayerRef | None = None
    window_start: LayerRef | int | None = None
    window_size: LayerRef | Count | None = None


@layer("seq_len_mask", options=SeqLenMaskOptions)
def seq_len_mask(b: LayerBuilder, opt: SeqLenMaskOptions, x: LayerOutput) -> LayerOutput:
    """``mask_value`` behind each sequence's end, before ``start``, and outside of the window."""
    axis = b.axis(x, opt.axis)
    if not axis.is_dynamic:
        raise DimError("seq_len_mask needs a dynamic axis", where=b.place("axis"), received=axis)
    lengths_of = axis
    if opt.seq_len_source is not None:
        source = b.layer(opt.seq_len_source)
        lengths_of = axis if axis in source.axes else source.time_dim or axis
    step = b.iota(axis)
    inside = b.op("less", step, b.length(lengths_of))
    if opt.start is not None:
        inside = b.op("logical_and", inside, b.binary("greater_equal", step, _matched(b, x, opt.start)))
    if opt.window_start is not None:
        if opt.window_size is None:
            raise ConfigError("window_start needs window_size", where=b.place("window_start"))
        first, size = _matched(b, x, opt.window_start), _matched(b, x, opt.window_size)
        inside = b.op("logical_and", inside, b.binary("greater_equal", step, first))
        inside = b.op("logical_and", inside, b.binary("less", step, b.add(first, size)))
    return x.with_value(b.where(inside, x.value, b.const(opt.mask_value, x.dtype)))


def _matched(b: LayerBuilder, x: LayerOutput, given: Any) -> Value:
    """A number, or a layer's numbers over axes of ``x``."""
    if not isinstance(given, str):
        return b.const(int(given))
    other = b.layer(given)
    value = b.unify([x, other]).values[1]
    return b.cast(b.op("set_sparse", value, sparse_dim=None), "int64")
