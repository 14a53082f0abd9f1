"""Penalties on a layer's output that are part of the objective: ``darc1`` and ``spatial_smoothing``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value

if TYPE_CHECKING:
    from returnn_ir.axes.output import LayerOutput
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["add_constraints"]


def add_constraints(b: LayerBuilder, output: LayerOutput) -> None:
    """Add what the layer's options ask for."""
    options = b.definition.options
    if b.in_loop and (options.darc1 or options.spatial_smoothing):
        key = "darc1" if options.darc1 else "spatial_smoothing"
        raise ConfigError(
            f"{key} of a layer in a loop has no value outside of it", where=b.place(key), hint="a layer behind the loop"
        )
    if options.darc1:
        b.program.constraints.append(b.mul(_darc1(b, output), options.darc1))
    if options.spatial_smoothing:
        b.program.constraints.append(b.mul(_roughness(b, output), options.spatial_smoothing))


def _require_time(b: LayerBuilder, output: LayerOutput, key: str) -> Dim:
    if output.time_dim is None:
        raise DimError(f"{key} needs an output with a time axis", where=b.place(key), received=output.value.type)
    return b.require_feature(output)


def _darc1(b: LayerBuilder, output: LayerOutput) -> Value:
    """The largest sum over all frames of a feature's absolute value, before the activation (arXiv:1710.05468)."""
    feature = _require_time(b, output, "darc1")
    value = output.value
    if output.activation is not None:
        before = output.activation[1]
        value = b.rename(before.value, *zip(before.axes, output.axes, strict=True))
    frames = [d for d in value.dims if d is not feature]
    return b.reduce("max", b.reduce("sum", b.unary("abs", value), *frames), feature)


def _roughness(b: LayerBuilder, output: LayerOutput) -> Value:
    """The energy of the difference of each feature to its eight neighbours on a torus (arXiv:1610.05256)."""
    feature = _require_time(b, output, "spatial_smoothing")
    size = b.size(feature)
    width = next(w for w in range(max(math.isqrt(size), 1), 0, -1) if size % w == 0)
    if width < 3:
        raise DimError(
            "spatial_smoothing needs features that make a grid of at least three by three",
            where=b.place("spatial_smoothing"),
            received=size,
        )
    rows, columns = Dim("rows", size // width), Dim("columns", width)
    grid = b.op("split", output.value, dim=feature, outs=(rows, columns))
    around = _with_neighbours(b, _with_neighbours(b, grid, rows), columns)
    rough = b.sub(b.mul(grid, 1.125), b.mul(around, 0.125))
    energy = b.mul(rough, rough)
    return b.reduce("sum", energy, *energy.dims)


def _with_neighbours(b: LayerBuilder, x: Value, dim: Dim) -> Value:
    """Each entry plus the one before and the one after, around the end."""
    other, total = Dim(dim.name, dim.size), x
    for step in (1, -1):
        at = b.binary("mod", b.add(b.iota(other), step), b.size(dim))
        total = b.add(total, b.rename(b.op("gather", x, at, dim=dim), (other, dim)))
    return total
