"""What an update rule works on: one variable at a time, in one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

__all__ = ["StepScalars", "Update"]

Tensor: TypeAlias = Any  # TensorFlow has no type information
Variable: TypeAlias = Any
DType: TypeAlias = Any


class StepScalars:
    """The scalars of one step, as tensors of the variables' element types, each made once for all variables.

    Args:
        named: float32 scalars by name.
    """

    def __init__(self, named: Mapping[str, Tensor]) -> None:
        self._named = named
        self._cast: dict[tuple[str | float, DType], Tensor] = {}

    def get(self, value: str | float, dtype: DType) -> Tensor:
        """A number, or one of the named scalars, in an element type."""
        import tensorflow as tf

        if (value, dtype) not in self._cast:
            self._cast[value, dtype] = tf.cast(self._named[value] if isinstance(value, str) else value, dtype)
        return self._cast[value, dtype]


class Update:
    """One variable and what an update rule needs to change it, in the form that TensorFlow's kernels take.

    Scalars have the variable's element type.

    Attributes:
        var: the variable's handle.
        slots: the handles of its slots, as many as the rule declares; all have the shape of ``grad``.
        grad: the dense gradient.
    """

    def __init__(self, variable: Variable, slots: Sequence[Variable], grad: Tensor, scalars: StepScalars) -> None:
        self.var = variable.handle
        self.slots = [slot.handle for slot in slots]
        self.grad = grad
        self._dtype = variable.dtype
        self._scalars = scalars

    @property
    def rate(self) -> Tensor:
        """The learning rate."""
        return self._scalars.get("rate", self._dtype)

    def power(self, option: str) -> Tensor:
        """An option that the rule declares in ``powers``, to the power of this step's number (from 1)."""
        return self._scalars.get(option, self._dtype)

    def scalar(self, value: float) -> Tensor:
        """A number, such as the value of an option."""
        return self._scalars.get(value, self._dtype)
