"""Where the unit of a ``masked_computation`` is built: names mean what they mean around it, on the chosen frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from returnn_ir.construct.branch_scope import BranchScope
from returnn_ir.construct.scope import NetScope
from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Region, Value

if TYPE_CHECKING:
    from returnn_ir.axes.output import LayerOutput
    from returnn_ir.errors import Origin
    from returnn_ir.network.net import LayerDef, Net

__all__ = ["HeldScope", "MaskedScope", "OutsideScope"]


class MaskedScope(BranchScope):
    """The network around, seen through a mask.

    Args:
        data: what ``data`` means.
        step_mask: in a loop, in which sequences this step counts.
        select: reduces another layer's output to the chosen frames.
    """

    def __init__(
        self,
        outer: NetScope,
        region: Region,
        data: LayerOutput | None,
        step_mask: Value | None,
        select: Callable[[LayerOutput], LayerOutput],
    ) -> None:
        super().__init__(outer, region)
        if step_mask is not None:
            self.step_mask = step_mask
        self._masked = data
        self._select = select

    def child(self, definition: LayerDef, net: Net, data: Mapping[str, LayerOutput]) -> NetScope:
        """The unit's own nested network, whose losses do not count in RETURNN."""
        scope = super().child(definition, net, data)
        scope.has_losses = False
        return scope

    def get(self, name: str, where: Origin | None = None) -> LayerOutput:
        """The masked source for ``data``, else a layer of the network around."""
        if name == "data" and self._masked is not None:
            return self._masked
        return self._select(super().get(name, where))

    def joined_blocks(self, name: str) -> tuple[int, ...]:
        """The masked source is one block, as in RETURNN."""
        return () if name == "data" and self._masked is not None else super().joined_blocks(name)


class OutsideScope(BranchScope):
    """For a layer in a loop that works on a whole sequence: built in front of the loop.

    Args:
        source: what ``data`` means, a layer or data key from outside of the loop.
        steps: gives another layer of the loop as that sequence has it.
    """

    def __init__(
        self,
        inside: NetScope,
        region: Region,
        source: str,
        where: Origin,
        steps: Callable[[str], LayerOutput],
    ) -> None:
        super().__init__(inside, region)
        around = _body_of(inside).parent
        self.loop = around.loop if around is not None else None
        self.step_mask = None
        self._inside = inside
        self._source = source
        self._where = where
        self._steps = steps

    @cached_property
    def _around(self) -> OutsideScope | None:
        """The network around in front of the same loop; None: that is not in the loop."""
        around = self._inside.parent
        if around is None or self._inside.is_body:
            return None
        inner = self._source.removeprefix("base:") if self._source.startswith("base:") else ""
        return OutsideScope(around, self.region, inner, self._where, lambda name: self._steps(f"base:{name}"))

    def source(self) -> LayerOutput:
        """The sequence itself."""
        if not self._is_outside(self._source, set()):
            raise ConfigError(
                "masked_from in a loop needs a layer from outside",
                where=self._where,
                expected="base:LAYER, data:KEY, or a layer that depends on such ones only",
                received=self._source,
            )
        return self.get(self._source, self._where)

    def get(self, name: str, where: Origin | None = None) -> LayerOutput:
        """``data`` is the source; another layer of the loop is reduced to its frames."""
        if name == "data":
            return self.source()
        if name.startswith("base:"):
            return self._of_around(name.removeprefix("base:"), where)
        if name.startswith("data:"):
            return self.program.extern.get(name.removeprefix("data:"), where)
        return self._in_front(name) if self._is_outside(name, set()) else self._steps(name)

    def _of_around(self, name: str, where: Origin | None) -> LayerOutput:
        if self._around is not None:
            return self._around.get(name, where)
        return self.parent.get(name, where) if self.parent is not None else super().get(f"base:{name}", where)

    def _is_outside(self, name: str, seen: set[str]) -> bool:
        """Whether this is known in front of the loop, and the same in all steps."""
        if name.startswith("base:"):
            return self._around is None or self._around._is_outside(name.removeprefix("base:"), set())
        if name.startswith("data:"):
            return name == self._source
        if name in seen or name not in self.net.layers:
            return name in seen
        seen.add(name)
        return all(self._is_outside(ref, seen) for ref in self.net.layers[name].refs())

    def _in_front(self, name: str) -> LayerOutput:
        """A layer of the loop, built in front of it; what it says of losses and constraints it says once."""
        if name not in self.results:
            said = name in self._inside.results
            constraints, self.has_losses = len(self.program.constraints), not said
            self.results[name] = self.build(self.net.layers[name])
            if said:
                del self.program.constraints[constraints:]
        return self.results[name]


def _body_of(inside: NetScope) -> NetScope:
    """The network of the loop's body that a network stands in, or is."""
    while not inside.is_body and inside.parent is not None:
        inside = inside.parent
    return inside


class HeldScope(BranchScope):
    """The layers of a masked unit as they are seen from outside of it: held in the steps that are masked out."""

    def __init__(self, unit: NetScope, hold: Callable[[str, LayerOutput], LayerOutput]) -> None:
        super().__init__(unit, unit.region)
        self._hold = hold
        self._held: dict[str, LayerOutput] = {}

    def get(self, name: str, where: Origin | None = None) -> LayerOutput:
        """The held output of a layer inside."""
        if name not in self._held:
            self._held[name] = self._hold(name, super().get(name, where))
        return self._held[name]
