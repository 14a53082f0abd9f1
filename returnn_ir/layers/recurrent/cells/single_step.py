"""A recurrent cell on one frame: as a layer of a loop, where its state is carried, or on an input without time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.config.dim_tags import SINGLE_STEP_DIM
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.recurrent.cells.base import Cell, State
from returnn_ir.layers.recurrent.hidden_state import (
    StateOptions,
    initial_state,
    keep_last_state,
    keeps_state,
    state_before,
    state_outputs,
)

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["is_single_step", "one_step"]


def is_single_step(b: LayerBuilder, axis: object, state: object, x: LayerOutput) -> bool:
    """Whether a unit sees one frame of ``x``: there is no time axis, or the options say so."""
    if axis is None:
        return state is not None or x.time_dim is None
    return axis is SINGLE_STEP_DIM or b.is_loop_axis(x, axis)


def one_step(b: LayerBuilder, cell: Cell, x: Value, opt: StateOptions, rest: tuple[Dim, ...], out: Dim) -> LayerOutput:
    """One frame of ``cell``.

    Args:
        x: [*rest, features].
        opt: with a ``state`` nothing is kept from step to step.
        rest, out: the axes of the output.
    """
    kept = opt.state is None and b.in_loop
    state = _held_state(b, cell, opt, rest, out) if kept else state_before(b, opt, cell.keys, rest, out)
    y, following = cell.step(b, cell.inputs(b, x), state)
    for key, value in following.items() if kept else ():
        b.set_loop_state(key or "state", value)
    if opt.state is None and keeps_state(opt.initial_state):
        _keep(b, opt.initial_state, following)
    return LayerOutput(y, (*rest, out), None, out, states=state_outputs(following, rest, out))


def _held_state(b: LayerBuilder, cell: Cell, opt: StateOptions, rest: tuple[Dim, ...], out: Dim) -> State:
    """What the step of the loop before left."""
    with b.outside_loop():
        start = initial_state(b, opt.initial_state, cell.keys, rest, out)
    return {key: b.loop_state(key or "state", value) for key, value in start.items()}


def _keep(b: LayerBuilder, given: Any, following: State) -> None:
    """Store the state for the next run: in a loop that behind its last step, of sequences that ended earlier too."""
    if not b.in_loop:
        keep_last_state(b, given, following)
        return
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
