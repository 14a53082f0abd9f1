"""Layers: networks inside of networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from returnn_ir.errors import ConfigError
from returnn_ir.layers.context import LayerBuilder
from returnn_ir.layers.options import LayerOptions, NetDict
from returnn_ir.layers.output import LayerOutput
from returnn_ir.layers.registry import layer
from returnn_ir.losses import has_loss

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class SubnetworkOptions(LayerOptions):
    """Options of ``subnetwork``."""

    subnetwork: NetDict
    concat_sources: bool = True
    load_on_init: Any = None
    dropout: float = 0.0
    dropout_noise_shape: Any = None
    rec_previous_layer: Any = None


@layer("subnetwork", options=SubnetworkOptions, sources="many")
def subnetwork(b: LayerBuilder, opt: SubnetworkOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """The layer named ``output`` of a nested network, in which ``data`` is the joined sources.

    Its layers are reached from outside as ``NAME/LAYER``; they reach outside by ``base:LAYER``.
    """
    if opt.load_on_init is not None:
        raise ConfigError(
            "load_on_init is not supported",
            where=b.place("load_on_init"),
            hint="preload_from_files in the run's config",
        )
    if opt.dropout and b.training:
        raise ConfigError("dropout of a subnetwork is not supported", where=b.place("dropout"), hint="a dropout layer")
    data: dict[str, LayerOutput] = {}
    if sources:
        data["data"] = b.concat_features(sources) if opt.concat_sources else sources[0]
        data.update({str(i): s for i, s in enumerate(sources)})
    net = b.definition.children["subnetwork"]
    if "output" not in net.layers:
        raise ConfigError("a subnetwork needs a layer 'output'", where=b.place("subnetwork"))
    scope = b.scope.child(b.definition, net, data)
    for name, definition in net.layers.items():
        options = definition.options
        if name == "output" or options.is_output_layer or has_loss(options, b.session.mode):
            scope.get(name, b.place("subnetwork"))
    return scope.results["output"]
