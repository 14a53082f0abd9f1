"""Layers: rnn_cell, a recurrent cell that RETURNN runs frame by frame."""

from __future__ import annotations

from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.initializers import Init, option_init
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.layers.recurrent.cells import CellScope, Inits, make_cell
from returnn_ir.layers.recurrent.cells.single_step import one_step
from returnn_ir.layers.recurrent.hidden_state import initial_state, initial_state_refs, state_outputs
from returnn_ir.network.layer_options import SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

__all__: list[str] = []


@option_class
class RnnCellOptions(SourceOptions):
    """Options of ``rnn_cell``.

    Attributes:
        unit: the cell, see units.
        unit_opts: options of the unit, see units.
        initial_state: of the first frame: a number, a layer, or a dict of these by state; None: zeros.
        weights_init: initial value of the weights.
    """

    unit: str
    unit_opts: dict[str, Any] | None = None
    initial_state: Any = None
    weights_init: Init = "xavier"


def _refs(opt: RnnCellOptions) -> list[str]:
    return [*initial_state_refs(opt.initial_state), *initial_state_refs(opt.state)]


@layer("rnn_cell", options=RnnCellOptions, extra_refs=_refs, variable_scope="rec", recurrent=True)
def rnn_cell(b: LayerBuilder, opt: RnnCellOptions, x: LayerOutput) -> LayerOutput:
    """A cell over the source's time axis; the result is time-major."""
    if x.time_dim is None and not b.in_loop and opt.state is None:
        raise ConfigError("the source has no time axis, and the layer is in no loop", where=b.place("from"))
    if x.time_dim is not None and opt.state is not None:
        raise ConfigError(
            "state is for a single frame, and the source has a time axis",
            where=b.place("state"),
            received=x.value.type,
            hint="initial_state",
        )
    if opt.initial_output is not None:
        raise ConfigError("the output follows from the state", where=b.place("initial_output"), hint="initial_state")
    rest = tuple(d for d in x.axes if d not in (x.time_dim, x.feature_dim))
    if x.time_dim is not None and (len(rest) != 1 or not rest[0].is_batch):
        raise DimError("the source has further axes", where=b.place("from"), expected="B, T, F", received=x.value.type)
    out = b.out_feature_dim()
    feature = x.sparse_dim if x.sparse_dim is not None else b.require_feature(x)
    scope = CellScope(b, feature, x.sparse_dim is not None, rest, out, Inits(forward=option_init(opt, "weights_init")))
    cell = make_cell(scope, opt.unit, opt.unit_opts or {}, single_step=True)
    if x.time_dim is None:
        return one_step(b, cell, x.value, opt, rest, out)
    start = initial_state(b, opt.initial_state, cell.keys, rest, out)
    value, last = cell.over(b, x.value, x.time_dim, start, reverse=False)
    return LayerOutput(value, (x.time_dim, *rest, out), x.time_dim, out, states=state_outputs(last, rest, out))
