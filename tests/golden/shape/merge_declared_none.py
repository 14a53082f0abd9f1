# an out_dim without a size gets that of the merged static axes
from returnn.tf.util.data import SpatialDim
behavior_version = 21
out = SpatialDim("out")
extern_data = {"data": {"shape": (None, 3, 5)}}
network = {"output": {"class": "merge_dims", "from": "data", "axes": ["dim:3", "dim:5"], "keep_order": True, "out_dim": out}}
case = {"train": False, "search": False}
