# a causal self-attention as a loop over a Dim: cum_concat with a Dim for the steps so far
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 20
t = SpatialDim("time")
f = FeatureDim("in", 4)
d = FeatureDim("d", 3)
history = SpatialDim("history")
labels = FeatureDim("labels", 5)
extern_data = {
    "data": {"dim_tags": [batch_dim, t, f]},
    "classes": {"dim_tags": [batch_dim, t], "sparse_dim": labels},
}
network = {
    "loop": {"class": "rec", "from": "data", "axis": t, "out_shape": {batch_dim, t, f}, "unit": {
        "q": {"class": "linear", "from": "data:source", "out_dim": d, "with_bias": False},
        "k": {"class": "linear", "from": "data:source", "out_dim": d, "with_bias": False},
        "k_so_far": {"class": "cum_concat", "from": "k", "out_spatial_dim": history},
        "x_so_far": {"class": "cum_concat", "from": "data:source", "out_spatial_dim": history},
        "e": {"class": "dot", "from": ["q", "k_so_far"], "reduce": d},
        "weights": {"class": "softmax_over_spatial", "from": "e", "axis": history},
        "c": {"class": "dot", "from": ["weights", "x_so_far"], "reduce": history},
        "output": {"class": "combine", "kind": "add", "from": ["c", "data:source"], "out_shape": {batch_dim, f}},
    }},
    "output": {"class": "softmax", "from": "loop", "out_dim": labels, "loss": "ce", "target": "classes"},
}
case = {"lens": {"data": [4, 5, 1], "classes": [4, 5, 1]}}
