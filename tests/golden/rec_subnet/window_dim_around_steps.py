# windows around the step with a window_dim, attended over, in front of a recurrence, at behaviour version 30
from returnn.tf.util.data import batch_dim, SpatialDim, FeatureDim
behavior_version = 30
time_dim, in_dim, hid_dim, out_dim = SpatialDim("time"), FeatureDim("in", 3), FeatureDim("hid", 4), FeatureDim("out", 2)
win_dim = SpatialDim("win", 3)
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, in_dim]}}
network = {
    "loop": {"class": "rec", "from": "data", "axis": time_dim, "unit": {
        "lin": {"class": "linear", "activation": "tanh", "out_dim": hid_dim, "from": "data:source"},
        "win": {"class": "window", "window_dim": win_dim, "from": "lin", "axis": time_dim},
        "score": {"class": "reduce", "mode": "sum", "axis": hid_dim, "from": "win"},
        "weights": {"class": "softmax_over_spatial", "axis": win_dim, "from": "score"},
        "att": {"class": "dot", "reduce": win_dim, "from": ["weights", "win"]},
        "s": {"class": "linear", "activation": "tanh", "out_dim": FeatureDim("s", 4), "from": ["att", "prev:s"]},
        "output": {"class": "linear", "activation": "tanh", "out_dim": out_dim, "from": "s"},
    }},
    "output": {"class": "copy", "from": "loop", "loss": "as_is"},
}
case = {"lens": {"data": [3, 7, 1]}}
