"""Extra networks: ``extra.search:LAYER`` is a layer built once more, in search mode, beside the one of the same name.

Parameters are shared; everything that the layer refers to is the main network's, unless it is named with the prefix or
the network has a layer of that full name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.scope import NetScope, UnbuildableError
from returnn_ir.errors import ConfigError, Origin, did_you_mean

if TYPE_CHECKING:
    from returnn_ir.network.net import LayerDef

__all__ = ["ExtraScope"]


class ExtraScope(NetScope):
    """The layers of one extra network.

    Args:
        main: the network that this one lies over.
        prefix: ``extra``, ``extra.search`` or ``extra.NAME``; it searches if "search" is one of its parts.
    """

    def __init__(self, main: NetScope, prefix: str) -> None:
        shared = main.program
        program = replace(
            shared, extra=prefix, dims={}, declared=dict(shared.declared), rebatched=dict(shared.rebatched)
        )
        super().__init__(
            main.net,
            program,
            main.region,
            parent=main.parent,
            param_prefix=main.param_prefix,
            loop=main.loop,
            problems=main.problems,
        )
        self._main = main
        self._prefix = prefix

    @property
    def owner(self) -> NetScope:
        """The main network, which a name without the prefix means."""
        return self._main.owner

    def get(self, name: str, where: Origin | None = None) -> LayerOutput:
        """A layer of this network if it is named so, else of the main one."""
        head, _, rest = name.removeprefix(f"{self._prefix}:").partition("/")
        explicit = name.startswith(f"{self._prefix}:")
        if not explicit and f"{self._prefix}:{head}" not in self.net.layers:
            return self._main.get(name, where)
        if head not in self.results and head not in self._failed:
            self._build(self._definition(head, where))
        if head in self._failed:
            raise UnbuildableError(name, self._failed[head], where)
        return self._part(head, rest, where) if rest else self.results[head]

    def _definition(self, own: str, where: Origin | None) -> LayerDef:
        layers = self.net.layers
        found = layers.get(f"{self._prefix}:{own}") or layers.get(own)
        if found is None:
            raise ConfigError(f"there is no layer {own!r}", where=where, hint=did_you_mean(own, layers))
        return found

    def _local_refs(self, definition: LayerDef) -> Iterator[str]:
        """What a layer refers to is built when it asks."""
        return iter(())
