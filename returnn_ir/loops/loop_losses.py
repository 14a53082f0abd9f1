"""Losses of layers inside of a loop: their outputs and targets leave it, and the loss is that of whole sequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.attach_losses import add_losses
from returnn_ir.construct.loop_context import PendingLoss
from returnn_ir.construct.recurrence import LOSS_OF_ALL_STEPS, leaves_loop
from returnn_ir.construct.scope import NetScope
from returnn_ir.loops.loop_exit import LoopExit

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder
    from returnn_ir.ir.graph import Region
    from returnn_ir.network.net import LayerDef

__all__ = ["leave_with_loss"]


@dataclass(frozen=True)
class _Leaving:
    """A loss whose inputs were asked for in all steps.

    Attributes:
        before: what the activation of the output was applied to.
        others: the other layers of the same network that the loss reads.
        parts: of ``before``, what only losses read; those that stand outside of the loop stay as they are.
    """

    exits: LoopExit
    pending: PendingLoss
    output: LayerOutput
    before: LayerOutput | None
    others: Mapping[str, LayerOutput]
    parts: Mapping[str, LayerOutput]

    def add(self, b: LayerBuilder) -> None:
        """Compute the loss next to ``b``, the layer of the loop, or outside of the loop that this is in."""
        from returnn_ir.construct.layer_builder import LayerBuilder as Inner

        output = replace(self.exits.outside(self.output), once=self.output.once)
        if self.before is not None and self.output.activation is not None:
            parts = {name: self.exits.outside(x) if self.exits.is_inside(x) else x for name, x in self.parts.items()}
            before = replace(self.exits.outside(self.before), parts=parts)
            output = replace(output, activation=(self.output.activation[0], before))
        definition = _named_as_in_returnn(self.pending, b.definition.path)
        if not self.output.axes and leaves_loop(self.pending.scope, self.pending.definition.path):
            b.program.note(definition.path, LOSS_OF_ALL_STEPS)
        results = {name: self.exits.outside(x) for name, x in self.others.items()}
        scope = AccumulatedScope(self.pending.scope, b.scope, b.region, {**results, definition.name: output})
        if b.scope.loop is not None:
            b.scope.loop.losses.append(PendingLoss(scope, definition, output))
            return
        inner = Inner(b.program, scope, definition)
        with inner.at(definition.origin):
            add_losses(inner, output)


def _named_as_in_returnn(pending: PendingLoss, loop: str) -> LayerDef:
    """The loss of LOOP/SUBNET/LAYER is called LOOP/SUBNET/SUBNET/LAYER where RETURNN computes the layer in the loop."""
    definition = pending.definition
    inner = definition.path.removeprefix(f"{loop}/")
    nested = inner.rpartition("/")[0]
    if not nested or leaves_loop(pending.scope, definition.path):
        return definition
    return replace(definition, path=f"{loop}/{nested}/{inner}")


def leave_with_loss(exits: LoopExit, pending: PendingLoss) -> _Leaving:
    """Ask for everything that a loss needs."""
    scope, output = pending.scope, pending.output
    names = list(_others(pending.definition, scope))
    found = [output, *(scope.get(name) for name in names)]
    if output.activation is not None:
        found.append(output.activation[1])
    if scope.program.searching:
        found = exits.of_step(found)
    left = [exits.leave(x) for x in found]
    before = left.pop() if output.activation is not None else None
    hidden = {name: x for name, x in before.parts.items() if name.startswith("/:")} if before is not None else {}
    parts = {name: exits.leave(x) if exits.is_inside(x) else x for name, x in hidden.items()}
    return _Leaving(exits, pending, left[0], before, dict(zip(names, left[1:], strict=True)), parts)


def _others(definition: LayerDef, scope: NetScope) -> Iterator[str]:
    opts = definition.options.loss_opts or {}
    for name in [*definition.targets(), str(opts.get("custom_inv_norm_factor"))]:
        local = name.removeprefix("layer:")
        if local in scope.net.layers and local != definition.name:
            yield local


class AccumulatedScope(NetScope):
    """Layers of a loop as they are seen from outside, over all steps."""

    def __init__(self, inside: NetScope, outside: NetScope, region: Region, outputs: Mapping[str, LayerOutput]) -> None:
        super().__init__(inside.net, inside.program, region, parent=outside, problems=outside.problems)
        self.results.update(outputs)
