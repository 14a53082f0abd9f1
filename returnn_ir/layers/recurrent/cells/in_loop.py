"""A recurrent cell as one layer of a loop: its state is carried from step to step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.recurrent.cells.base import Cell, State
from returnn_ir.layers.recurrent.hidden_state import (
    initial_state,
    keep_last_state,
    keeps_state,
    state_outputs,
)

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["one_step"]


def one_step(b: LayerBuilder, cell: Cell, x: Value, given: Any, rest: tuple[Dim, ...], out: Dim) -> LayerOutput:
    """One frame of ``cell``.

    Args:
        x: [*rest, features].
        given: ``initial_state``.
        rest, out: the axes of the output.
    """
    with b.outside_loop():
        start = initial_state(b, given, cell.keys, rest, out)
    state = {key: b.loop_state(key or "state", value) for key, value in start.items()}
    y, following = cell.step(b, cell.inputs(b, x), state)
    for key, value in following.items():
        b.set_loop_state(key or "state", value)
    if keeps_state(given):
        _keep_at_end(b, given, following)
    return LayerOutput(y, (*rest, out), None, out, states=state_outputs(following, rest, out))


def _keep_at_end(b: LayerBuilder, given: Any, following: State) -> None:
    """Store the state behind the loop's last step for the next run, of sequences that ended earlier too, as RETURNN."""
    loop = b.enclosing_loop
    builder = loop.builder
    for value in following.values():
        builder.stack(value)

    def store() -> None:
        outer = builder.outer
        end = outer.sub(outer.extent(builder.dim), 1)
        state = {key: outer.op("gather", builder.stacked(v), end, dim=builder.dim) for key, v in following.items()}
        keep_last_state(b, given, state)

    loop.at_end.append(store)
