# the loop's length is declared by rec_unstack
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim
behavior_version = 12
time_dim, rec_dim = SpatialDim("time"), SpatialDim("rec")
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, FeatureDim("feature", 3)]}}
network = {"loop": {"class": "rec", "from": [], "axis": rec_dim, "unit": {
    "x": {"class": "rec_unstack", "axis": time_dim, "declare_rec_time": True, "from": "base:data"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["x", "prev:output"]}}}, 
  "red": {"class": "reduce", "mode": "max", "axis": rec_dim, "from": "loop"}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
