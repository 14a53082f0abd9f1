# out_shape with implicit and optional dims, on layers of every kind, in a loop and in a subnetwork
from returnn.tensor import batch_dim
from returnn.tensor.marked_dim import ImplicitDynSizeDim, ImplicitSparseDim, OptionalDim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 19
t = SpatialDim("time")
f, o = FeatureDim("in", 4), FeatureDim("o", 3)
labels = FeatureDim("labels", 5)
unused = SpatialDim("unused", 2)
extern_data = {
    "data": {"dim_tags": [batch_dim, t, f]},
    "classes": {"dim_tags": [batch_dim, t], "sparse_dim": labels},
}
network = {
    "mean": {"class": "reduce", "mode": "mean", "from": "data", "axis": t, "out_shape": {batch_dim, f}},
    "i": {"class": "range_in_axis", "from": "data", "axis": t, "out_shape": {t, ImplicitDynSizeDim(batch_dim)}},
    "y": {"class": "copy", "from": "data:classes", "out_shape": {batch_dim, t, ImplicitSparseDim(labels)}},
    "n": {"class": "length", "from": "data", "axis": t, "out_shape": {batch_dim, OptionalDim(unused)}},
    "one": {"class": "constant", "value": 1.0, "shape": (), "out_shape": {}},
    "sub": {"class": "subnetwork", "from": "data", "out_shape": {batch_dim, t, o}, "subnetwork": {
        "l": {"class": "linear", "from": "data", "out_dim": o, "out_shape": {batch_dim, t, o}},
        "output": {"class": "activation", "activation": "tanh", "from": "l", "out_shape": {batch_dim, t, o}},
    }},
    "loop": {"class": "rec", "from": "sub", "axis": t, "out_shape": {batch_dim, t, o}, "unit": {
        "x": {"class": "linear", "from": "data:source", "out_dim": o, "out_shape": {batch_dim, o}},
        "s": {
            "class": "combine", "kind": "add", "from": ["x", "prev:s"], "initial_output": 0, "out_shape": {batch_dim, o},
        },
        "output": {"class": "activation", "activation": "sigmoid", "from": "s", "out_shape": {batch_dim, o}},
    }},
    "lstm": {"class": "rec", "unit": "nativelstm2", "from": "loop", "axis": t, "out_dim": o, "out_shape": {batch_dim, t, o}},
    "outer": {"class": "combine", "kind": "mul", "from": ["mean", "lstm"], "out_shape": {batch_dim, t, f, o}},
    "flat": {"class": "merge_dims", "from": "outer", "axes": [f, o], "out_dim": f * o, "out_shape": {batch_dim, t, f * o}},
    "scaled": {"class": "combine", "kind": "mul", "from": ["flat", "one"], "out_shape": {batch_dim, t, f * o}},
    "output": {
        "class": "softmax", "from": "scaled", "out_dim": labels, "out_shape": {batch_dim, t, labels}, "loss": "ce",
        "target": "classes",
    },
}
case = {"lens": {"data": [3, 6, 1], "classes": [3, 6, 1]}}
