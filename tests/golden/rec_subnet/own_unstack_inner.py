# rec_unstack of something computed inside of the loop
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim
behavior_version = 16
time_dim = SpatialDim("time")
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, FeatureDim("feature", 3)]}}
network = {"loop": {"class": "rec", "from": [], "axis": time_dim, "unit": {
    "e": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "base:data"},
    "x": {"class": "rec_unstack", "from": "e"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["x", "prev:output"]}}}}
