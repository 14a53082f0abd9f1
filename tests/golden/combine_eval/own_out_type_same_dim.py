# out_type names the size that the features have already: they stay the same features
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim
behavior_version = 21
time, feat = SpatialDim("time"), FeatureDim("feat", 3)
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {"x": {"class": "eval", "eval": "source(0) * 2.0", "from": "data", "out_type": {"dim": 3}},
           "y": {"class": "combine", "kind": "add", "from": ["x", "data"]},
           "output": {"class": "reduce", "mode": "sum", "axes": feat, "from": "y"}}
