"""The frames of a sequence in which a mask holds, as a sequence of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.roles import moved_to
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.recurrence import leaves_loop
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value

__all__ = ["ChosenFrames", "KnownFrames", "all_steps"]


@dataclass(frozen=True)
class ChosenFrames:
    """The frames along ``dim`` in which a mask holds.

    Attributes:
        until: how many of them there have been up to each frame, int64 [..., dim].
        count: how many there are.
    """

    b: LayerBuilder
    dim: Dim
    until: Value
    count: Value

    @classmethod
    def where(cls, b: LayerBuilder, mask: LayerOutput, dim: Dim) -> ChosenFrames:
        """Those of a mask over a time axis, which may have another name than ``dim``."""
        if mask.time_dim is None:
            raise DimError("the mask has no time axis", where=b.place("mask"), received=mask.value.type)
        value = b.rename(mask.value, (mask.time_dim, dim)) if dim is not mask.time_dim else mask.value
        chosen = b.cast(b.binary("logical_and", value, b.mask(dim)), "int64")
        return cls(b, dim, b.op("cumsum", chosen, dim=dim), b.reduce("sum", chosen, dim, mask=False))

    def of(self, frames: Dim, x: LayerOutput) -> LayerOutput:
        """``x`` in the chosen frames, over ``frames`` in front; zeros where there are more of these."""
        b, dim = self.b, self.dim
        if dim not in x.axes:
            return x
        # the position of the n-th chosen frame is the first one at which n have been chosen
        position = b.op("search_sorted", self.until, b.add(b.iota(frames), 1), dim=dim, side="left")
        value = b.op("gather", x.value, position, dim=dim)
        there = b.mask(frames) if b.lookup(frames) is self.count else b.binary("less", b.iota(frames), self.count)
        value = b.where(there, value, b.const(0, value.dtype))
        if value.type.sparse_dim is not x.sparse_dim:
            value = b.op("set_sparse", value, sparse_dim=x.sparse_dim)
        axes = [frames if d is dim else d for d in x.axes]
        axes += [d for d in value.dims if d not in axes]
        time = frames if x.time_dim is dim else x.time_dim
        return moved_to(LayerOutput(value, tuple(axes), time, x.feature_dim), frames, 0)


@dataclass(frozen=True)
class KnownFrames:
    """The frames that a sequence has already, for other layers to be brought to them.

    Attributes:
        source: the sequence.
        mask: which frames these are; asked for only where another layer is read.
        dim: the axis that is masked; None: that of the mask.
    """

    b: LayerBuilder
    source: LayerOutput
    mask: Callable[[], LayerOutput]
    dim: Dim | None = None

    @cached_property
    def _chosen(self) -> ChosenFrames:
        mask = self.mask()
        dim = self.dim or mask.time_dim
        if dim is None:
            raise DimError("the mask has no time axis", where=self.b.place("mask"), received=mask.value.type)
        return ChosenFrames.where(self.b, mask, dim)

    def of(self, x: LayerOutput) -> LayerOutput:
        """Another layer in these frames."""
        frames = self.source.time_dim
        if frames is None:
            raise DimError(
                "the source has no time axis", where=self.b.place("masked_from"), received=self.source.value.type
            )
        return self._chosen.of(frames, x) if x.time_dim is not None else x


def all_steps(b: LayerBuilder, name: str) -> LayerOutput:
    """A layer of the loop that ``b``'s stands in, or ``prev:`` of one, in all steps, in front of the loop.

    Raises:
        ConfigError: it cannot be known there, as it depends on this layer.
    """
    loop = b.enclosing_loop
    if loop.trial:
        return _like_all_steps(b, b.scope.get(name, b.place()))
    if loop.steps is None or not leaves_loop(b.scope, b.definition.path):
        raise ConfigError(
            f"the unit works in front of the loop, where {name!r} is not known: that depends on this layer",
            where=b.place("unit"),
            expected="layers that do not depend on earlier steps of this one",
            hint="without 'masked_from' the unit works step by step",
        )
    return loop.steps(_from_body(b, name))


def _from_body(b: LayerBuilder, name: str) -> str:
    """The name as the network of the loop's body has it."""
    scope = b.scope
    path = scope.path_of(name.removeprefix("prev:"))
    while not scope.is_body and scope.parent is not None:
        scope = scope.parent
    return f"{'prev:' if name.startswith('prev:') else ''}{path.removeprefix(f'{scope.net.path}/')}"


def _like_all_steps(b: LayerBuilder, x: LayerOutput) -> LayerOutput:
    """Something of the type that a layer's output has in all steps, while types are found."""
    dim = b.enclosing_loop.builder.dim
    with b.outside_loop():
        zero = b.op("set_sparse", b.const(0, x.dtype), sparse_dim=x.sparse_dim)
        value = b.expand(zero, dim, *x.axes)
    return LayerOutput(value, (dim, *x.axes), dim, x.feature_dim)
