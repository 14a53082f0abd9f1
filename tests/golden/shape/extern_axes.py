# axes of the inputs: time behind another dynamic axis, features in front of time, Dim objects without defaults, no batch
from returnn.tf.util.data import batch_dim, SpatialDim, FeatureDim
extern_data = {"data": {"dim": 3, "time_dim_axis": 2}, "early": {"dim": 4, "feature_dim_axis": 1}, "late": {"dim": 3, "shape": (None, 3), "time_dim_axis": 2},
               "plain": {"dims": [batch_dim, SpatialDim("frames"), FeatureDim("channels", 3)], "dtype": "float32"}}
network = {"a": {"class": "reduce", "mode": "max", "axis": "T", "from": "data"},
           "b": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data:early"},
           "c": {"class": "copy", "from": "data:late"},
           "d": {"class": "reduce", "mode": "sum", "axis": "stag:frames", "from": "data:plain"},
           "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"}}
case = {"batch": 2, "lens": {"data": [3, 2], "early": [4, 3], "late": [3, 2], "plain": [2, 3]}}
