"""A place inside of a layer where other layers are built: one branch of a ``cond``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from returnn_ir.construct.scope import NetScope

if TYPE_CHECKING:
    from returnn_ir.axes.output import LayerOutput
    from returnn_ir.errors import Origin
    from returnn_ir.ir.graph import Region

__all__ = ["BranchScope"]


class BranchScope(NetScope):
    """Builds layers into a nested region; names mean there what they mean in the network around.

    Layers of that network which are not built yet are built in its own region, not in the branch.
    """

    def __init__(self, outer: NetScope, region: Region) -> None:
        super().__init__(
            outer.net,
            outer.program,
            region,
            parent=outer.parent,
            param_prefix=outer.param_prefix,
            loop=outer.loop,
            problems=outer.problems,
        )
        self.step_mask = outer.step_mask
        self.has_losses = outer.has_losses
        self._outer = outer

    @property
    def owner(self) -> NetScope:
        """The network around."""
        return self._outer.owner

    def path_of(self, name: str) -> str:
        """As in the network around."""
        return self._outer.path_of(name)

    def joined_blocks(self, name: str) -> tuple[int, ...]:
        """As in the network around."""
        return self._outer.joined_blocks(name)

    def param_scope(self, layer: str, name_scope: str | None) -> str:
        """As in the network around."""
        return self._outer.param_scope(layer, name_scope)

    def get(self, name: str, where: Origin | None = None) -> LayerOutput:
        """The output of a layer or data key of the network around."""
        return self._outer.get(name, where)
