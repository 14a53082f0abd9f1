# scaled_grad by a layer that is one number
behavior_version = 21
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "s": {"class": "constant", "value": 0.5, "dtype": "float32"},
    "h": {"class": "linear", "n_out": 4, "activation": "tanh", "from": "data"},
    "g": {"class": "scaled_grad", "from": "h", "scale": "s"},
    "output": {"class": "softmax", "from": "g", "loss": "ce", "target": "classes"},
}
case = {"train": False, "search": False}
