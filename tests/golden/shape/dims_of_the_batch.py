# ranges from the lengths of the batch, of data, of computed lengths and of numbers; arithmetic on Dims gives their sizes
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 30
t, tt = SpatialDim("time"), SpatialDim("target-time")
f = FeatureDim("in", 6)
longer, three = SpatialDim("longer"), SpatialDim("three")
extern_data = {
    "data": {"dim_tags": [batch_dim, t, f]},
    "classes": {"dim_tags": [batch_dim, tt], "sparse_dim": FeatureDim("labels", 5), "available_for_inference": True},
}
network = {
    "n_batch": {"class": "length", "from": "data", "axis": batch_dim},
    "batch": {"class": "range_from_length", "from": "n_batch"},
    "n": {"class": "length", "from": "data", "axis": t},
    "times": {"class": "range_from_length", "from": "n"},
    "n1": {"class": "eval", "from": "n", "eval": "source(0) + 1"},
    "longer": {"class": "range_from_length", "from": "n1", "out_spatial_dim": longer},
    "number": {"class": "constant", "value": 3, "shape": ()},
    "three": {"class": "range_from_length", "from": "number", "out_spatial_dim": three},
    "half": {"class": "length", "from": "data", "axis": t.ceildiv_right(2)},
    "product": {"class": "length", "from": "data", "axis": t * tt},
    "sum": {"class": "range_in_axis", "from": "data", "axis": t + tt - 1},
    "floor": {"class": "range_in_axis", "from": "data", "axis": (t + 2) // 3},
    "nothing": {"class": "length", "from": "data", "axis": t - 3},
    "fixed": {"class": "length", "from": "data", "axis": f.ceildiv_right(4) + f / 2},
    "cast": {"class": "cast", "from": "batch", "dtype": "float32"},
    "per_sequence": {"class": "combine", "kind": "mul", "from": ["data", "cast"]},
    "h": {"class": "linear", "from": "per_sequence", "out_dim": f},
    "long": {"class": "cast", "from": "longer", "dtype": "float32"},
    "outer": {"class": "combine", "kind": "mul", "from": ["h", "long"], "out_shape": {batch_dim, t, longer, f}},
    "output": {"class": "reduce", "mode": "sum", "from": "outer", "axis": [t, longer], "loss": "as_is"},
}
case = {"lens": {"data": [3, 5, 1], "classes": [2, 4, 1]}}
