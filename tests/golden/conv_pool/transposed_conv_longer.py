# a transposed convolution makes a declared axis longer, and other layers use that axis
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 21
time_dim = SpatialDim("time")
feat = FeatureDim("feat", 5)
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, feat]}}
network = {
    "down": {"class": "pool", "mode": "avg", "pool_size": [2], "padding": "valid", "from": "data"},
    "up": {"class": "transposed_conv", "filter_size": [2], "padding": "valid", "from": "down", "out_spatial_dims": [time_dim], "out_dim": feat},
    "output": {"class": "copy", "from": "up"},
}
case = {"train": False, "search": False}
