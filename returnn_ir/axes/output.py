"""What a layer gives: a value, its axes in RETURNN's order, and which of them count as time and feature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value

__all__ = ["LayerOutput", "default_feature_dim", "default_time_dim"]


@dataclass(frozen=True)
class LayerOutput:
    """The result of a layer.

    Attributes:
        value: the tensor; its dims are exactly ``axes``, in any order.
        axes: RETURNN's order of the axes (recurrent layers: time-major). Only what RETURNN makes depend on the order
            (integer axes, ``static:0``, ``merge_dims`` of a set, comparing with recorded outputs) may ask it.
        time_dim: the axis that "T" means.
        feature_dim: the axis that "F" means; labels have none.
        activation: for a layer that ends in an activation: its name and what went into it.
        states: last hidden states of recurrent layers, by RETURNN's keys (``h``, ``c``).
        variable: for layers about one variable: the name of its parameter.
        parts: further results, reached as ``layer/NAME``.
        once: axes for which an expression gave one entry for all: RETURNN's tensor is not repeated along them.
        time_named: RETURNN names the time axis instead of having one by default: it stays time when it is cut to
            a fixed size.
    """

    value: Value
    axes: tuple[Dim, ...]
    time_dim: Dim | None = None
    feature_dim: Dim | None = None
    activation: tuple[str, LayerOutput] | None = None
    states: Mapping[str, LayerOutput] = field(default_factory=dict)
    parts: Mapping[str, LayerOutput] = field(default_factory=dict)
    variable: str = ""
    once: frozenset[Dim] = frozenset()
    time_named: bool = False

    def __post_init__(self) -> None:
        if len(self.axes) != len(self.value.dims) or set(self.axes) != set(self.value.dims):
            raise IRError(f"axes {self.axes} are not those of {self.value.type}")
        for special in (self.time_dim, self.feature_dim):
            if special is not None and special not in self.axes:
                raise IRError(f"{special} is not one of the axes {self.axes}")

    @staticmethod
    def of(value: Value, axes: Sequence[Dim]) -> LayerOutput:
        """A result whose time and feature axis are RETURNN's defaults for these axes."""
        time = default_time_dim(axes)
        sparse = value.type.sparse_dim is not None
        return LayerOutput(value, tuple(axes), time, default_feature_dim(axes, time, sparse=sparse))

    @property
    def dtype(self) -> str:
        """The element type."""
        return self.value.dtype

    @property
    def sparse_dim(self) -> Dim | None:
        """For labels, what they number."""
        return self.value.type.sparse_dim

    @property
    def batch_dim(self) -> Dim | None:
        """The batch axis."""
        return next((d for d in self.axes if d.is_batch), None)

    @property
    def feature_or_sparse_dim(self) -> Dim | None:
        """The feature axis, or for labels the dim that they number."""
        return self.sparse_dim if self.sparse_dim is not None else self.feature_dim

    def with_value(self, value: Value) -> LayerOutput:
        """The same axes around another value (nothing else carries over).

        The value may have more axes than before, as a masked reduction brings in those of the lengths: they come first.
        """
        new = tuple(d for d in value.dims if d not in self.axes)
        axes = (*new, *(d for d in self.axes if d in value.dims))
        keep = LayerOutput(value, axes)
        time = self.time_dim if self.time_dim in axes else None
        feature = self.feature_dim if self.feature_dim in axes and value.type.sparse_dim is None else None
        return replace(keep, time_dim=time, feature_dim=feature, time_named=self.time_named)

    def with_axes(self, value: Value, mapping: Mapping[Dim, Sequence[Dim]]) -> LayerOutput:
        """Around another value, with some axes replaced in place by none, one or several others.

        Time and feature move along where an axis has one replacement; an axis that vanished leaves RETURNN's default.
        """
        axes = tuple(n for d in self.axes for n in mapping.get(d, (d,)))
        time, feature = (self._moved(d, mapping) for d in (self.time_dim, self.feature_dim))
        if time is None and self.time_dim is not None:
            time = default_time_dim(axes)
        if value.type.sparse_dim is not None:
            feature = None
        elif feature is None and self.feature_dim is not None:
            feature = default_feature_dim(axes, time, sparse=False)
        return LayerOutput(value, axes, time, feature, time_named=self.time_named)

    @staticmethod
    def _moved(dim: Dim | None, mapping: Mapping[Dim, Sequence[Dim]]) -> Dim | None:
        if dim is None:
            return None
        after = mapping.get(dim, (dim,))
        return after[0] if len(after) == 1 else None


def default_time_dim(axes: Iterable[Dim]) -> Dim | None:
    """The first dynamic axis that is not feature-like, else the first dynamic axis."""
    dynamic = [d for d in axes if d.is_dynamic]
    return next((d for d in dynamic if not d.feature), dynamic[0] if dynamic else None)


def default_feature_dim(axes: Iterable[Dim], time_dim: Dim | None, *, sparse: bool) -> Dim | None:
    """The last static axis, else the last one that is neither batch nor time; labels have none."""
    if sparse:
        return None
    candidates = [d for d in axes if not d.is_batch and d is not time_dim]
    static = [d for d in candidates if d.is_static]
    return static[-1] if static else (candidates[-1] if candidates else None)
