"""The options of ``rec``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from returnn_ir.construct.initializers import Init
from returnn_ir.network.layer_options import Axis, LayerRef, NetDict, SourceOptions

__all__ = ["RecOptions"]


@dataclass(frozen=True, kw_only=True)
class RecOptions(SourceOptions):
    """Options of ``rec``; those about loops have no effect on a unit with a name."""

    unit: str | NetDict
    unit_opts: dict[str, Any] | None = None
    direction: Literal[-1, 1] | None = None
    input_projection: bool = True
    initial_state: Any = None
    max_seq_len: Any = None
    max_seq_len_via: LayerRef | None = None
    forward_weights_init: Init = None
    recurrent_weights_init: Init = None
    bias_init: Init = None
    optimize_move_layers_out: bool | None = None
    cheating: Any = False
    unroll: bool = False
    back_prop: bool | None = None
    use_global_rec_step_offset: bool = False
    include_eos: bool = False
    debug: bool | None = None
    axis: Axis = None
