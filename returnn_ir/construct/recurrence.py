"""Whether a layer in a loop depends on its own past, so that it cannot leave the loop, and what RETURNN makes of that.

RETURNN computes layers behind or in front of the loop where it can, which changes what some of them mean. Here a layer
means what it means in the loop; whoever knows its numbers from RETURNN is told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.network.net import LayerDef

__all__ = [
    "LOSS_OF_ALL_STEPS",
    "READS_LOOP_AXIS",
    "leaves_loop",
    "reads_loop_axis_whole",
    "stays_in_loop",
    "without_gradient",
]

READS_LOOP_AXIS = (
    "reads the axis of its loop as a whole in every step; RETURNN computes this layer outside of the loop, where that "
    "axis and the loop's own become one, unless optimize_move_layers_out is False"
)

LOSS_OF_ALL_STEPS = (
    "RETURNN computes it outside of the loop, of all steps at once; here each step has a value, and the loss is their "
    "sum"
)


def leaves_loop(scope: NetScope, path: str) -> bool:
    """In a loop, whether RETURNN computes that layer on all frames at once: it does not need its own past."""
    loop = scope.loop
    return loop is not None and loop.builder.hoist and not _depends_on_itself(scope, path)


def stays_in_loop(scope: NetScope, path: str) -> bool:
    """In a loop, whether RETURNN computes that layer step by step: it is between layers that need their own past.

    Args:
        scope: where the layer stands, perhaps in a network inside of the loop's.
        path: its full path.
    """
    loop = scope.loop
    if loop is None:
        return False
    while scope.parent is not None and scope.parent.loop is loop:
        scope = scope.parent
    own = path.removeprefix(f"{scope.net.path}/" if scope.net.path else "").split("/")[0]
    return not loop.builder.hoist or own in scope.net.between_recurrent(searching=scope.program.searching)


def without_gradient(b: LayerBuilder, x: LayerOutput) -> LayerOutput:
    """The same output, through which no gradient goes; hidden states are the loop's own, as they were."""
    if x.activation is not None:
        x = replace(x, activation=(x.activation[0], without_gradient(b, x.activation[1])))
    parts = {name: without_gradient(b, part) for name, part in x.parts.items()}
    value = b.op("stop_gradient", x.value) if x.value.type.dtype.startswith("float") else x.value
    return replace(x, value=value, parts=parts)


def reads_loop_axis_whole(scope: NetScope, definition: LayerDef) -> bool:
    """Whether a layer combines steps of its loop with a sequence over the same axis, and RETURNN moves it out."""
    loop = scope.loop
    if loop is None or loop.trial:
        return False
    refs = set(definition.refs(definition.sources_in(searching=scope.program.searching))) - set(definition.reused())
    outside = [ref for ref in refs if ref.startswith("base:")]
    if len(outside) == len(refs):
        return False
    axes = {dim for ref in outside if (x := _built(scope, ref)) is not None for dim in x.axes}
    return not axes.isdisjoint((loop.builder.dim, loop.builder.own_time)) and leaves_loop(scope, definition.path)


def _built(scope: NetScope, ref: str) -> LayerOutput | None:
    """A layer or data key of a network around this one, if it is there: nothing is made only to speak of it."""
    while ref.startswith("base:") and scope.parent is not None:
        scope, ref = scope.parent, ref.removeprefix("base:")
    if ref == "data" or ref.startswith("data:"):
        return scope.made_data(ref)
    own = scope.net.layer_of(ref)
    return scope.results.get(own) if own is not None else None


def _depends_on_itself(scope: NetScope, path: str) -> bool:
    """Whether the layer needs, by way of others or not, what it gave in an earlier step of the loop.

    Args:
        scope: where the layer stands.
        path: its full path.
    """
    while True:
        own = path.removeprefix(f"{scope.net.path}/" if scope.net.path else "")
        if own.split("/")[0] in scope.net.circles(searching=scope.program.searching).recurrent:
            return True
        if scope.parent is None or scope.parent.loop is not scope.loop:
            return False
        scope = scope.parent
