"""Layers about the edit distance of what a loop has given so far: edit_distance_table, optimal_completions.

Sabour et al., "Optimal completion distillation for sequence learning" (ICLR 2019).
"""

from __future__ import annotations

from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.declared_dims import settle
from returnn_ir.construct.initial_output import POSITIONS
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.losses.labels import class_number
from returnn_ir.network.layer_options import Axis, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

__all__: list[str] = []


@option_class
class EditDistanceTableOptions(SourceOptions):
    """Options of ``edit_distance_table``; nothing but the empty sequence can be in front of the first step.

    Attributes:
        axis: the axis of the sequence.
        debug: without effect.
        blank_idx: the number of the label that is no label.
        initial_output: the value before a loop's first step.
    """

    axis: Axis = None
    debug: bool = False
    blank_idx: int | None = None
    initial_output: Any = POSITIONS


@layer("edit_distance_table", options=EditDistanceTableOptions, sources="one", recurrent=True)
def edit_distance_table(b: LayerBuilder, opt: EditDistanceTableOptions, x: LayerOutput) -> LayerOutput:
    """Distances of the labels so far, this step's included, to each prefix of the target: [batch, 1 + labels]."""
    if opt.axis is not None and not b.is_loop_axis(x, opt.axis):
        raise ConfigError("the layer works on the steps of a loop only", where=b.place("axis"), received=opt.axis)
    if x.time_dim is not None or x.sparse_dim is None:
        raise DimError("the source must be one label of a step", where=b.place("from"), received=x.value.type)
    labels, dim = _target(b)
    columns = dim + 1
    symbol = _plain(b, x.value)
    rest = dict.fromkeys((*x.axes, *(d for d in labels.dims if d is not dim)))
    with b.outside_loop():
        outer = [d for d in rest if d in labels.dims]
        start = b.expand(b.iota(columns), *outer)
    last = b.loop_state("row", b.expand(start, *rest) if len(outer) == len(rest) else start)
    step = b.step_number()
    skipped = _ended(b)
    if opt.blank_idx is not None:
        blank = b.binary("equal", symbol, opt.blank_idx)
        skipped = blank if skipped is None else b.binary("logical_or", skipped, blank)
        with b.outside_loop():
            none = b.expand(b.const(0, "int64"), *outer)
        step = b.loop_state("length", none)
        b.set_loop_state("length", b.add(step, b.where(skipped, b.const(0), b.const(1))))
    row = _with_deletions(b, _without_deletions(b, last, symbol, labels, dim, step), columns)
    row = row if skipped is None else b.where(skipped, last, row)
    b.set_loop_state("row", row)
    axes = (
        *(d for d in row.dims if d.is_batch),
        *(d for d in row.dims if not d.is_batch and d is not columns),
        columns,
    )
    return settle(b, LayerOutput.of(b.cast(row, "int32"), axes), columns, opt.out_dim)


@option_class
class OptimalCompletionsOptions(SourceOptions):
    """Options of ``optimal_completions``.

    Attributes:
        debug: without effect.
        blank_idx: the number of the label that is no label.
    """

    debug: bool = False
    blank_idx: int | None = None


@layer("optimal_completions", options=OptimalCompletionsOptions, sources="one", recurrent=True)
def optimal_completions(b: LayerBuilder, opt: OptimalCompletionsOptions, x: LayerOutput) -> LayerOutput:
    """For each label the smallest distance that is possible if it comes next, from the last row of the table."""
    labels, dim = _target(b)
    columns = next((d for d in x.axes if d == dim + 1), None)
    if columns is None:
        raise DimError("the source is no edit_distance_table of the target", where=b.place("from"), received=x.axes)
    last = b.cast(x.value, "int64")
    out = b.out_feature_dim()
    # with blanks the labels so far are fewer than the steps: the distance to the empty prefix is their number
    length = b.step_number() if opt.blank_idx is None else b.op("gather", last, b.const(0), dim=columns)
    distances = _without_deletions(b, last, b.iota(out), labels, dim, length)
    best = b.reduce("min", distances, columns)
    skipped = _ended(b)
    if opt.blank_idx is not None:
        blank = b.binary("equal", b.iota(out), class_number(b, opt.blank_idx, out, "blank_idx"))
        skipped = blank if skipped is None else b.binary("logical_or", skipped, blank)
    if skipped is not None:
        best = b.where(skipped, b.reduce("min", last, columns), best)
    rest = [d for d in x.axes if d is not columns]
    return LayerOutput.of(b.cast(best, "int32"), (*rest, out))


def _target(b: LayerBuilder) -> tuple[Value, Dim]:
    """The target's labels and their axis."""
    target = b.target()
    if target.time_dim is None or target.sparse_dim is None:
        raise DimError(
            "the target is no label sequence",
            where=b.place("target"),
            received=target.value.type,
            hint='"target": "layer:base:data:classes" is the whole one',
        )
    return _plain(b, target.value), target.time_dim


def _plain(b: LayerBuilder, value: Value) -> Value:
    return b.cast(b.op("set_sparse", value, sparse_dim=None), "int64")


def _ended(b: LayerBuilder) -> Value | None:
    """Whether a hypothesis came to its end before this step; behind the end of a known length nothing counts."""
    return b.enclosing_loop.ended


def _without_deletions(b: LayerBuilder, last: Value, symbol: Value, labels: Value, dim: Dim, step: Value) -> Value:
    """The next row but for moves within it."""
    columns = dim + 1
    above = b.op("slice", last, dim=columns, out=dim, start=1)
    diagonal = b.op("slice", last, dim=columns, out=dim, start=0, end=-1)
    differs = b.cast(b.binary("not_equal", symbol, labels), "int64")
    entries = b.minimum(b.add(above, 1), b.add(diagonal, differs))
    shifted = b.op("pad", entries, dim=dim, out=columns, left=1, value=0)
    return b.where(b.binary("equal", b.iota(columns), 0), b.add(step, 1), shifted)


def _with_deletions(b: LayerBuilder, row: Value, columns: Dim) -> Value:
    """Each entry may also come from one on its left, for 1 per column."""
    source = b.dim("left", None)
    if b.lookup(source) is None:
        with b.outside_loop():
            b.define(source, b.length(columns))
    number = b.iota(source)
    left = b.sub(b.rename(row, (columns, source)), number)
    far = b.const(2**31 - 1, "int64")
    reached = b.where(b.binary("less_equal", number, b.iota(columns)), left, far)
    return b.add(b.reduce("min", reached, source, mask=False), b.iota(columns))
