# two sources of one choice, ground truth in training
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim("time")
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "same_dim_tags_as": {"T": time_dim}}, "other": {"dim": 5, "sparse": True, "same_dim_tags_as": {"T": time_dim}}}
network = {"output": {"class": "rec", "from": [], "target": ["classes", "other"], "unit": {
    "output": {"class": "choice", "beam_size": 4, "from": ["pa", "pb"], "target": ["classes", "other"], "initial_output": 0},
    "second": {"class": "copy", "from": "output/out_1", "initial_output": 0},
    "ea": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "eb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:second"},
    "pa": {"class": "softmax", "from": ["ea", "eb"], "n_out": 4, "loss": "ce", "target": "classes"}, "pb": {"class": "softmax", "from": ["ea", "eb"], "n_out": 5, "loss": "ce", "target": "other"}}}}
case = {"train": True, "seed": 3, "param_scale": 1.0}
