"""The layers and data of a network, as code of the config asks for them (``self.network.get_layer(NAME)``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.expression.numbered import Numbered
from returnn_ir.expression.traced_source import TracedSource
from returnn_ir.facade.data import DataView

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder
    from returnn_ir.construct.scope import NetScope

__all__ = ["ScopeLayers"]


class ScopeLayers:
    """Those that one scope knows, see :class:`returnn_ir.facade.network.NetworkLayers`.

    Args:
        b: the builder of the layer whose code asks.
        scope: the code's network, or one around it.
        prefix: what a name begins with that this network and the code's own one mean the same by.
    """

    def __init__(self, b: LayerBuilder, scope: NetScope, prefix: str = "") -> None:
        self._b = b
        self._scope = scope
        self._prefix = prefix

    @property
    def name(self) -> str:
        """The network's path."""
        return self._scope.net.path

    @property
    def parent(self) -> ScopeLayers | None:
        """Those of the network around."""
        around = self._scope.parent
        return ScopeLayers(self._b, around, f"{self._prefix}base:") if around is not None else None

    @property
    def rec_step(self) -> Callable[[], Numbered] | None:
        """Gives the number of the step of the loop that the network stands in."""
        loop, b = self._scope.loop, self._b
        return (lambda: Numbered(b, b.cast(loop.builder.index, "int32"), ())) if loop is not None else None

    @property
    def data_keys(self) -> list[str]:
        """The keys of the data."""
        return self._b.program.extern.keys

    def output(self, name: str) -> DataView[Numbered]:
        """The output of a layer, or ``data:KEY``, built now if it was not yet."""
        b = self._b
        x: LayerOutput = b.scope.get(f"{self._prefix}{name}", b.place())
        value = b.op("set_sparse", x.value, sparse_dim=None) if x.sparse_dim is not None else x.value
        return DataView(TracedSource(b, x, Numbered(b, value, x.axes), x))

    def batch_size(self) -> Numbered:
        """The number of sequences."""
        b = self._b
        return Numbered(b, b.cast(b.extent(b.batch()), "int32"), ())
