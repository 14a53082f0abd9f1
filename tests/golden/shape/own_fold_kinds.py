# fold without padding, with uneven sides, of every second frame, over more axes
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim
behavior_version = 18
win, four = SpatialDim("win", 3), SpatialDim("four", 4)
time_dim, out = SpatialDim("time"), SpatialDim("out")
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, FeatureDim("feature", 2)]}}
network = {"w": {"class": "window", "window_dim": win, "from": "data"}, "w4": {"class": "window", "window_dim": four, "window_left": 2, "window_right": 1, "from": "data"},
           "valid": {"class": "fold", "mode": "sum", "padding": "valid", "in_spatial_dim": time_dim, "window_dim": win, "from": "w"},
           "valid_mean": {"class": "fold", "mode": "mean", "padding": "VALID", "in_spatial_dim": time_dim, "window_dim": win, "from": "w"},
           "left": {"class": "fold", "mode": "sum", "in_spatial_dim": time_dim, "window_dim": four, "window_left": 2, "window_right": 1, "from": "w4"},
           "right": {"class": "fold", "mode": "mean", "in_spatial_dim": time_dim, "window_dim": four, "window_right": 3, "from": "w4"}}
case = {"lens": {"data": [6, 4, 1]}}
