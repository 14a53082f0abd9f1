# a conformer block as modern setups write it: Dim objects everywhere, out_shape, depthwise conv, gating, batch norm
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 21
t = SpatialDim("time")
f = FeatureDim("model", 6)
ff = FeatureDim("ff", 8)
labels = FeatureDim("labels", 5)
extern_data = {
    "data": {"dim_tags": [batch_dim, t, f]},
    "classes": {"dim_tags": [batch_dim, t], "sparse_dim": labels},
}
network = {
    "ln": {"class": "layer_norm", "from": "data", "in_dim": f, "out_shape": {batch_dim, t, f}},
    "ff1": {"class": "linear", "from": "ln", "in_dim": f, "out_dim": ff, "out_shape": {batch_dim, t, ff}},
    "swish": {"class": "activation", "activation": "swish", "from": "ff1", "out_shape": {batch_dim, t, ff}},
    "ff2": {"class": "linear", "from": "swish", "in_dim": ff, "out_dim": f},
    "half": {"class": "eval", "eval": "source(0) * 0.5", "from": "ff2", "out_shape": {batch_dim, t, f}},
    "res": {"class": "combine", "kind": "add", "from": ["half", "data"], "out_shape": {batch_dim, t, f}},
    "pointwise": {"class": "linear", "from": "res", "out_dim": 2 * f},
    "glu": {"class": "gating", "from": "pointwise", "activation": None, "gate_activation": "sigmoid", "out_dim": f},
    "depthwise": {
        "class": "conv", "from": "glu", "in_spatial_dims": [t], "in_dim": f, "out_dim": f, "filter_size": [3],
        "padding": "same", "groups": f.dimension,
    },
    "bn": {
        "class": "batch_norm", "from": "depthwise", "in_dim": f, "momentum": 0.1, "epsilon": 0.001, "masked_time": True,
        "update_sample_only_in_training": True, "delay_sample_update": True, "param_version": 2,
    },
    "again": {"class": "combine", "kind": "add", "from": ["bn", "res"], "out_shape": {batch_dim, t, f}},
    "pool": {
        "class": "pool", "mode": "avg", "from": "again", "in_spatial_dims": [t], "pool_size": [2], "strides": [2],
        "padding": "same", "out_spatial_dims": [t.ceildiv_right(2)],
    },
    "mean": {"class": "reduce", "mode": "mean", "from": "pool", "axis": t.ceildiv_right(2), "loss": "as_is"},
    "output": {"class": "softmax", "from": "again", "out_dim": labels, "loss": "ce", "target": "classes"},
}
case = {"train": True, "batch": 4, "lens": {"data": [5, 7, 1, 4], "classes": [5, 7, 1, 4]}}
