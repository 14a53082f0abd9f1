# axes with names of their own that layers make longer and shorter, one behind the other
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time, feat, labels = SpatialDim("time"), FeatureDim("feat", 4), FeatureDim("labels", 5)
thrice, framed, chunks, slow = SpatialDim("thrice"), SpatialDim("framed"), SpatialDim("chunks"), SpatialDim("slow")
behavior_version = 28
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": labels, "dtype": "int32"},
}
network = {
    "each": {"class": "repeat", "from": "data", "repetitions": 3, "axis": time, "out_dim": thrice},
    "begin": {"class": "prefix_in_time", "from": "each", "axis": thrice, "prefix": 0.5, "repeat": 2, "out_dim": framed},
    "sums": {"class": "cumsum", "from": "begin", "axis": framed, "reverse": True},
    "fewer": {"class": "resize", "from": "sums", "axis": framed, "factor": 0.5, "kind": "linear", "out_dim": slow},
    "moved": {"class": "postfix_in_time", "from": "fewer", "axis": slow, "postfix": 1.0, "repeat": 2},
    "gru": {"class": "rec", "unit": "gru", "from": "moved", "axis": "T", "n_out": 3, "direction": -1},
    "weights": {"class": "softmax_over_spatial", "from": "gru", "axis": "T", "energy_factor": 0.3},
    "pooled": {"class": "dot", "from": ["weights", "moved"], "red1": "T", "red2": "T", "var1": "F", "var2": "F"},
    "flat": {"class": "merge_dims", "from": "pooled", "axes": ["dim:3", "F"], "keep_order": True},
    "last": {"class": "slice", "from": "each", "axis": thrice, "slice_start": 2},
    "tail": {"class": "reduce", "from": "last", "mode": "sum", "axis": "spatial"},
    "output": {"class": "linear", "from": ["flat", "tail"], "activation": "tanh", "n_out": 3, "loss": "as_is"},
}
case = {"lens": {"data": [4, 1, 3], "classes": [4, 1, 3]}, "time": 4}
