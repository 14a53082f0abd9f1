# axes by parts of names, by size and by what they are not: stag, stag-single, dim, except, in combine's and reduce's order
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 15
t, s = SpatialDim("enc-time"), SpatialDim("enc-space", 4)
f = FeatureDim("enc-feature", 6)
extern_data = {"data": {"dim_tags": [batch_dim, t, s, f]}}
network = {
    "x": {"class": "linear", "from": "data", "out_dim": f, "activation": "tanh"},
    "a": {"class": "reduce", "mode": "sum", "from": "x", "axis": "stag:TIME"},
    "b": {"class": "reduce", "mode": "max", "from": "x", "axis": "stag:spac"},
    "c": {"class": "reduce", "mode": "mean", "from": "x", "axis": "dim:4"},
    "d": {"class": "reduce", "mode": "sum", "from": "x", "axis": "except_time"},
    "e": {"class": "reduce", "mode": "mean", "from": "x", "axis": "spatial_except_time"},
    "g": {"class": "reduce", "mode": "sum", "from": "x", "axis": "stag-single:0:enc"},
    "h": {"class": "reduce", "mode": "max", "from": "x", "axis": "stag-single:-1:enc"},
    "i": {"class": "reduce", "mode": "sum", "from": "x", "axis": ["T", "F"]},
    "j": {"class": "softmax_over_spatial", "from": "x", "axis": "stag:enc-time"},
    "k": {"class": "merge_dims", "from": "j", "axes": ["dim:6", "dim:4"]},
    "l": {"class": "linear", "from": "k", "n_out": 3},
    "m": {"class": "pad", "from": "x", "axes": "stag:enc-time", "padding": (1, 0)},
    "n": {"class": "reduce", "mode": "sum", "from": "m", "axis": "stag:time"},
    "o": {"class": "combine", "kind": "add", "from": ["a", "n", "g"]},
    "output": {"class": "reduce", "mode": "sum", "from": "o", "axis": "except_batch", "loss": "as_is"},
    "loss": {"class": "reduce", "mode": "mean", "from": "l", "axis": "T", "loss": "as_is"},
}
case = {"lens": {"data": [3, 6, 1]}}
