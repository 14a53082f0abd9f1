"""What a layer gives, as far as its type goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from returnn_ir.axes.output import LayerOutput
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import TensorType

__all__ = ["OutputType"]


@dataclass(frozen=True)
class OutputType:
    """What a layer gives, without a value."""

    type: TensorType
    axes: tuple[Dim, ...]
    time_dim: Dim | None
    feature_dim: Dim | None
    states: Mapping[str, OutputType] = field(default_factory=dict)

    @staticmethod
    def of(output: LayerOutput) -> OutputType:
        """That of an output and of its hidden states."""
        states = {key: OutputType.of(state) for key, state in output.states.items()}
        return OutputType(output.value.type, output.axes, output.time_dim, output.feature_dim, states)

    def matches(self, other: OutputType) -> bool:
        """Whether both describe the same tensor."""
        return self.type.same_as(other.type) and self.axes == other.axes and self.states.keys() == other.states.keys()

    def is_part_of(self, other: OutputType) -> bool:
        """Whether the other one is this one with further axes."""
        same = self.type.dtype == other.type.dtype and self.type.sparse_dim is other.type.sparse_dim
        return same and set(self.axes) <= set(other.axes)

    def with_axes_of(self, other: OutputType) -> OutputType:
        """This one, with those axes of another one that have no counterpart here: the same one, or another of its kind.

        Where all of the other's axes are there then, its order holds.
        """
        partners: dict[Dim, Dim] = {d: d for d in other.axes if d in self.axes}
        for by_size in (True, False):  # those that fit have the first choice
            for dim in other.axes:
                free = (d for d in self.axes if d not in partners.values())
                alike = (d for d in free if d.size == dim.size or not by_size)
                partner = next((d for d in alike if (d.is_batch, d.is_static) == (dim.is_batch, dim.is_static)), None)
                if partner is not None:
                    partners.setdefault(dim, partner)
        more = [d for d in other.axes if d not in partners]
        if not more:
            return self
        moved = [partners.get(d, d) for d in other.axes]
        axes = tuple(moved) if set(self.axes) <= set(moved) else (*more, *self.axes)
        time = self.time_dim if self.time_dim is not None or other.time_dim not in more else other.time_dim
        feature = self.feature_dim
        if feature is None and self.type.sparse_dim is None and other.feature_dim in more:
            feature = other.feature_dim
        return replace(self, type=replace(self.type, dims=axes), axes=axes, time_dim=time, feature_dim=feature)

    def around(self, value: Value, states: Mapping[str, LayerOutput] | None = None) -> LayerOutput:
        """An output of this kind."""
        return LayerOutput(value, self.axes, self.time_dim, self.feature_dim, states=states or {})
