"""A recurrent cell as one layer of a loop: its state is carried from step to step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.recurrent.cells.base import Cell
from returnn_ir.layers.recurrent.hidden_state import initial_state, state_outputs

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
    return LayerOutput(y, (*rest, out), None, out, states=state_outputs(following, rest, out))
