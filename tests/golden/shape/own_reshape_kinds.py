# reshape of several axes at once
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim
behavior_version = 12
time, sp, feat = SpatialDim("time"), SpatialDim("sp", 4), FeatureDim("feat", 3)
x, y = SpatialDim("x", 6), FeatureDim("y", 2)
extern_data = {"data": {"dim_tags": [batch_dim, time, sp, feat]}}
network = {"r": {"class": "reshape", "in_dims": [sp, feat], "out_dims": [x, y], "from": "data"},
           "o": {"class": "reshape", "in_dims": [feat, sp], "out_dims": [x, y], "from": "data"},
           "m": {"class": "reshape", "in_dims": [sp, feat], "out_dims": [sp * feat], "from": "data"},
           "bt": {"class": "reshape", "in_dims": [time, sp], "out_dims": [time * sp], "from": "data"}}
