# masked_computation without "from" in a loop: the unit, a subnetwork with a cell, names its inputs itself
from returnn.tensor import Dim, batch_dim

time = Dim(None, name="time")
feat = Dim(5, name="feat")
classes_dim = Dim(4, name="classes")
behavior_version = 30
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": classes_dim, "available_for_inference": False},
}

network = {
    "output": {"class": "rec", "from": "data", "unit": {
        "e": {"class": "reduce", "mode": "sum", "axis": feat, "from": "data:source"},
        "m": {"class": "compare", "kind": "greater", "from": "e", "value": 0.0},
        "s": {"class": "masked_computation", "mask": "m", "unit": {"class": "subnetwork", "subnetwork": {
            "l": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": "base:h"},
            "output": {"class": "linear", "from": ["l", "base:prev:s"], "n_out": 3, "activation": "tanh"}}}},
        "x": {"class": "linear", "from": "data:source", "n_out": 6, "activation": None},
        "y": {"class": "linear", "from": "prev:s", "n_out": 6, "activation": None},
        "h": {"class": "combine", "kind": "add", "from": ["x", "y"], "activation": "tanh"},
        "output": {"class": "softmax", "from": "s", "out_dim": classes_dim, "target": "classes", "loss": "ce"}}},
}
