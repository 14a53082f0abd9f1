"""What a layer gives, as far as its type goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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

    def around(self, value: Value, states: Mapping[str, LayerOutput] | None = None) -> LayerOutput:
        """An output of this kind."""
        return LayerOutput(value, self.axes, self.time_dim, self.feature_dim, states=states or {})
