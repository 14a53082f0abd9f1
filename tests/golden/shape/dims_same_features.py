# n_out as large as the source's Dim is that Dim; a target's labels are the output's features, with a blank behind
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 22
t, tt = SpatialDim("time"), SpatialDim("target-time")
f = FeatureDim("in", 6)
labels = FeatureDim("labels", 6)
extern_data = {
    "data": {"dim_tags": [batch_dim, t, f]},
    "classes": {"dim_tags": [batch_dim, tt], "sparse_dim": labels, "available_for_inference": True},
}
network = {
    "a": {"class": "linear", "from": "data", "n_out": 6, "activation": "tanh"},
    "res": {"class": "combine", "kind": "add", "from": ["a", "data"]},
    "sum": {"class": "reduce", "mode": "sum", "from": "a", "axis": f},
    "embedding": {"class": "linear", "from": "data:classes", "n_out": 6},
    "e_sum": {"class": "reduce", "mode": "max", "from": "embedding", "axis": labels},
    "loop": {"class": "rec", "from": "res", "axis": t, "unit": {
        "output": {"class": "linear", "n_out": 6, "from": ["data:source", "prev:output"], "activation": "tanh"},
    }},
    "both": {"class": "combine", "kind": "add", "from": ["loop", "data"]},
    "output": {"class": "softmax", "from": "embedding", "target": "classes", "loss": "ce"},
    "best": {"class": "reduce", "mode": "argmax", "from": "output", "axis": labels},
    "ctc": {"class": "softmax", "from": "both", "target": "classes", "loss": "ctc"},
    "no_blank": {"class": "slice", "from": "ctc", "axis": labels + 1, "slice_end": 6},
}
case = {"lens": {"data": [5, 7, 3], "classes": [2, 3, 1]}}
