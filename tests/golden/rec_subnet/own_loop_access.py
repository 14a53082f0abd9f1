# last outputs (with initial_output), accumulated ones, step numbers, several unstacked inputs
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim
behavior_version = 12
time_dim = SpatialDim("time")
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, FeatureDim("feature", 3)]}, "lab": {"dim_tags": [batch_dim, time_dim], "sparse_dim": FeatureDim("labels", 4)}}
network = {"tm": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "data"},
  "loop": {"class": "rec", "from": [], "axis": time_dim, "unit": {
    "x": {"class": "rec_unstack", "axis": time_dim, "from": "base:data"}, "y": {"class": "rec_unstack", "from": "base:tm"}, "l": {"class": "rec_unstack", "axis": time_dim, "from": "base:data:lab"},
    "c": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": ["x", "prev:output"], "need_last": True, "is_output_layer": True},
    "n": {"class": "combine", "kind": "add", "from": ["prev:n", "x"], "initial_output": 1, "need_last": True},
    "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["y", "c", "n"], "need_last": True}}},
  "last_c": {"class": "rec_last_output", "rec_layer": "loop", "sub_layer_name": "c"}, "last_n": {"class": "rec_last_output", "rec_layer": "loop", "sub_layer_name": "n"}, "last_o": {"class": "rec_last_output", "rec_layer": "loop", "sub_layer_name": "output"},
  "acc": {"class": "get_rec_accumulated", "from": "loop", "sub_layer": "c"}, "acc2": {"class": "copy", "from": "loop/c"},
  "obj": {"class": "eval", "from": "last_n", "eval": "source(0) ** 2", "loss": "as_is"}, "obj2": {"class": "eval", "from": "acc", "eval": "source(0) ** 2", "loss": "as_is"}}
