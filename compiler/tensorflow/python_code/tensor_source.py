"""A TensorFlow tensor as RETURNN's ``Data``, see :class:`returnn_ir.facade.source.Source`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import tensorflow as tf

from returnn_ir.errors import UnsupportedError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.python_call import CallSource

__all__ = ["TensorSource"]


class TensorSource:
    """A source of a call.

    Args:
        described: what is known of its axes.
        operands: all operands of the call: tensors without axes that only broadcast, and lengths.
    """

    def __init__(self, described: CallSource, operands: Sequence[tf.Tensor]) -> None:
        value = operands[described.operand]
        for number, present in enumerate(described.present):
            if not present:
                value = tf.expand_dims(value, number)
        lengths = {axis: tf.cast(operands[i], tf.int32) for axis, i in described.lengths.items()}
        self._set(described, value, lengths)

    def _set(self, described: CallSource, tensor: tf.Tensor, lengths: Mapping[int, tf.Tensor]) -> None:
        self._described = described
        self._lengths = lengths
        self.tensor = tensor
        self.batch_axis = described.batch_axis
        self.time_axis = described.time_axis
        self.feature_axis = described.feature_axis
        self.feature_size = described.dim
        self.sparse = described.sparse
        self.dtype = described.dtype

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """The static sizes."""
        return tuple(self.tensor.shape.as_list())

    @property
    def dims(self) -> tuple[Dim | None, ...]:
        """Dims do not reach code that runs on tensors."""
        raise UnsupportedError("the dims of a tensor")

    @property
    def sparse_dim(self) -> Dim | None:
        """None but for labels, whose dim does not reach code that runs on tensors."""
        if self.sparse:
            raise UnsupportedError("the dim of labels")
        return None

    @property
    def dynamic_axes(self) -> list[int]:
        """The axes with lengths."""
        return sorted(self._lengths)

    def find(self, description: object) -> list[int]:
        """The axes that B, T and F name, one or a list of them, and numbers."""
        if isinstance(description, (list, tuple)):
            return [axis for part in description for axis in self.find(part)]
        if isinstance(description, int) and not isinstance(description, bool):
            return [description % len(self.sizes)]
        named = {"b": self.batch_axis, "t": self.time_axis, "f": self.feature_axis}
        found = named.get(str(description).lower()[:1] if str(description).lower() in _AXIS_NAMES else "")
        if found is None:
            raise ValueError(f"no axis {description!r}")
        return [found]

    def lengths(self, axis: int) -> tf.Tensor:
        """Those of an axis, [B] int32."""
        if axis not in self._lengths:
            raise ValueError(f"axis {axis} of the data has no lengths")
        return self._lengths[axis]

    def extent(self, axis: int) -> tf.Tensor:
        """The size of an axis in memory."""
        return tf.shape(self.tensor)[axis]

    def mask(self, axis: int) -> tf.Tensor:
        """True on the valid frames, batch and axis in their order."""
        mask = tf.sequence_mask(self.lengths(axis), self.extent(axis))
        return tf.transpose(mask) if axis < (self.batch_axis or 0) else mask

    def broadcast_mask(self, axis: int) -> tf.Tensor:
        """True on the valid frames, over all axes."""
        mask = self.mask(axis)
        for number in range(len(self.sizes)):
            if number not in (self.batch_axis, axis):
                mask = tf.expand_dims(mask, number)
        return mask

    def in_order(self, order: Sequence[int]) -> TensorSource:
        """The axes in another order."""
        new = {old: position for position, old in enumerate(order)}
        given = self._described
        described = replace(
            given,
            batch_axis=None if given.batch_axis is None else new[given.batch_axis],
            time_axis=None if given.time_axis is None else new[given.time_axis],
            feature_axis=None if given.feature_axis is None else new[given.feature_axis],
        )
        moved = object.__new__(TensorSource)
        moved._set(described, tf.transpose(self.tensor, order), {new[axis]: v for axis, v in self._lengths.items()})
        return moved

    def decided_score(self) -> tf.Tensor:
        """Hypotheses do not reach code that runs on tensors."""
        raise UnsupportedError("the score of a hypothesis")


_AXIS_NAMES = ("b", "batch", "t", "time", "f", "feature")
