# down by two pools whose dims are divisions of one, up again, cut back to the original dim
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 30
t = SpatialDim("time")
f = FeatureDim("in", 6)
labels = FeatureDim("labels", 5)
half, quarter = t.ceildiv_right(2), t.ceildiv_right(4)
extern_data = {
    "data": {"dim_tags": [batch_dim, t, f]},
    "classes": {"dim_tags": [batch_dim, t], "sparse_dim": labels},
}
network = {
    "c": {
        "class": "conv", "from": "data", "in_spatial_dims": [t], "filter_size": [3], "padding": "same", "out_dim": f,
        "activation": "tanh",
    },
    "p1": {
        "class": "pool", "from": "c", "mode": "max", "in_spatial_dims": [t], "pool_size": [2], "strides": [2],
        "padding": "same", "out_spatial_dims": [half],
    },
    "p2": {
        "class": "pool", "from": "p1", "mode": "avg", "in_spatial_dims": [half], "pool_size": [2], "strides": [2],
        "padding": "same", "out_spatial_dims": [half.ceildiv_right(2)],
    },
    "low": {"class": "linear", "from": "p2", "in_dim": f, "out_dim": f, "out_shape": {batch_dim, quarter, f}},
    "mean": {"class": "reduce", "mode": "mean", "from": "low", "axis": quarter},
    "up": {"class": "resize", "from": "low", "axis": quarter, "factor": 4, "out_dim": 4 * quarter},
    "zero": {"class": "constant", "value": 0, "shape": [batch_dim]},
    "len": {"class": "length", "from": "data", "axis": t, "out_shape": {batch_dim}},
    "cut": {
        "class": "slice_nd", "from": "up", "axis": 4 * quarter, "start": "zero", "size": "len", "out_spatial_dim": t,
    },
    "sum": {"class": "combine", "kind": "add", "from": ["cut", "data", "mean"], "out_shape": {batch_dim, t, f}},
    "output": {"class": "softmax", "from": "sum", "out_dim": labels, "loss": "ce", "target": "classes"},
}
case = {"train": True, "batch": 4, "lens": {"data": [6, 7, 1, 4], "classes": [6, 7, 1, 4]}}
