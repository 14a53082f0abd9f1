# 2-D convolutions over time and features as space, strides, dims that are only named and get their sizes
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 12
t = SpatialDim("time")
f = FeatureDim("in", 8)
one, c = FeatureDim("one", 1), FeatureDim("channels", 2)
f2, f4, t2 = SpatialDim("f2"), SpatialDim("f4"), SpatialDim("t2")
flat = FeatureDim("flat", None)
out = FeatureDim("out", 3)
extern_data = {"data": {"dim_tags": [batch_dim, t, f]}}
network = {
    "x": {"class": "expand_dims", "from": "data", "axis": "spatial", "dim": one},
    "c1": {
        "class": "conv", "from": "x", "in_spatial_dims": [t, f], "in_dim": one, "out_dim": c, "filter_size": [3, 3],
        "padding": "same", "activation": "relu", "with_bias": True,
    },
    "p1": {
        "class": "pool", "from": "c1", "mode": "max", "in_spatial_dims": [t, f], "pool_size": [1, 2], "strides": [1, 2],
        "padding": "same", "out_spatial_dims": [t, f2],
    },
    "c2": {
        "class": "conv", "from": "p1", "in_spatial_dims": [t, f2], "in_dim": c, "out_dim": c, "filter_size": [3, 3],
        "padding": "same", "strides": [2, 2], "out_spatial_dims": [t2, f4],
    },
    "scale": {"class": "variable", "shape": [f4, c], "init": "glorot_uniform"},
    "scaled": {"class": "combine", "kind": "mul", "from": ["c2", "scale"], "out_shape": {batch_dim, t2, f4, c}},
    "m": {"class": "merge_dims", "from": "scaled", "axes": [f4, c], "out_dim": flat},
    "output": {"class": "linear", "from": "m", "in_dim": flat, "out_dim": out, "out_shape": {batch_dim, t2, out}},
    "loss": {"class": "reduce", "mode": "mean", "from": "output", "axis": t2, "loss": "as_is"},
}
case = {"train": True, "lens": {"data": [5, 8, 1]}}
