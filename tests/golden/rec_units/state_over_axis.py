# a state that is given, where the options name the axis: what the unit begins with
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 21
time = SpatialDim("time")
feat, hidden = FeatureDim("feat", 3), FeatureDim("hidden", 4)
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
}
network = {
    "mean": {"class": "reduce", "mode": "mean", "axis": time, "from": "data"},
    "c": {"class": "linear", "from": "mean", "out_dim": hidden, "activation": None},
    "h": {"class": "linear", "from": "mean", "out_dim": hidden, "activation": "tanh"},
    "back": {
        "class": "rec",
        "unit": "nativelstm2",
        "from": "data",
        "axis": time,
        "direction": -1,
        "out_dim": hidden,
        "state": {"c": "c", "h": "h"},
        "initial_state": "keep_over_epoch",
    },
    "gru": {"class": "rec", "unit": "gru", "from": "back", "axis": time, "out_dim": hidden, "state": "h"},
    "last": {"class": "get_last_hidden_state", "from": "gru", "out_dim": hidden},
    "output": {"class": "combine", "kind": "add", "from": ["gru", "last"]},
    "obj": {"class": "eval", "from": "output", "eval": "source(0) ** 2", "loss": "as_is"},
}
case = {"train": True, "repeat": 2}
