# newest behaviour version with explicit options
from returnn.tf.util.data import Dim, batch_dim, SpatialDim, FeatureDim
behavior_version = 24
t = SpatialDim("t"); f = FeatureDim("f", 4); cl = FeatureDim("cl", 3)
extern_data = {"data": {"dim_tags": (batch_dim, t, f)}, "classes": {"dim_tags": (batch_dim, t), "sparse_dim": cl}}
network = {
 "a": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "data"}, "b": {"class": "linear", "out_dim": cl, "activation": None, "from": "a"},
 "m": {"class": "reduce", "mode": "mean", "axis": t, "from": "b"}, "k": {"class": "combine", "kind": "add", "from": ["b", "m"]},
 "ln": {"class": "layer_norm", "from": "a"}, "bn": {"class": "batch_norm", "from": "a", "masked_time": True},
 "c": {"class": "conv", "from": "a", "n_out": 3, "filter_size": (3,), "padding": "same", "in_spatial_dims": [t], "strides": 2}, "p": {"class": "pool", "from": "a", "mode": "max", "pool_size": (2,), "padding": "valid", "in_spatial_dims": [t]},
 "sa": {"class": "self_attention", "from": "a", "num_heads": 1, "total_key_dim": 2, "n_out": 2},
 "rl": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "a"}, "w": {"class": "window", "window_size": 3, "from": "data"}, "pd": {"class": "pad", "axes": t, "padding": (1, 1), "from": "data"}, "sl": {"class": "slice", "axis": t, "slice_start": 1, "from": "data"},
 "ev": {"class": "eval", "from": "a", "eval": "tf.nn.relu(source(0))"}, "cp": {"class": "copy", "from": ["a", "b"]}, "sp": {"class": "split_dims", "axis": f, "dims": (2, 2), "from": "data"}, "mg": {"class": "merge_dims", "axes": [t, f], "from": "data"}, "len": {"class": "length", "axis": t, "from": "data"},
 "output": {"class": "softmax", "from": "k", "loss": "ce", "target": "classes"},
}
