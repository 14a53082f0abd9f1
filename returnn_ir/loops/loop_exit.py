"""How results leave a loop: stacked over its steps, those whose size changes from step to step included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.loop_builder import LoopBuilder
from returnn_ir.errors import DimError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["LoopExit"]


class LoopExit:
    """Stacks outputs of one loop.

    Args:
        b: the loop's own layer.
        dim: the axis of the stacked values; where the loop finds its own end not that of the executed steps.
        longest: how long an axis of the body becomes, in all steps and sequences, an int64 scalar in front of the loop.
    """

    def __init__(self, b: LayerBuilder, builder: LoopBuilder, dim: Dim, longest: Callable[[Dim], Value]) -> None:
        self._b = b
        self._builder = builder
        self._dim = dim
        self._longest = longest
        self._inner = Builder(builder.region, origin=b.origin)
        #: a growing dim of the body -> the dim of its final size
        self._grown: dict[Dim, Dim] = {}
        self._lengths: dict[Dim, Value] = {}
        self._outside: dict[Dim, Dim] = {}

    def of_step(self, outputs: Sequence[LayerOutput]) -> list[LayerOutput]:
        """The same outputs for the hypotheses of each step, not for those that are left in the end."""
        values = self._inner.emit(get_op("step_beam"), [x.value for x in outputs], {})
        return [replace(x, value=value) for x, value in zip(outputs, values, strict=True)]

    def is_inside(self, x: LayerOutput) -> bool:
        """Whether an output is computed in the loop."""
        region = self._builder.region
        return x.value in region.params or x.value.node in region.nodes

    def leave(self, x: LayerOutput) -> LayerOutput:
        """Ask for an output in all steps; returns it with axes of one size for all of them.

        Raises:
            DimError: it has the loop's axis already.
        """
        if self._builder.dim in x.axes or self._dim in x.axes:
            raise DimError(
                "a loop gives its results the axis that it runs over, and one of them has it already",
                where=self._b.place("axis"),
                expected=f"an axis that no result has, or results without {self._dim}",
                received=x.value.type,
            )
        for dim in x.axes:
            if any(leaf in self._builder.region.dim_defs for leaf in leaves(dim)):
                x = self._fixed(x, dim)
        self._builder.stack(x.value)
        return x

    def _fixed(self, x: LayerOutput, dim: Dim) -> LayerOutput:
        """The axis filled up to one length for all steps; its true length leaves the loop too."""
        if dim not in self._grown:
            final = self._grown[dim] = self._b.dim(f"past:{dim.name}", None)
            self._builder.outer.define(final, self._final_length(dim))
            self._lengths[dim] = self._inner.length(dim)
            self._builder.stack(self._lengths[dim])
        final = self._grown[dim]
        value = self._inner.op("resize_axis", x.value, dim=dim, out=final)
        return replace(x.with_axes(value, {dim: (final,)}), activation=x.activation)

    def _final_length(self, dim: Dim) -> Value:
        builder = self._builder
        if dim not in builder.past:
            return self._longest(dim)
        return builder.outer.extent(builder.dim) if builder.limit is None else builder.limit

    def outside(self, x: LayerOutput) -> LayerOutput:
        """What :meth:`leave` returned, of all steps, once the loop is emitted; the loop's axis is in front."""
        value = self._over_time(self._builder.stacked(x.value))
        axes = []
        for axis in x.axes:
            grown = next((g for g, final in self._grown.items() if final is axis), None)
            own = axis if grown is None else self._length_by_step(grown)
            if own is not axis:
                value = self._b.op("resize_axis", value, dim=axis, out=own)
            axes.append(own)
        feature = axes[x.axes.index(x.feature_dim)] if x.feature_dim is not None else None
        return LayerOutput(value, (self._dim, *axes), self._dim, feature)

    def _length_by_step(self, dim: Dim) -> Dim:
        if dim not in self._outside:
            made = self._outside[dim] = self._b.dim(f"grown:{dim.name}", None, description=dim.description)
            self._b.define(made, self._over_time(self._builder.stacked(self._lengths[dim])))
            self._b.program.declared.setdefault(dim, made)  # who names the axis outside of the loop means this one
        return self._outside[dim]

    def _over_time(self, value: Value) -> Value:
        if self._dim is self._builder.dim:
            return value
        return self._b.op("resize_axis", value, dim=self._builder.dim, out=self._dim)
