# split, concat, stack, gather and scatter by Dims, features cut in two and joined again under derived Dims
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 13
t, tt = SpatialDim("time"), SpatialDim("target-time")
f, o, a, c = FeatureDim("in", 6), FeatureDim("o", 3), FeatureDim("a", 2), FeatureDim("c", 4)
two = SpatialDim("two", 2)
extern_data = {
    "data": {"dim_tags": [batch_dim, t, f]},
    "more": {"dim_tags": [batch_dim, tt, f], "available_for_inference": True},
}
network = {
    "parts": {"class": "split", "from": "data", "axis": f, "out_dims": [a, c]},
    "y": {"class": "linear", "from": "parts/1", "in_dim": c, "out_dim": a, "activation": "tanh"},
    "x": {"class": "combine", "kind": "add", "from": ["parts/0", "y"]},
    "joined": {"class": "concat", "from": [("x", a), ("data", f)], "out_dim": a + f},
    "l": {"class": "linear", "from": "joined", "in_dim": a + f, "out_dim": f},
    "times": {"class": "concat", "from": [("l", t), ("data:more", tt)], "out_dim": t + tt},
    "mean": {"class": "reduce", "mode": "mean", "from": "times", "axis": t + tt},
    "pair": {"class": "stack", "from": ["l", "data"], "out_spatial_dim": two},
    "second": {"class": "gather", "from": "pair", "axis": two, "position": 1},
    "both": {"class": "reduce", "mode": "max", "from": "pair", "axis": two},
    "i": {"class": "range_in_axis", "from": "data:more", "axis": tt},
    "placed": {
        "class": "scatter_nd", "from": "data:more", "position": "i", "position_axis": tt, "out_spatial_dim": t,
    },
    "sum": {"class": "combine", "kind": "add", "from": ["both", "placed", "mean"], "out_shape": {batch_dim, t, f}},
    "tiled": {"class": "tile", "from": "sum", "multiples": {f: 2}, "out_dims": {f: f * 2}},
    "out": {"class": "linear", "from": "tiled", "in_dim": f * 2, "out_dim": o},
    "output": {"class": "reduce", "mode": "sum", "from": "out", "axis": t, "loss": "as_is"},
}
case = {"lens": {"data": [5, 4, 3], "more": [4, 2, 1]}}
