# units that see one step of their loop, on inputs that have another time axis besides
from returnn.tensor import batch_dim, single_step_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 30
time = SpatialDim("time")
other_time = SpatialDim("other_time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
hist = SpatialDim("hist")
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "other": {"dim_tags": [batch_dim, other_time, feat]},
}
network = {
    "loop": {
        "class": "rec",
        "from": [],
        "axis": time,
        "unit": {
            "x": {"class": "rec_unstack", "from": "base:data:data", "axis": time},
            "both": {"class": "combine", "kind": "add", "from": ["x", "base:data:other"], "allow_broadcast_all_sources": True},
            "lstm": {"class": "rec", "unit": "lstm", "from": "both", "axis": single_step_dim, "out_dim": hidden},
            "pooled": {"class": "reduce", "mode": "mean", "axis": other_time, "from": "lstm"},
            "run": {"class": "rec", "unit": "gru", "from": ["pooled", "prev:run"], "axis": single_step_dim, "out_dim": hidden},
            "keys": {"class": "cum_concat", "from": "run", "axis": single_step_dim, "out_spatial_dim": hist},
            "energy": {"class": "dot", "from": ["run", "keys"], "reduce": hidden},
            "weights": {"class": "softmax_over_spatial", "axis": hist, "from": "energy"},
            "output": {"class": "dot", "from": ["weights", "keys"], "reduce": hist},
        },
    },
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
    "output": {"class": "copy", "from": "loop"},
}
case = {"train": True, "search": False, "lens": {"data": [4, 1, 5], "other": [2, 6, 1]}}
