# the parameters of a layer that comes later: it has the same shape and needs this layer
behavior_version = 21
extern_data = {"data": {"dim": 5}, "classes": {"dim": 11, "sparse": True}}
network = {
    "low": {"class": "linear", "n_out": 5, "activation": "tanh", "from": "data", "reuse_params": "high"},
    "high": {"class": "linear", "n_out": 5, "activation": "tanh", "from": "low"},
    "output": {"class": "softmax", "from": "high", "loss": "ce", "target": "classes"},
}
case = {"train": False, "search": False}
