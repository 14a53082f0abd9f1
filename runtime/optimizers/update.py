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
    """One variable and what an update rule needs to change it. Scalars have the variable's element type.

    Attributes:
        variable: what is updated.
        slots: as many as the rule declares, of the variable's shape.
        grad: the gradient: dense, or with ``indices`` that of some rows, [row, ...].
        indices: int [row], the rows that the gradient is of; None for a dense one. No row comes twice, unless the rule
            says that it takes what it gets.
    """

    def __init__(
        self, variable: Variable, slots: Sequence[Variable], grad: Tensor, indices: Tensor | None, scalars: StepScalars
    ) -> None:
        self.variable = variable
        self.slots = slots
        self.grad = grad
        self.indices = indices
        self._dtype = variable.dtype
        self._scalars = scalars

    def dense(self) -> Update:
        """The same update with a dense gradient: zero for rows that it is not of."""
        import tensorflow as tf

        if self.indices is None:
            return self
        rows = tf.IndexedSlices(self.grad, self.indices, tf.shape(self.variable))
        return Update(self.variable, self.slots, tf.convert_to_tensor(rows), None, self._scalars)

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

    def kernel(self, name: str, **operands: Tensor) -> None:
        """Run TensorFlow's kernel ``ResourceApplyNAME`` on the variable, or for rows ``ResourceSparseApplyNAME``."""
        import tensorflow as tf

        if self.indices is None:
            getattr(tf.raw_ops, f"ResourceApply{name}")(var=self.variable.handle, **operands)
        else:
            sparse = getattr(tf.raw_ops, f"ResourceSparseApply{name}")
            sparse(var=self.variable.handle, indices=self.indices, **operands)

    def rows(self, variable: Variable) -> Tensor:
        """Of a variable or slot, what the gradient is of."""
        import tensorflow as tf

        return variable.read_value() if self.indices is None else tf.gather(variable, self.indices)

    def set(self, variable: Variable, rows: Tensor) -> Tensor:
        """Give a variable or slot new values where there is a gradient; returns these."""
        import tensorflow as tf

        if self.indices is None:
            variable.assign(rows)
        else:
            variable.scatter_update(tf.IndexedSlices(rows, self.indices))
        return rows

    def add(self, variable: Variable, rows: Tensor) -> None:
        """Add to a variable or slot where there is a gradient."""
        import tensorflow as tf

        if self.indices is None:
            variable.assign_add(rows)
        else:
            variable.scatter_add(tf.IndexedSlices(rows, self.indices))

    def subtract(self, rows: Tensor) -> None:
        """Make the variable smaller where there is a gradient."""
        self.add(self.variable, -rows)
