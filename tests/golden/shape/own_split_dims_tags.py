# split_dims with Dim objects
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim
behavior_version = 16
time, feat = SpatialDim("time"), FeatureDim("feat", 6)
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
heads, per = SpatialDim("heads", 2), FeatureDim("per", 3)
chunk, num = SpatialDim("chunk", 2), SpatialDim("num")
network = {"h": {"class": "split_dims", "axis": feat, "dims": [heads, per], "from": "data"},
           "c": {"class": "split_dims", "axis": time, "dims": [num, chunk], "from": "data"},
           "r": {"class": "reduce", "mode": "mean", "axis": chunk, "from": "c"},
           "q": {"class": "reduce", "mode": "sum", "axis": num, "from": "c"},
           "m": {"class": "merge_dims", "axes": [heads, per], "out_dim": feat, "from": "h"},
           "mt": {"class": "merge_dims", "axes": [num, chunk], "from": "c"}}
