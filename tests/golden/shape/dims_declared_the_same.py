# declare_same_as on the times of two data keys and of what is derived from them; a copy of it
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 14
t, other, third = SpatialDim("time"), SpatialDim("other"), SpatialDim("third")
other.declare_same_as(t)
third.declare_same_as(other)
f, g = FeatureDim("in", 4), FeatureDim("g", 3)
extern_data = {
    "data": {"dim_tags": [batch_dim, t, f]},
    "more": {"dim_tags": [batch_dim, other, g], "available_for_inference": True},
}
network = {
    "a": {"class": "concat", "from": [("data", f), ("data:more", g)], "out_dim": f + g},
    "b": {"class": "linear", "from": "a", "in_dim": f + g, "out_dim": f},
    "c": {"class": "combine", "kind": "add", "from": ["b", "data"], "out_shape": {batch_dim, other, f}},
    "p": {"class": "pad", "from": "c", "axes": third, "padding": (1, 0), "out_dims": 1 + third},
    "q": {"class": "slice", "from": "p", "axis": 1 + t, "slice_end": -1, "out_dim": other},
    "r": {"class": "combine", "kind": "sub", "from": ["c", "q"], "out_shape": {batch_dim, t, f}},
    "output": {"class": "reduce", "mode": "sum", "from": "r", "axis": third, "loss": "as_is"},
}
case = {"lens": {"data": [3, 5, 1], "more": [3, 5, 1]}}
