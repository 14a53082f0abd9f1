# what losses are called: in subnetworks, in loops, in subnetworks of loops, in loops of subnetworks; cond has none
from returnn.tensor import Dim, batch_dim

time = Dim(None, name="time")
feat = Dim(5, name="feat")
classes_dim = Dim(4, name="classes")
behavior_version = 21
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": classes_dim, "available_for_inference": False},
}

_S = {"class": "softmax", "n_out": 4, "loss": "ce", "target": "classes"}
_L = {"class": "linear", "activation": "softmax", "n_out": 4, "loss": "ce", "target": "classes"}
network = {
    "enc": {"class": "subnetwork", "from": "data", "subnetwork": {
        "h": {**_S, "from": "data", "loss_scale": 0.5},
        "deep": {"class": "subnetwork", "from": "data", "subnetwork": {
            "k": {**_S, "from": "data"}, "output": {**_L, "from": "data"}}},
        "r": {"class": "rec", "from": "h", "unit": {
            "s": {**_S, "from": ["data:source", "prev:s"]}, "output": {"class": "copy", "from": "s"}}},
        "output": {**_L, "from": ["h", "deep", "r"]}}},
    "output": {"class": "rec", "from": "enc", "unit": {
        "h": {**_S, "from": ["data:source", "prev:output"]},
        "sub": {"class": "subnetwork", "from": "h", "subnetwork": {
            "k": {**_S, "from": "data"}, "output": {**_L, "from": ["data", "base:prev:sub"], "loss_scale": 0.1}}},
        "output": {**_L, "from": ["h", "sub"]}}},
    "flag": {"class": "train_flag"},
    "chosen": {"class": "cond", "from": [], "condition": "flag", "true_layer": {**_S, "from": "enc"}, "false_layer": {**_S, "from": "enc"}},
}
