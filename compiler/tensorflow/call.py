"""What a lowering function is given: the node, its types and the environment it stands in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from compiler.tensorflow.environment import Environment
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region
from returnn_ir.ir.types import TensorType

__all__ = ["Call", "LowerRegion", "Row", "elementwise"]

LowerRegion = Callable[[Region, Environment, Sequence[tf.Tensor]], list[tf.Tensor]]


@dataclass(frozen=True)
class Call:
    """One node that is being lowered.

    Attributes:
        env: extents and lengths of the dims at this place.
        lower_region: lowers a nested region in an environment, given the tensors of its params; returns its results.
    """

    node: Node
    env: Environment
    lower_region: LowerRegion

    @property
    def attrs(self) -> dict[str, Any]:
        """The node's attributes."""
        return self.node.attrs

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The axes of the first result."""
        return self.node.results[0].dims

    @property
    def kernel_options(self) -> dict[str, Any]:
        """What a kernel with a hand-written gradient is told besides its operands."""
        return {"kernels": self.env.feed.kernels, "differentiated": self.env.feed.differentiated}

    def type(self, operand: int = 0) -> TensorType:
        """The type of an operand."""
        return self.node.operands[operand].type

    def axis(self, dim: Dim, operand: int = 0) -> int:
        """The axis of a dim in an operand."""
        return self.type(operand).axis(dim)


#: Emits a node: one tensor, or one per result.
Row = Callable[[Call, Sequence[tf.Tensor]], "tf.Tensor | Sequence[tf.Tensor]"]


def elementwise(function: Callable[..., tf.Tensor]) -> Row:
    """The row of an op that is one TensorFlow function of its operands; broadcasting is NumPy's."""
    return lambda call, operands: function(*operands)
