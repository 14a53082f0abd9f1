# in a loop: self_attention goes on from the steps of the run before, and a cell from its state (numbers of the second run)
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
        "x": {"class": "linear", "from": "data:source", "n_out": 4, "activation": None},
        "y": {"class": "linear", "from": "prev:k", "n_out": 4, "activation": None},
        "h": {"class": "combine", "kind": "add", "from": ["x", "y"], "activation": "tanh"},
        "a": {"class": "self_attention", "from": "h", "num_heads": 2, "total_key_dim": 4, "n_out": 6,
              "attention_left_only": True, "initial_state": "keep_over_epoch"},
        "c": {"class": "rnn_cell", "unit": "LSTMBlock", "from": "a", "n_out": 4, "initial_state": "keep_over_epoch"},
        "k": {"class": "linear", "from": "c", "n_out": 7, "activation": "tanh"},
        "output": {"class": "softmax", "from": ["a", "k"], "n_out": 4, "loss": "ce", "target": "classes"}}},
}
case = {"repeat": 2}
