# Dim objects everywhere
from returnn.tf.util.data import Dim, batch_dim, SpatialDim, FeatureDim
time_dim = SpatialDim("time")
feat = FeatureDim("feat", 6)
out = FeatureDim("out", 4)
heads = SpatialDim("heads", 2)
per = FeatureDim("per", 3)
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, feat]}, "classes": {"dim_tags": [batch_dim, time_dim], "sparse_dim": FeatureDim("cls", 5)}}
network = {
 "l": {"class": "linear", "out_dim": out, "activation": "tanh", "from": "data", "in_dim": feat},
 "sp": {"class": "split_dims", "axis": feat, "dims": [heads, per], "from": "data"},
 "r": {"class": "reduce", "mode": "mean", "axis": heads, "from": "sp"},
 "rt": {"class": "reduce", "mode": "max", "axis": time_dim, "from": "sp"},
 "mg": {"class": "merge_dims", "axes": [heads, per], "from": "sp", "keep_order": True, "out_dim": FeatureDim("merged", 6)},
 "c": {"class": "conv", "from": "data", "in_dim": feat, "in_spatial_dims": [time_dim], "filter_size": [3], "padding": "same", "out_dim": out, "with_bias": True},
 "p": {"class": "pool", "from": "c", "mode": "max", "pool_size": [2], "in_spatial_dims": [time_dim], "padding": "same", "strides": 1},
 "d": {"class": "dot", "from": ["l", "l"], "reduce": time_dim},
 "d2": {"class": "dot", "from": ["sp", "sp2"], "reduce": per},
 "sp2": {"class": "linear", "from": "sp", "in_dim": per, "out_dim": per, "activation": None},
 "sm": {"class": "softmax_over_spatial", "axis": time_dim, "from": "l"},
 "ln": {"class": "norm", "axis": feat, "from": "data"},
 "len": {"class": "length", "axis": time_dim, "from": "data"},
 "rng": {"class": "range_in_axis", "axis": time_dim, "from": "data"},
 "sl": {"class": "slice", "axis": time_dim, "slice_start": 1, "from": "data"},
 "ex": {"class": "expand_dims", "axis": "spatial", "dim": heads, "from": "l"},
 "out": {"class": "softmax", "from": "l", "loss": "ce", "target": "classes", "out_dim": FeatureDim("cls2", 5)},
 "rec": {"class": "rec", "unit": "nativelstm2", "out_dim": out, "axis": time_dim, "from": "data"},
 "cmb": {"class": "combine", "kind": "add", "from": ["l", "rec"]},
}
behavior_version = 16
