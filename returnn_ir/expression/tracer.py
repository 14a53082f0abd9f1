"""What expressions need of the builder of the layer that they stand in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.mode import Mode

if TYPE_CHECKING:
    from returnn_ir.expression.numbered import Numbered
    from returnn_ir.facade.network import NetworkLayers

__all__ = ["Tracer"]


class Tracer(Builder, ABC):
    """A builder of IR that knows where its code stands: config code is traced by calling it with such a one."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of the layer."""

    @property
    @abstractmethod
    def mode(self) -> Mode:
        """What the program is for: ``train``, ``eval``, ``search`` or ``forward``."""

    @property
    @abstractmethod
    def training(self) -> bool:
        """The train flag."""

    @property
    @abstractmethod
    def searching(self) -> bool:
        """The search flag."""

    @property
    @abstractmethod
    def config_options(self) -> Mapping[str, Any]:
        """The config that the network stands in."""

    @abstractmethod
    def network_layers(self) -> NetworkLayers[Numbered]:
        """The layers and data of the network that the layer stands in."""

    @abstractmethod
    def axes(self, x: LayerOutput, spec: object, key: str = "axis") -> list[Dim]:
        """The axes that a description names; ``key`` is the option it came from."""

    @abstractmethod
    def axis(self, x: LayerOutput, spec: object, key: str = "axis") -> Dim:
        """The one axis that a description names."""

    @abstractmethod
    def dim(self, role: str, size: int | None, *, feature: bool = False, description: str | None = None) -> Dim:
        """A dim of the layer, the same one whenever the layer is built again."""

    @abstractmethod
    def note(self, text: str) -> None:
        """Say something to the user about the layer."""

    @abstractmethod
    def train_step(self) -> Value:
        """The global training step, an int64 scalar."""

    @abstractmethod
    def random(self, kind: str, dims: tuple[Dim, ...], role: str) -> Value:
        """A draw (``uniform`` in [0, 1) or ``normal``) that is the layer's own."""
