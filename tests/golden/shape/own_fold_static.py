# window and fold over an axis of fixed size: nothing is masked
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim
behavior_version = 18
win, space, feat = SpatialDim("win", 3), SpatialDim("space", 6), FeatureDim("feature", 2)
extern_data = {"data": {"dim_tags": [batch_dim, space, feat], "time_dim_axis": None}}
network = {"w": {"class": "window", "window_dim": win, "axis": space, "from": "data"},
           "sum": {"class": "fold", "mode": "sum", "in_spatial_dim": space, "window_dim": win, "from": "w"},
           "mean": {"class": "fold", "mode": "mean", "in_spatial_dim": space, "window_dim": win, "from": "w"},
           "valid": {"class": "fold", "mode": "mean", "padding": "valid", "in_spatial_dim": space, "window_dim": win, "from": "w"}}
