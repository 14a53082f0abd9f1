# concat over static axes, of three sources, over time into a declared dim
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim
behavior_version = 16
time, feat, sp = SpatialDim("time"), FeatureDim("feat", 3), SpatialDim("sp", 2)
t2, sp3, total = SpatialDim("t2"), SpatialDim("sp3", 3), SpatialDim("total")
extern_data = {"data": {"dim_tags": [batch_dim, time, sp, feat]}, "o": {"dim_tags": [batch_dim, time, sp3, feat]}, "m": {"dim_tags": [batch_dim, t2, sp, feat]}}
network = {"a": {"class": "concat", "from": [("data", sp), ("data:o", sp3)]},
           "f": {"class": "concat", "from": [("data", "F"), ("data", "F"), ("data", "F")]},
           "t": {"class": "concat", "from": [("data", time), ("data:m", t2)], "out_dim": total}}
case = {"lens": {"data": [5, 7, 4], "o": [5, 7, 4], "m": [2, 1, 3]}}
