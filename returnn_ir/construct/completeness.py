"""Whether all that was asked of a network is in the program: a layer that got lost would leave a smaller network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from returnn_ir.construct.attach_losses import has_loss
from returnn_ir.errors import ConfigError, Origin, UserError
from returnn_ir.ir.mode import Mode

if TYPE_CHECKING:
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.network.net import LayerDef

__all__ = ["missing"]

_REPORT = "report it: the network may be right, and the compiler has lost a part of it"


def missing(scope: NetScope, wanted: Iterable[str], outputs: Collection[str]) -> list[UserError]:
    """A problem for each layer that was wanted and not built, and for each loss that was due and is not there.

    Args:
        scope: the root network, built; its losses have their full names still.
        wanted: layers that had to be built.
        outputs: those that were.
    """
    layers = scope.net.layers
    found: list[UserError] = []
    due: dict[str, LayerDef] = dict(_nested_losses(scope))
    for name in dict.fromkeys(wanted):
        definition = layers.get(name)
        if name not in outputs:
            where = definition.origin if definition is not None else Origin(name)
            found.append(ConfigError("the layer is wanted, and it was not built", where=where, hint=_REPORT))
        elif definition is not None and has_loss(definition.options, scope.program.loss_mode):
            due[name] = definition
    for name, definition in due.items():
        if name not in scope.program.graph.losses:
            where = definition.key_origin("loss")
            found.append(ConfigError("the loss is not in the program", where=where, hint=_REPORT))
    return found


def _nested_losses(scope: NetScope) -> Iterator[tuple[str, LayerDef]]:
    """The losses of networks inside of layers that were built, by their names."""
    mode = scope.program.mode
    for name in scope.results:
        if name in scope.children:
            inner = scope.children[name]
            if inner.has_losses:
                yield from _losses(scope, inner.net.layers.values())
                yield from _nested_losses(inner)
        elif name in scope.net.layers and "unit" in scope.net.layers[name].children and mode != Mode.SEARCH:
            # in networks inside of a loop RETURNN builds only what is needed
            yield from _losses(scope, scope.net.layers[name].children["unit"].layers.values())


def _losses(scope: NetScope, definitions: Iterable[LayerDef]) -> Iterator[tuple[str, LayerDef]]:
    for definition in definitions:
        if has_loss(definition.options, scope.program.loss_mode):
            yield definition.path, definition
