"""Layers: networks inside of networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from returnn_ir.errors import ConfigError
from returnn_ir.layers.context import LayerBuilder
from returnn_ir.layers.options import LayerOptions, NetDict, SourceOptions
from returnn_ir.layers.output import LayerOutput
from returnn_ir.layers.registry import layer
from returnn_ir.layers.sources import apply_dropout
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
    net = b.definition.children["subnetwork"]
    if "output" not in net.layers:
        raise ConfigError("a subnetwork needs a layer 'output'", where=b.place("subnetwork"))
    scope = b.scope.child(b.definition, net, _data(b, opt, sources))
    scope.get("output", b.place("subnetwork"))
    for name, definition in net.layers.items():
        # in a loop RETURNN builds only what is needed
        if not b.in_loop and (definition.options.is_output_layer or has_loss(definition.options, b.session.loss_mode)):
            scope.get(name, b.place("subnetwork"))
    return scope.results["output"]


def _data(b: LayerBuilder, opt: SubnetworkOptions, sources: Sequence[LayerOutput]) -> dict[str, LayerOutput]:
    """What ``data`` means inside; with ``concat_sources`` off also ``data:NUMBER`` and ``data:SOURCE``."""
    dropout = SourceOptions(dropout=opt.dropout, dropout_noise_shape=opt.dropout_noise_shape)
    if not sources:
        return {}
    if opt.concat_sources:
        return {"data": apply_dropout(b, dropout, b.concat_features(sources))}
    found: dict[str, LayerOutput] = {}
    for i, (name, source) in enumerate(zip(b.definition.sources, sources, strict=True)):
        keys = [str(i), name, *(["data"] if i == 0 else [])]
        # every key draws for itself
        found.update({k: apply_dropout(b, dropout, source, role=f"dropout/{k}") for k in keys})
    return found
