# L2 of a layer in a loop that starts with apply(0) counts once; the loop's Dim names its axis in what it reads as a whole
from returnn.tensor import Dim, batch_dim
behavior_version = 21
time_dim, in_dim, class_dim = Dim(None, name="time"), Dim(3, name="in"), Dim(5, name="classes")
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, in_dim]},
  "classes": {"dim_tags": [batch_dim, time_dim], "sparse_dim": class_dim, "available_for_inference": False}}
network = {
  "encoder": {"class": "linear", "from": "data", "activation": "tanh", "n_out": 4, "L2": 0.1},
  "position": {"class": "range_in_axis", "from": "encoder", "axis": time_dim},
  "output": {"class": "rec", "from": [], "axis": time_dim, "target": "classes", "unit": {
    "step": {"class": "rec_unstack", "from": "base:position", "axis": time_dim},
    "frame": {"class": "gather", "from": "base:encoder", "position": "step", "axis": time_dim},
    "embed": {"class": "linear", "from": "output", "activation": None, "with_bias": False, "n_out": 4, "initial_output": "apply(0)", "L2": 0.2},
    "s": {"class": "rec", "unit": "lstm", "from": ["prev:embed", "frame"], "n_out": 4},
    "prob": {"class": "softmax", "from": "s", "n_out": 5, "target": "classes", "loss": "ce"},
    "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 3, "initial_output": 0}}}}
