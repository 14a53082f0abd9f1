"""RETURNN's choice layer, as ``custom_score_combine`` gets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from returnn_ir.facade.access import shown
from returnn_ir.facade.network import LayerView, SourceLayerView
from returnn_ir.facade.view import View

__all__ = ["ChoiceView", "ChosenView"]

T = TypeVar("T")


@shown("dim")
class ChosenView(View):
    """What a choice gives, before it is known: labels."""

    sparse = True
    dtype = "int32"
    shape: tuple[int, ...] = ()
    batch_shape: tuple[int | None, ...] = (None,)

    def __init__(self, dim: int | None) -> None:
        self.dim = dim


@shown("name", "network", "output", "explicit_search_sources")
class ChoiceView(View, Generic[T]):
    """The layer.

    Args:
        layer: what it has in common with others.
        labels: how many it chooses from.
        explicit: the layers of ``explicit_search_sources``, in the form that the option has.
    """

    def __init__(
        self,
        layer: LayerView[T],
        labels: int | None,
        explicit: Mapping[str, SourceLayerView[T]] | Sequence[SourceLayerView[T]],
    ) -> None:
        self.name = layer.name
        self.network = layer.network
        self.output = ChosenView(labels)
        self.explicit_search_sources = explicit
