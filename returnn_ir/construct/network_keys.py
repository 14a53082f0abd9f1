"""Keys of a config that change what its network computes, whatever its layers say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from returnn_ir.options import Count, NonNegative, Share

__all__ = ["NetworkKeys"]


@dataclass(frozen=True, kw_only=True)
class NetworkKeys:
    """The keys, with RETURNN's names and defaults; ``padding`` and ``search_scores`` are ours.

    Attributes:
        target: the data key of a layer's target that names none.
        padding: what layers see behind a sequence's end: what was computed there, or nothing.
        search_scores: RETURNN's, or independent of the rest of a batch.
        optimize_move_layers_out: layers leave loops.
        inf_value: what stands for infinity in masks.
        conv_pad_seq_len_to_power: pads the longest sequence of a batch.
        tf_native_ctc_zero_infinity: a sequence without any alignment counts nothing; None: by the behaviour version.
        param_variational_noise: of layers that do not say it themselves, as the next two.
        param_dropout: see there.
        param_dropout_min_ndim: parameters with fewer axes have no dropout.
        decouple_constraints: L2 is no part of the loss, the optimizer makes parameters smaller by it.
    """

    target: str = "classes"
    padding: Literal["raw", "masked"] = "raw"
    search_scores: Literal["returnn", "independent"] = "returnn"
    optimize_move_layers_out: bool = True
    inf_value: float = math.inf
    conv_pad_seq_len_to_power: Any = None
    tf_native_ctc_zero_infinity: bool | None = None
    param_variational_noise: NonNegative | None = None
    param_dropout: Share | None = None
    param_dropout_min_ndim: Count | None = None
    decouple_constraints: bool = False
