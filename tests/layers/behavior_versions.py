"""What each of RETURNN's behaviour versions changes, with a network that shows it where a network can."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CHANGES", "INPUTS", "Change"]

#: What all networks read; the version is set in front.
INPUTS = """
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
t, f = SpatialDim("time"), FeatureDim("in", 5)
extern_data = {
    "data": {"dim": 5},
    "image": {"shape": (None, 3, 5), "available_for_inference": True},
    "tagged": {"dim_tags": [batch_dim, t, f], "available_for_inference": True},
}
"""


@dataclass(frozen=True)
class Change:
    """A change.

    Attributes:
        text: what it is.
        network: the layers, where acceptance, axes or parameters differ between this version and the one before.
        golden: cases whose numbers differ.
        reason: why there is neither.
    """

    text: str
    network: str | None = None
    golden: tuple[str, ...] = ()
    reason: str | None = None


_FRONTEND = "it is about RETURNN's frontend, which net dicts do not reach"

CHANGES: dict[int, Change] = {
    1: Change("'from' must be given", '"output": {"class": "linear", "n_out": 3}'),
    2: Change("no adam = True", reason="it is about the run: tests/runtime/test_optimizers.py"),
    3: Change(
        "dot has no integer axes",
        '"output": {"class": "dot", "from": ["data", "data"], "red1": -1, "red2": -1, "var1": -2, "var2": -2}',
    ),
    4: Change(
        "one source has all axes of the result",
        '"a": {"class": "reduce", "mode": "sum", "from": "data", "axis": "T"},'
        '"b": {"class": "reduce", "mode": "sum", "from": "data", "axis": "F"},'
        '"output": {"class": "combine", "kind": "add", "from": ["a", "b"]}',
    ),
    5: Change("axes are no integers", '"output": {"class": "reduce", "mode": "sum", "from": "data", "axis": 1}'),
    6: Change(
        "merge_dims keeps the order of the list",
        '"output": {"class": "merge_dims", "from": "data:image", "axes": ["dim:5", "dim:3"], "keep_order": False}',
        golden=("shape/merge_dims_order", "shape/merge_dims_order_bv6"),
    ),
    7: Change(
        "no axes that depend on the order of the axes",
        '"output": {"class": "reduce", "mode": "sum", "from": "data:image", "axis": "static:0"}',
    ),
    8: Change(
        "conv over several axes needs in_spatial_dims",
        '"output": {"class": "conv", "from": "data:image", "filter_size": (3, 3), "padding": "same", "n_out": 2}',
    ),
    9: Change("conv may put its channels first inside", reason="the order in memory does not change what is computed"),
    10: Change(
        "conv has a bias",
        '"output": {"class": "conv", "from": "data", "filter_size": (3,), "padding": "same", "n_out": 2}',
    ),
    11: Change(
        "an axis of size one matches no other",
        '"a": {"class": "reduce", "mode": "sum", "from": "data:image", "axis": "dim:3", "keep_dims": True},'
        '"output": {"class": "combine", "kind": "add", "from": ["data:image", "a"]}',
    ),
    12: Change(
        "batch_norm's defaults and parameters",
        '"output": {"class": "batch_norm", "from": "data", "masked_time": True}',
        golden=("reduce_norm/batch_norm_old_eval",),
    ),
    13: Change(
        "a loop's output has the loop's axis", reason="here it is stacked along the loop's axis in every version"
    ),
    14: Change(
        "dot matches no axes by their size",
        '"v": {"class": "variable", "shape": (3, 5), "add_batch_axis": False},'
        '"output": {"class": "dot", "from": ["data:image", "v"], "red1": "F", "red2": "F"}',
    ),
    15: Change(
        "the train step is that of the step's begin", reason="it is an input of the program here, read at its entry"
    ),
    16: Change(
        "dims of the user are equal only if they are the same",
        '"l": {"class": "linear", "from": "data:tagged", "out_dim": FeatureDim("other", 5)},'
        '"output": {"class": "combine", "kind": "add", "from": ["data:tagged", "l"]}',
    ),
    17: Change("zoneout's output is the zoned-out one", golden=("rec_units/zoneoutlstm_bv17",)),
    18: Change(
        "window puts its axis in front",
        '"output": {"class": "window", "from": "data", "window_size": 3}',
        golden=("shape/own_window_bv18",),
    ),
    19: Change("attention dropout", reason=_FRONTEND),
    20: Change("TransformerDecoder's defaults", reason=_FRONTEND),
    21: Change("padding comes directly behind each sequence", golden=("shape/pad", "shape/pad_bv21")),
    22: Change("a Tensor is no bool", reason="no tensor of a config was one here in any version"),
    23: Change("convolutions of the frontend mask", reason=_FRONTEND),
    24: Change("'same' padding of the frontend", reason=_FRONTEND),
    25: Change("scatter with a fill_value", reason=_FRONTEND),
    26: Change("shards of DistributeFilesDataset", reason="there is no sharding here"),
    27: Change("element types under autocast", reason=_FRONTEND),
    28: Change("number of masks of specaugment", reason=_FRONTEND),
    29: Change("conformer's batch norm", reason=_FRONTEND),
    30: Change("targets that fit nowhere count nothing in ctc", golden=("losses/ctc_behavior_30",)),
}
