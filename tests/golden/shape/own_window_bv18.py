# the order of axes of window from behaviour version 18 on, with stride and declared dims
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim
behavior_version = 18
time, feat, win, out = SpatialDim("time"), FeatureDim("feat", 3), SpatialDim("win", 4), SpatialDim("out")
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {"w": {"class": "window", "window_dim": win, "axis": time, "out_spatial_dim": out, "stride": 2, "from": "data"},
           "m": {"class": "merge_dims", "axes": [win, feat], "from": "w"},
           "s": {"class": "reduce", "mode": "sum", "axis": out, "from": "w"},
           "v": {"class": "window", "window_dim": win, "axis": time, "padding": "valid", "from": "data"},
           "fs": {"class": "fold", "mode": "mean", "in_spatial_dim": out, "window_dim": win, "stride": 2, "from": "w"},
           "fl": {"class": "fold", "mode": "sum", "in_spatial_dim": out, "window_dim": win, "stride": 2, "window_left": 2, "from": "w"}}
case = {"lens": {"data": [7, 5, 4]}}
