# pad, window, slice, resize and repeat with Dims given for what they make, and derived Dims found again
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 17
t = SpatialDim("time")
f = FeatureDim("in", 3)
w = SpatialDim("window", 3)
k = SpatialDim("copies", 2)
cut, strided, repeated = SpatialDim("cut"), SpatialDim("strided"), SpatialDim("repeated")
extern_data = {"data": {"dim_tags": [batch_dim, t, f]}}
network = {
    "x": {"class": "linear", "from": "data", "out_dim": f, "activation": "tanh"},
    "p": {"class": "pad", "from": "x", "axes": t, "padding": (2, 1), "out_dims": 2 + t + 1, "value": 0.5},
    "q": {"class": "pad", "from": "p", "axes": [f], "padding": [(1, 0)], "out_dims": [1 + f]},
    "s": {"class": "slice", "from": "p", "axis": 2 + t + 1, "slice_start": 2, "out_dim": cut},
    "w": {"class": "window", "from": "x", "axis": t, "window_dim": w, "window_left": 1},
    "ws": {"class": "reduce", "mode": "sum", "from": "w", "axis": w},
    "v": {
        "class": "window", "from": "x", "axis": t, "window_dim": w, "stride": 2, "padding": "same", "out_spatial_dim": strided,
    },
    "vs": {"class": "reduce", "mode": "max", "from": "v", "axis": [w, strided]},
    "r": {"class": "resize", "from": "x", "axis": t, "factor": 2, "kind": "nn", "out_dim": t * 2},
    "u": {"class": "split_dims", "from": "r", "axis": t * 2, "dims": (t, k)},
    "us": {"class": "reduce", "mode": "sum", "from": "u", "axis": k},
    "n": {"class": "range_in_axis", "from": "data", "axis": t},
    "rep": {"class": "repeat", "from": "x", "axis": t, "repetitions": "n", "out_dim": repeated},
    "rs": {"class": "reduce", "mode": "sum", "from": "rep", "axis": repeated},
    "all": {"class": "combine", "kind": "add", "from": ["us", "ws", "rs", "vs"], "out_shape": {batch_dim, t, f}},
    "output": {"class": "reduce", "mode": "sum", "from": "all", "axis": t, "loss": "as_is"},
    "last": {"class": "reduce", "mode": "mean", "from": "s", "axis": cut, "loss": "as_is"},
    "qs": {"class": "reduce", "mode": "sum", "from": "q", "axis": 1 + f},
}
case = {"lens": {"data": [4, 6, 1]}}
