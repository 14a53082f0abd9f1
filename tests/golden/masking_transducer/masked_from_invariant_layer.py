# masked_from a layer of the loop that is the same in all steps: the unit works on its whole sequence in front of the loop
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim("time")
extern_data = {"data": {"dim": 3, "same_dim_tags_as": {"T": time_dim}}, "al": {"dim": 4, "same_dim_tags_as": {"T": time_dim}, "sparse": True}, "lab": {"dim": 4, "sparse": True}}
network = {"output": {"class": "rec", "from": "data", "target": "al", "unit": {
    "output": {"class": "choice", "beam_size": 2, "from": "prob", "target": "al", "initial_output": 0},
    "emit": {"class": "compare", "kind": "not_equal", "value": 0, "from": "output", "initial_output": False},
    "labels": {"class": "copy", "from": "base:data:lab"},
    "emb": {"class": "linear", "activation": "tanh", "n_out": 2, "L2": 0.1, "from": "labels"},
    "masked": {"class": "masked_computation", "mask": "prev:emit", "masked_from": "emb", "from": "prev:output", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
        "output": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "data"}}}},
    "un": {"class": "unmask", "mask": "prev:emit", "from": "masked"},
    "s": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "un", "prev:s"]},
    "prob": {"class": "softmax", "from": "s", "target": "al", "loss": "ce"}}}}
case = {"lens": {"data": [4, 7, 1], "al": [4, 7, 1], "lab": [2, 6, 1]}, "inputs": {"al": [[1, 0, 2, 1, 0, 0, 0], [1, 2, 3, 1, 2, 3, 1], [0, 3, 0, 0, 0, 0, 0]], "lab": [[1, 2, 0, 0, 0, 0], [1, 2, 3, 1, 2, 3], [3, 0, 0, 0, 0, 0]]}}
