# masked_from with Dims: the unit multiplies its frames with frames of the loop, which the mask reduces to them
from returnn.tf.util.data import batch_dim, SpatialDim, FeatureDim
behavior_version = 21
time_dim, lab_time, in_dim, label_dim = SpatialDim("time"), SpatialDim("lab_time"), FeatureDim("in", 3), FeatureDim("labels", 4)
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, in_dim]}, "al": {"dim_tags": [batch_dim, time_dim], "sparse_dim": label_dim}, "lab": {"dim_tags": [batch_dim, lab_time], "sparse_dim": label_dim}}
am_dim = FeatureDim("am", 3)
network = {
    "loop": {"class": "rec", "from": "data", "axis": time_dim, "target": "al", "unit": {
        "output": {"class": "choice", "beam_size": 2, "from": "prob", "target": "al", "initial_output": 0},
        "emit": {"class": "compare", "kind": "not_equal", "value": 0, "from": "output", "initial_output": True},
        "am": {"class": "linear", "activation": "tanh", "out_dim": am_dim, "from": "data:source"},
        "lm": {"class": "masked_computation", "mask": "prev:emit", "masked_from": "base:data:lab", "from": "prev:output", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
            "emb": {"class": "linear", "activation": None, "with_bias": False, "out_dim": am_dim, "from": "data"},
            "both": {"class": "combine", "kind": "mul", "from": ["emb", "base:am"]},
            "output": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "both"}}}},
        "un": {"class": "unmask", "mask": "prev:emit", "from": "lm"},
        "s": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["am", "un", "prev:s"]},
        "prob": {"class": "softmax", "from": "s", "out_dim": label_dim, "target": "al", "loss": "ce"}}},
    "output": {"class": "copy", "from": "loop"},
}
case = {"lens": {"data": [4, 7, 1], "al": [4, 7, 1], "lab": [3, 5, 1]}, "inputs": {"al": [[1, 0, 2, 0, 0, 0, 0], [1, 0, 3, 0, 2, 3, 1], [0, 0, 0, 0, 0, 0, 0]], "lab": [[0, 1, 2, 0, 0], [0, 1, 3, 2, 3], [0, 0, 0, 0, 0]]}}
