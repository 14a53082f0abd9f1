"""Layers: rec, a recurrent unit over an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from returnn_ir.dims import Dim
from returnn_ir.errors import ConfigError
from returnn_ir.graph import Value
from returnn_ir.initializers import Init
from returnn_ir.layers.context import LayerBuilder
from returnn_ir.layers.options import Axis, NetDict, SourceOptions
from returnn_ir.layers.output import LayerOutput
from returnn_ir.layers.registry import layer

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class RecOptions(SourceOptions):
    """Options of ``rec``."""

    unit: str | NetDict | Any = "lstm"
    unit_opts: dict[str, Any] | None = None
    direction: int | None = None
    input_projection: bool = True
    initial_state: Any = None
    max_seq_len: Any = None
    max_seq_len_via: Any = None
    forward_weights_init: Init = None
    recurrent_weights_init: Init = None
    bias_init: Init = None
    optimize_move_layers_out: bool | None = None
    cheating: bool = False
    unroll: bool = False
    back_prop: bool | None = None
    use_global_rec_step_offset: bool = False
    include_eos: bool = False
    debug: bool | None = None
    axis: Axis = None


@layer("rec", options=RecOptions)
def rec(b: LayerBuilder, opt: RecOptions, x: LayerOutput) -> LayerOutput:
    """A recurrent unit over the time axis, the result time-major."""
    if x.time_dim is None:
        raise ConfigError("no time axis", where=b.place("from"))
    dim = x.time_dim
    feature = b.require_feature(x)
    out = b.out_feature_dim()
    gate = b.dim("gates", 4 * (out.size or 0), feature=True)
    state_in = b.dim("state", out.size, feature=True)
    rest = tuple(d for d in x.axes if d not in (dim, feature))
    fwd = opt.forward_weights_init or opt.recurrent_weights_init or "glorot_uniform"
    w = b.param("rec/W", (feature, gate), fwd)
    bias = b.param("rec/b", (gate,), opt.bias_init or 0.0)
    w_re = b.param(
        "rec/W_re", (state_in, gate), opt.recurrent_weights_init or opt.forward_weights_init or "glorot_uniform"
    )
    zero = _zeros(b, rest, out)
    value = b.op(
        "lstm",
        x.value,
        w,
        w_re,
        bias,
        zero,
        zero,
        dim=dim,
        in_dim=feature,
        out_dim=out,
        gate_dim=gate,
        state_in=state_in,
        reverse=opt.direction == -1,
    )
    return LayerOutput(value, (dim, *rest, out), dim, out)


def _zeros(b: LayerBuilder, rest: tuple[Dim, ...], out: Dim) -> Value:
    return b.expand(b.const(0.0), *rest, out)
