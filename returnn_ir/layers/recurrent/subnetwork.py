"""Layers: networks inside of networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.attach_losses import has_loss
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.sources import apply_dropout
from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.ir.stored_init import StoredInit
from returnn_ir.network.layer_options import LayerOptions, NetDict, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Share, option_class

if TYPE_CHECKING:
    from returnn_ir.construct.scope import NetScope

__all__: list[str] = []


@option_class
class SubnetworkOptions(LayerOptions):
    """Options of ``subnetwork``.

    Attributes:
        subnetwork: the network.
        concat_sources: sources are joined to one input; otherwise they are several.
        load_on_init: a checkpoint to start from.
        dropout: of the input.
        dropout_noise_shape: as in layers that join their sources.
        rec_previous_layer: the layer of the step before, in a loop; without effect.
    """

    subnetwork: NetDict
    concat_sources: bool = True
    load_on_init: Any = None
    dropout: Share = 0.0
    dropout_noise_shape: Any = None
    rec_previous_layer: Any = None


@layer("subnetwork", options=SubnetworkOptions, sources="many", without_from=("data",), recurrent=True)
def subnetwork(b: LayerBuilder, opt: SubnetworkOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """The layer named ``output`` of a nested network, in which ``data`` is the joined sources.

    Its layers are reached from outside as ``NAME/LAYER``; they reach outside by ``base:LAYER``.
    """
    net = b.definition.children["subnetwork"]
    if "output" not in net.layers:
        raise ConfigError("a subnetwork needs a layer 'output'", where=b.place("subnetwork"))
    scope = b.scope.child(b.definition, net, _data(b, opt, sources))
    scope.data_blocks = _data_blocks(b, opt)
    scope.get("output", b.place("subnetwork"))
    for name, definition in net.layers.items():
        # in a loop RETURNN builds only what is needed
        if not b.in_loop and (definition.options.is_output_layer or has_loss(definition.options, b.program.loss_mode)):
            scope.get(name, b.place("subnetwork"))
    if opt.load_on_init is not None:
        _load_parameters(b, scope, opt.load_on_init)
    return scope.results["output"]


_LOAD_OPTIONS = ("filename", "params_prefix", "ignore_missing", "ignore_params", "ignore_params_prefixes")


def _load_parameters(b: LayerBuilder, scope: NetScope, given: str | dict[str, Any] | Callable[[], Any]) -> None:
    """Parameters of the nested network start with a checkpoint's, in which they are named from this layer on.

    The file is looked for when a program's initial parameters are asked for.
    """
    options = given() if callable(given) else given
    options = {"filename": options} if isinstance(options, str) else options
    if not isinstance(options, dict) or not isinstance(options.get("filename"), str):
        raise ConfigError(
            "load_on_init is not understood",
            where=b.place("load_on_init"),
            expected="the prefix of a checkpoint's files, or a dict with 'filename'",
            received=repr(options),
        )
    for key in options:
        if key not in _LOAD_OPTIONS:
            raise ConfigError(
                f"load_on_init has no option {key!r}",
                where=b.place("load_on_init"),
                expected=", ".join(_LOAD_OPTIONS),
                hint=did_you_mean(key, _LOAD_OPTIONS),
            )
    own = f"{scope.param_prefix}/"
    removed = str(options.get("params_prefix", own))
    skipped, skipped_prefixes = options.get("ignore_params", ()), tuple(options.get("ignore_params_prefixes", ()))
    for name, param in b.program.params.items():
        inside = name.removeprefix(removed)
        if not name.startswith(own) or inside in skipped or (skipped_prefixes and inside.startswith(skipped_prefixes)):
            continue
        otherwise = param.init if options.get("ignore_missing") else None
        stored = StoredInit(options["filename"], inside, otherwise, bool(options.get("ignore_missing")))
        b.program.params[name] = replace(param, init=stored)


def _data(b: LayerBuilder, opt: SubnetworkOptions, sources: Sequence[LayerOutput]) -> dict[str, LayerOutput]:
    """What ``data`` means inside; with ``concat_sources`` off also ``data:NUMBER`` and ``data:SOURCE``."""
    dropout = SourceOptions(dropout=opt.dropout, dropout_noise_shape=opt.dropout_noise_shape)
    if not sources:
        return {}
    if opt.concat_sources:
        return {"data": apply_dropout(b, dropout, b.concat_features(sources))}
    found: dict[str, LayerOutput] = {}
    for i, (name, source) in enumerate(zip(b.definition.sources, sources, strict=True)):
        # every key draws for itself
        found.update({k: apply_dropout(b, dropout, source, role=f"dropout/{k}") for k in _keys(i, name)})
    return found


def _keys(i: int, name: str) -> list[str]:
    """What ``data:KEY`` may call a source that is not joined with the others."""
    return [str(i), name, *(["data"] if i == 0 else [])]


def _data_blocks(b: LayerBuilder, opt: SubnetworkOptions) -> dict[str, tuple[int, ...]]:
    """Of what :func:`_data` gives, the numbers of features that are joined."""
    blocks = b.source_blocks()
    if opt.concat_sources:
        return {"data": tuple(chain.from_iterable(blocks))}
    names = zip(b.definition.sources, blocks, strict=False)
    return {key: own for i, (name, own) in enumerate(names) for key in _keys(i, name)}
