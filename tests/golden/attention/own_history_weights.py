# the weights over a growing axis leave the loop
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim
behavior_version = 12
time_dim, hist = SpatialDim("time"), SpatialDim("history")
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, FeatureDim("feature", 3)]}}
network = {"loop": {"class": "rec", "from": "data", "unit": {
    "k": {"class": "linear", "activation": None, "n_out": 2, "from": "data:source"},
    "acc": {"class": "cum_concat", "out_spatial_dim": hist, "from": "k"},
    "en": {"class": "dot", "from": ["k", "acc"], "reduce": "F"},
    "w": {"class": "softmax_over_spatial", "is_output_layer": True, "axis": hist, "from": "en"},
    "output": {"class": "dot", "from": ["w", "acc"], "reduce": hist}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}

case = {"fetch_extra": ["loop/w"]}
