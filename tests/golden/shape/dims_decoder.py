# an attention decoder over Dim objects: base time, target time as the loop's axis, single steps, labels as the output's Dim
from returnn.tensor import batch_dim, single_step_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 24
t, tt = SpatialDim("time"), SpatialDim("target-time")
f, o = FeatureDim("in", 4), FeatureDim("o", 3)
labels = FeatureDim("labels", 5)
extern_data = {
    "data": {"dim_tags": [batch_dim, t, f]},
    "classes": {"dim_tags": [batch_dim, tt], "sparse_dim": labels},
}
network = {
    "enc": {"class": "rec", "unit": "nativelstm2", "from": "data", "axis": t, "in_dim": f, "out_dim": o},
    "keys": {"class": "linear", "from": "enc", "in_dim": o, "out_dim": o, "with_bias": False},
    "output": {"class": "rec", "from": [], "target": "classes", "axis": tt, "unit": {
        "e_in": {"class": "linear", "from": "prev:out", "out_dim": o, "with_bias": False},
        "s": {
            "class": "rec", "unit": "nativelstm2", "from": ["e_in", "prev:c"], "axis": single_step_dim, "out_dim": o,
        },
        "q": {"class": "linear", "from": "s", "out_dim": o, "with_bias": False},
        "sum": {"class": "combine", "kind": "add", "from": ["base:keys", "q"], "out_shape": {batch_dim, t, o}},
        "th": {"class": "activation", "activation": "tanh", "from": "sum"},
        "v": {"class": "variable", "shape": [o]},
        "e": {"class": "dot", "from": ["th", "v"], "reduce": o, "out_shape": {batch_dim, t}},
        "a": {"class": "softmax_over_spatial", "from": "e", "axis": t},
        "c": {"class": "dot", "from": ["a", "base:enc"], "reduce": t, "out_shape": {batch_dim, o}},
        "p": {"class": "softmax", "from": ["c", "s"], "target": "classes", "loss": "ce"},
        "top": {"class": "reduce", "mode": "max", "from": "p", "axis": labels, "out_shape": {batch_dim}},
        "out": {"class": "choice", "from": "p", "target": "classes", "beam_size": 3, "initial_output": 0},
        "output": {"class": "copy", "from": "out"},
    }},
}
case = {"train": True, "lens": {"data": [4, 6, 1], "classes": [3, 2, 1]}}
