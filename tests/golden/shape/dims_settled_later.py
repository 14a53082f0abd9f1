# dims without a size that layers, variables and derived dims name before and behind the layer that gives them one
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 25
t, s = SpatialDim("time"), SpatialDim("space", 4)
f = FeatureDim("in", 6)
flat, part, pooled = FeatureDim("flat", None), SpatialDim("part"), SpatialDim("pooled")
extern_data = {"data": {"dim_tags": [batch_dim, t, s, f]}}
network = {
    "weights": {"class": "variable", "shape": [flat, f]},
    "var_bias": {"class": "variable", "shape": [flat]},
    "m": {"class": "merge_dims", "from": "data", "axes": [s, f], "out_dim": flat},
    "with_bias": {"class": "combine", "kind": "add", "from": ["m", "var_bias"], "out_shape": {batch_dim, t, flat}},
    "shifted": {"class": "pad", "from": "with_bias", "axes": flat, "padding": (0, 1), "out_dims": flat + 1},
    "y": {"class": "dot", "from": ["m", "weights"], "reduce": flat},
    "p": {
        "class": "pool", "from": "data", "mode": "max", "in_spatial_dims": [t, s], "pool_size": [1, 2], "padding": "valid",
        "strides": [1, 2], "out_spatial_dims": [t, pooled],
    },
    "vector": {"class": "variable", "shape": [pooled]},
    "x": {"class": "combine", "kind": "mul", "from": ["p", "vector"], "out_shape": {batch_dim, t, pooled, f}},
    "sum": {"class": "reduce", "mode": "sum", "from": "x", "axis": pooled},
    "z": {"class": "combine", "kind": "add", "from": ["sum", "y"]},
    "t_cut": {"class": "slice", "from": "shifted", "axis": flat + 1, "slice_start": 3, "out_dim": part},
    "u_mean": {"class": "reduce", "mode": "mean", "from": "t_cut", "axis": part, "loss": "as_is"},
    "zz": {"class": "reduce", "mode": "mean", "from": "z", "axis": [t, f], "loss": "as_is"},
    "output": {"class": "copy", "from": "y"},
}
case = {"lens": {"data": [5, 7, 1]}}
