"""Layers: rec, a recurrent unit over an axis."""

from __future__ import annotations

from collections.abc import Sequence

from returnn_ir.axes.output import LayerOutput, default_feature_dim
from returnn_ir.construct.initializers import option_init
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.sources import joined_source
from returnn_ir.errors import ConfigError
from returnn_ir.ir.dims import Dim
from returnn_ir.layers.recurrent.cells import CellScope, Inits, make_cell, runs_alone
from returnn_ir.layers.recurrent.cells.single_step import is_single_step, one_step
from returnn_ir.layers.recurrent.hidden_state import initial_state_refs, keep_last_state, state_before, state_outputs
from returnn_ir.loops.options import RecOptions
from returnn_ir.loops.sequence_limit import sequence_limit_refs
from returnn_ir.loops.subnetwork import rec_subnet
from returnn_ir.network.layer_registry import layer

__all__: list[str] = []


def _refs(opt: RecOptions) -> list[str]:
    return [
        *initial_state_refs(opt.initial_state),
        *initial_state_refs(opt.state),
        *sequence_limit_refs(opt.max_seq_len),
    ]


@layer(
    "rec", options=RecOptions, names_time=False, sources="many", extra_refs=_refs, variable_scope="rec", recurrent=True
)
def rec(b: LayerBuilder, opt: RecOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """A recurrent unit over ``axis`` (default: time); the result has that axis in front and the features last."""
    if not isinstance(opt.unit, str):
        if opt.state is not None:
            raise ConfigError("state is for units with a name", where=b.place("state"), hint="initial_output")
        return rec_subnet(b, opt, joined_source(b, opt, sources) if sources else None)
    _check(b, opt)
    if not sources:
        raise ConfigError(f"unit {opt.unit!r} needs a source", where=b.place("from"))
    x = joined_source(b, opt, sources)
    dim, feature = (None, x.feature_dim) if _sees_one_frame(b, opt, opt.unit, x) else _axes(b, opt, x)
    out = b.out_feature_dim()
    rest = tuple(d for d in x.axes if d not in (dim, feature))
    sparse = x.sparse_dim is not None
    scope = CellScope(
        b,
        x.sparse_dim if x.sparse_dim is not None else feature or b.require_feature(x),
        sparse,
        rest,
        out,
        Inits(
            option_init(opt, "forward_weights_init"),
            option_init(opt, "recurrent_weights_init"),
            option_init(opt, "bias_init"),
        ),
    )
    cell = make_cell(scope, opt.unit, opt.unit_opts or {}, single_step=False, input_projection=opt.input_projection)
    if dim is None:
        return one_step(b, cell, x.value, opt, rest, out)
    start = state_before(b, opt, cell.keys, rest, out)
    value, last = cell.over(b, x.value, dim, start, reverse=opt.direction == -1)
    if opt.state is None:
        keep_last_state(b, opt.initial_state, last)
    return LayerOutput(value, (dim, *rest, out), dim, out, states=state_outputs(last, rest, out))


def _check(b: LayerBuilder, opt: RecOptions) -> None:
    if (opt.max_seq_len is not None or opt.max_seq_len_via is not None) and not opt.unroll:
        raise ConfigError("max_seq_len is for recurrent subnetworks", where=b.place("max_seq_len"))


def _sees_one_frame(b: LayerBuilder, opt: RecOptions, unit: str, x: LayerOutput) -> bool:
    """Whether there is no axis to run over; a cell outside of loops is only meant to where the options say so."""
    meant = opt.axis is not None or opt.state is not None or b.in_loop or runs_alone(unit)
    return meant and is_single_step(b, opt.axis, opt.state, x)


def _axes(b: LayerBuilder, opt: RecOptions, x: LayerOutput) -> tuple[Dim, Dim | None]:
    """The axis to run over and the feature axis, which labels do not have."""
    dim = b.axis(x, opt.axis) if opt.axis is not None else x.time_dim
    if dim is None:
        raise ConfigError(
            "the source has no time axis", where=b.place("from"), received=x.value.type, hint="name one by 'axis'"
        )
    if dim is x.feature_dim:
        return dim, default_feature_dim([d for d in x.axes if d is not dim], dim, sparse=False)
    return dim, x.feature_dim
