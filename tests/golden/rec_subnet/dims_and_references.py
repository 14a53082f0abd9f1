# dims that are the same, grad_filter, scaled_grad by a layer, states of another layer and shared parameters together
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 21
t, p, q = SpatialDim("time"), SpatialDim("p"), SpatialDim("q")
p.declare_same_as(q)
p.declare_same_as(t)
f, h = FeatureDim("in", 4), FeatureDim("h", 4)
extern_data = {"data": {"dim_tags": [batch_dim, t, f]}, "more": {"dim_tags": [batch_dim, q, f], "available_for_inference": True}}
network = {
    "both": {"class": "combine", "kind": "add", "from": ["data", "data:more"], "out_shape": {batch_dim, p, f}},
    "a": {"class": "linear", "from": "both", "out_dim": h, "activation": "tanh", "grad_filter": 0.5},
    "m": {"class": "reduce", "mode": "mean", "from": "a", "axis": q},
    "sg": {"class": "scaled_grad", "from": "a", "scale": "m"},
    "r": {"class": "rec", "unit": "nativelstm2", "from": "sg", "out_dim": FeatureDim("r", 4), "initial_state": {"h": "m", "c": "zeros"}},
    "z": {"class": "linear", "from": "r", "out_dim": h, "activation": None, "reuse_params": "a"},
    "s": {"class": "slice", "from": "z", "axis": q, "slice_end": -1},
    "last": {"class": "get_last_hidden_state", "from": "r", "key": "c", "out_dim": h},
    "s1": {"class": "reduce", "mode": "sum", "from": "s", "axis": "T"},
    "output": {"class": "combine", "kind": "mul", "from": ["s1", "last"], "loss": "as_is"},
}
case = {"lens": {"data": [4, 5, 2], "more": [4, 5, 2]}, "train": True}
