"""The options of ``rec``."""

from __future__ import annotations

from typing import Any, Literal

from returnn_ir.construct.initializers import Init
from returnn_ir.network.layer_options import Axis, LayerRef, NetDict, SourceOptions
from returnn_ir.options import option_class

__all__ = ["RecOptions"]


@option_class
class RecOptions(SourceOptions):
    """Options of ``rec``; those about loops have no effect on a unit with a name.

    Attributes:
        unit: a unit by name, or the network of a loop.
        unit_opts: options of the unit, see units.
        direction: 1: forwards, -1: backwards.
        input_projection: the input is multiplied with a matrix.
        initial_state: of the first frame: a number, a layer, or a dict of these by state; None: zeros.
        max_seq_len: of a loop without a source: a number, a layer or an expression.
        max_seq_len_via: the layer that gives it, per sequence.
        forward_weights_init: initial value of the weights for the input.
        recurrent_weights_init: initial value of the recurrent weights.
        bias_init: initial value of the bias.
        optimize_move_layers_out: layers leave the loop; None: by the config.
        cheating: is an option of `choice`.
        unroll: without effect: how a loop runs is up to the target.
        back_prop: False: gradients only go through those layers of a loop that RETURNN computes outside.
        use_global_rec_step_offset: steps are counted on, over calls.
        include_eos: the step that ends a sequence belongs to it.
        debug: without effect.
        axis: the axis that is run over; None: time.
    """

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
