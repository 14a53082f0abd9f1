# self-attention over a second time dim that another layer makes: relative positions, heads by split_dims, merged back
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 16
t = SpatialDim("time")
f = FeatureDim("in", 4)
h = SpatialDim("heads", 2)
d = FeatureDim("key", 3)
keys = SpatialDim("key-time")
labels = FeatureDim("labels", 5)
extern_data = {
    "data": {"dim_tags": [batch_dim, t, f]},
    "classes": {"dim_tags": [batch_dim, t], "sparse_dim": labels},
}
network = {
    "positions": {
        "class": "relative_positional_encoding", "from": "data", "out_dim": d, "query_spatial_dim": t,
        "key_value_spatial_dim": keys, "clipping": 2,
    },
    "q0": {"class": "linear", "from": "data", "out_dim": h * d, "with_bias": False},
    "q": {"class": "split_dims", "from": "q0", "axis": h * d, "dims": [h, d]},
    "k0": {"class": "linear", "from": "data", "out_dim": h * d, "with_bias": False},
    "k1": {"class": "split_dims", "from": "k0", "axis": h * d, "dims": [h, d]},
    "k": {"class": "reinterpret_data", "from": "k1", "set_dim_tags": {t: keys}},
    "e1": {"class": "dot", "from": ["q", "k"], "reduce": d},
    "e2": {"class": "dot", "from": ["q", "positions"], "reduce": d},
    "e": {"class": "combine", "kind": "add", "from": ["e1", "e2"], "out_shape": {batch_dim, h, t, keys}},
    "weights": {"class": "softmax_over_spatial", "from": "e", "axis": keys, "energy_factor": d.dimension**-0.5},
    "context": {"class": "dot", "from": ["weights", "k"], "reduce": keys},
    "merged": {"class": "merge_dims", "from": "context", "axes": [h, d], "out_dim": h * d},
    "back": {"class": "linear", "from": "merged", "in_dim": h * d, "out_dim": f, "out_shape": {batch_dim, t, f}},
    "res": {"class": "combine", "kind": "add", "from": ["back", "data"]},
    "output": {"class": "softmax", "from": "res", "out_dim": labels, "loss": "ce", "target": "classes"},
}
case = {"train": True, "lens": {"data": [3, 6, 1], "classes": [3, 6, 1]}}
