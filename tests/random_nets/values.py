"""What a generator knows about a layer's output: enough to choose what may come next, RETURNN judges the rest."""

from __future__ import annotations

from dataclasses import dataclass

from tests.random_nets.text import Code

__all__ = ["Axis", "Value"]


@dataclass(frozen=True)
class Axis:
    """An axis that is not the batch.

    Attributes:
        name: the same name is the same axis.
        size: None where sequences differ.
        dim: the variable of its Dim object, where the config has one.
    """

    name: str
    size: int | None = None
    dim: Code | None = None


@dataclass(frozen=True)
class Value:
    """A layer that others may read.

    Attributes:
        name: as ``from`` has it.
        axes: without batch and feature, dynamic ones before static ones.
        feature: None for labels and single numbers.
        labels: how many labels there are, where entries are labels.
        bounded: entries are small (behind tanh, or normalised): no exponential overflows.
    """

    name: str
    axes: tuple[Axis, ...] = ()
    feature: Axis | None = None
    dtype: str = "float32"
    labels: int | None = None
    batch: bool = True
    bounded: bool = True

    @property
    def times(self) -> tuple[Axis, ...]:
        """The axes along which sequences differ."""
        return tuple(axis for axis in self.axes if axis.size is None)

    @property
    def statics(self) -> tuple[Axis, ...]:
        """Axes of a fixed size, without the feature axis."""
        return tuple(axis for axis in self.axes if axis.size is not None)

    @property
    def is_float(self) -> bool:
        """Whether gradients flow through it."""
        return self.dtype == "float32"

    @property
    def is_sequence(self) -> bool:
        """A batch of sequences and nothing else: [batch, time] or [batch, time, feature]."""
        return self.batch and len(self.axes) == 1 and self.axes[0].size is None

    @property
    def is_frames(self) -> bool:
        """[batch, time, feature] of floats."""
        return self.is_sequence and self.is_float and self.feature is not None

    @property
    def is_vector(self) -> bool:
        """[batch, feature] of floats."""
        return self.batch and not self.axes and self.is_float and self.feature is not None

    @property
    def is_labels(self) -> bool:
        """Labels of any shape."""
        return self.labels is not None and self.dtype == "int32"

    @property
    def has_features(self) -> bool:
        """Floats with a feature axis, what most layers work on."""
        return self.is_float and self.feature is not None

    @property
    def size(self) -> int:
        """Of the feature axis."""
        assert self.feature is not None
        assert self.feature.size is not None
        return self.feature.size
