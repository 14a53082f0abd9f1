# single_step_dim as the axis of everything that has a state in a loop
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim, single_step_dim
behavior_version = 12
time_dim, hist = SpatialDim("time"), SpatialDim("history")
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, FeatureDim("feature", 4)]}}
network = {"loop": {"class": "rec", "from": "data", "unit": {
    "x": {"class": "combine", "kind": "add", "from": ["data:source", "prev:output"]},
    "l": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "axis": single_step_dim, "from": "x"},
    "cs": {"class": "cumsum", "axis": single_step_dim, "from": "x"},
    "p": {"class": "positional_encoding", "axis": single_step_dim, "add_to_input": True, "from": "x"},
    "acc": {"class": "cum_concat", "axis": single_step_dim, "out_spatial_dim": hist, "from": "p"},
    "mx": {"class": "reduce", "mode": "mean", "axis": hist, "from": "acc"},
    "win": {"class": "window", "window_size": 2, "window_right": 0, "axis": single_step_dim, "from": "cs"}, "flat": {"class": "merge_dims", "axes": ["dim:2", "dim:4"], "keep_order": True, "from": "win"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["l", "cs", "p", "mx", "flat"]}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
