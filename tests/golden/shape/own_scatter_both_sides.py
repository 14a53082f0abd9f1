# scatter_nd to the time axis of what has that axis already: windows of attention weights as weights over all frames
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, ImplicitDynSizeDim, SpatialDim

time, win = SpatialDim("time"), SpatialDim("win", 3)
feat, labels = FeatureDim("feat", 4), FeatureDim("labels", 5)
behavior_version = 24
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": labels, "dtype": "int32"},
}
network = {
    "keys": {"class": "window", "from": "data", "window_dim": win, "axis": time},
    "energy": {"class": "dot", "from": ["keys", "data"], "reduce": feat},
    "weights": {"class": "softmax_over_spatial", "from": "energy", "axis": win},
    "frame": {"class": "range_in_axis", "from": "data", "axis": time},
    "offset": {"class": "range_in_axis", "from": "keys", "axis": win},
    "place": {"class": "eval", "from": ["frame", "offset"], "eval": "source(0) + source(1) - 1", "out_shape": {time, win, ImplicitDynSizeDim(batch_dim)}},
    "all": {"class": "scatter_nd", "from": "weights", "position": "place", "position_axis": win,
            "output_dim_via_time_from": "data", "filter_invalid_indices": True},
    "again": {"class": "scatter_nd", "from": "weights", "position": "place", "position_axis": win,
              "out_spatial_dim": SpatialDim("seven", 7), "filter_invalid_indices": True},
    "output": {"class": "linear", "from": "again", "activation": None, "n_out": 5, "loss": "as_is"},
}
case = {"lens": {"data": [5, 1, 3], "classes": [5, 1, 3]}, "time": 5}
