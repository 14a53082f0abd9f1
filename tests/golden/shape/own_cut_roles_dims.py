# axes of a fixed size that were cut out of time: what is time then, for losses and for layers behind
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time, feat, labels, hidden = SpatialDim("time"), FeatureDim("feat", 4), FeatureDim("labels", 5), FeatureDim("hidden", 6)
pair, rest = SpatialDim("pair", 2), SpatialDim("rest")
behavior_version = 30
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": labels, "dtype": "int32"},
}
network = {
    "in": {"class": "linear", "from": "data", "activation": "tanh", "out_dim": hidden},
    "two": {"class": "slice_nd", "from": "in", "axis": time, "start": 0, "size": pair},
    "loss": {"class": "linear", "from": "two", "activation": None, "n_out": 2, "loss": "as_is"},
    "tail": {"class": "slice_nd", "from": "in", "axis": time, "start": 1, "size": None, "min_size": 1, "out_spatial_dim": rest},
    "sum": {"class": "reduce", "from": "tail", "mode": "logsumexp", "axis": rest},
    "cut": {"class": "slice", "from": "in", "axis": time, "slice_end": 2},
    "best": {"class": "top_k", "from": "in", "axis": hidden, "k": 2},
    "chosen": {"class": "merge_dims", "from": "cut", "axes": ["dim:2", "F"], "keep_order": True},
    "output": {"class": "combine", "kind": "add", "from": ["proj", "sum"], "loss": "as_is"},
    "proj": {"class": "linear", "from": "chosen", "activation": None, "out_dim": hidden},
}
case = {"lens": {"data": [5, 2, 4], "classes": [5, 2, 4]}, "time": 5}
